"""Prompts and parsers: data in, data out."""
