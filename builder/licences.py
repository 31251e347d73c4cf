"""Licences that an operator accepts by name, once on a machine, before a model is taken."""

from __future__ import annotations

import json

from builder.cache import Cache
from builder.console import say
from builder.errors import ProfileError
from builder.inputs.store import sha256_of
from builder.keys import ROOT
from builder.profile import Profile

FOLDER = ROOT / "licences"


def accept(names: list[str], cache: Cache) -> None:
    """Remember that the operator accepts these licences, in the words that they have now.

    Raises ProfileError for a name that is none.
    """
    for name in names:
        if not (FOLDER / name / "TERMS.md").is_file():
            known = ", ".join(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))
            raise ProfileError(f"there is no licence '{name}'", hint=f"licences here: {known}")
    if names:
        cache.root.mkdir(parents=True, exist_ok=True)
        now = {**_accepted(cache), **{name: _terms(name) for name in names}}
        (cache.root / "accepted-licences.json").write_text(json.dumps(now, indent=1, sort_keys=True))


def needed(profile: Profile) -> str | None:
    """The licence to be accepted before the profile's model ships; one that comes with a notice is to be."""
    model = profile.model
    if model is None or model.synthetic or not (FOLDER / model.licence / "NOTICE.txt").is_file():
        return None
    return model.licence


def require(profile: Profile, cache: Cache) -> None:
    """Raises ProfileError, after printing the terms, where the model's licence was not accepted yet."""
    name = needed(profile)
    if name is None or _accepted(cache).get(name) == _terms(name):
        return
    say((FOLDER / name / "TERMS.md").read_text())
    raise ProfileError(
        f"the weights of {profile.title} come under a licence that was not accepted on this machine yet: {name}",
        hint=f"read the terms above, then: --accept-license {name} (or build without weights: --model synthetic)",
    )


def _terms(name: str) -> str:
    return sha256_of(FOLDER / name / "TERMS.md")


def _accepted(cache: Cache) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((cache.root / "accepted-licences.json").read_text())
    except (OSError, ValueError):
        return {}
    return found
