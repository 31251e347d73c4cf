"""Profiles: what goes on the stick and how it behaves."""

from builder.profile.load import available, load_profile
from builder.profile.model import Profile

__all__ = ["Profile", "available", "load_profile"]
