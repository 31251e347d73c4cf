"""The steps of a build, and what decides the key of each: one module a kind of layer."""
