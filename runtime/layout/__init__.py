"""Layout: which way up a page stands, and in which order its lines are read."""
