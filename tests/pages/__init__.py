"""Pages of our own with known text, and the measure of how well they were read."""
