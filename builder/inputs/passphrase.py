"""The passphrase of an encrypted model layer: looked at before anything is built."""

from __future__ import annotations

from builder.keys import ROOT
from builder.layers.encryption import read_passphrase
from builder.profile import Profile


def check_passphrase(profile: Profile) -> None:
    """Raises ProfileError where the model is to be encrypted and its passphrase cannot be had or not be typed."""
    if profile.model and profile.model.encrypted:
        read_passphrase(ROOT / profile.model.encrypted.passphrase_file)
