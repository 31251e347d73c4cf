"""What this machine has, what that lets it run, and what to tell the person in front of it."""
