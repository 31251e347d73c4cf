"""Inputs of a build: what the lock pins, where it comes from, and the store it is kept in."""
