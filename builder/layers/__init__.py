"""Layers: `base` (Debian), `python` (wheels), `station` (runtime and overlay)."""
