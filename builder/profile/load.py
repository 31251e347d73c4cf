"""Load a profile: follow `extends:`, merge, check, and say where a mistake stands."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from builder.errors import ProfileError
from builder.profile.model import Profile
from builder.profile.positions import Document, KeyPath, Place, parse

PROFILES = Path(__file__).resolve().parents[2] / "profiles"


def available(folder: Path = PROFILES) -> list[str]:
    """Names of the profiles that can be built: those not starting with an underscore."""
    return sorted(file.stem for file in folder.glob("*.yaml") if not file.stem.startswith("_"))


def load_profile(name: str, folder: Path = PROFILES) -> Profile:
    """Load profile `name` (or a path to a .yaml file), merged over what it extends.

    Raises ProfileError for a missing file, a cycle, an unknown key, a wrong type or a value
    out of range: with file, line, column and the nearest valid key.
    """
    file = Path(name) if name.endswith(".yaml") else folder / f"{name}.yaml"
    if not file.is_file():
        raise _no_such_profile(name, folder)
    chain = _chain(file)
    merged: dict[str, Any] = {}
    places: dict[KeyPath, Place] = {}
    for document in reversed(chain):
        value = {key: item for key, item in document.value.items() if key != "extends"}
        merged = _merge(merged, value)
        places.update(document.places)
    merged.setdefault("name", file.stem)
    try:
        profile = Profile.model_validate(merged)
    except ValidationError as error:
        raise _explain(error, places, chain[0]) from None
    _check_files(profile, places, chain[0])
    return profile


def _chain(file: Path) -> list[Document]:
    chain: list[Document] = []
    current: Path | None = file
    while current is not None:
        seen = [document.file for document in chain]
        if current in seen:
            loop = " -> ".join(path.stem for path in [*seen[seen.index(current) :], current])
            place = chain[-1].places[("extends",)]
            raise ProfileError(f"{place}: profiles extend each other in a circle: {loop}")
        document = parse(current)
        chain.append(document)
        current = _parent(document)
    return chain


def _parent(document: Document) -> Path | None:
    if "extends" not in document.value:
        return None
    wanted, place = document.value["extends"], document.places[("extends",)]
    if not isinstance(wanted, str):
        raise ProfileError(f"{place}: 'extends' takes the name of one profile")
    parent = document.file.with_name(f"{wanted}.yaml")
    if not parent.is_file():
        near = _nearest(wanted, [file.stem for file in document.file.parent.glob("*.yaml")])
        raise ProfileError(f"{place}: there is no profile '{wanted}' to extend", hint=near)
    return parent


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key; lists and plain values of the child replace the parent's."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _explain(error: ValidationError, places: dict[KeyPath, Place], top: Document) -> ProfileError:
    found = error.errors(include_url=False)
    lines, hints = [], []
    for detail in found:
        path = tuple(part for part in detail["loc"] if part != "[key]")
        lines.append(f"{_place(path, places, top)}: {_sentence(detail, path)}")
        if detail["type"] == "extra_forbidden":
            hints.append(_nearest(str(path[-1]), _fields_at(path[:-1])))
        elif detail["type"] == "literal_error":
            hints.append(_nearest(str(detail["input"]), re.findall(r"'([^']+)'", detail["ctx"]["expected"])))
    return ProfileError("\n".join(lines), hint="; ".join(dict.fromkeys(hint for hint in hints if hint)))


def _sentence(detail: ErrorDetails, path: KeyPath) -> str:
    key = ".".join(str(part) for part in path)
    if detail["type"] == "extra_forbidden":
        return f"unknown key '{key}'"
    if detail["type"] == "missing":
        return f"key '{key}' is missing"
    message = detail["msg"][0].lower() + detail["msg"][1:]
    return f"'{key}': {message}, not {detail['input']!r}"


def _place(path: KeyPath, places: dict[KeyPath, Place], top: Document) -> Place:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, Place(top.file, 1, 1)) if path else Place(top.file, 1, 1)


def _fields_at(path: KeyPath) -> list[str]:
    model: Any = Profile
    for part in path:
        if isinstance(part, int):  # an item of the list that the last key holds
            continue
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
        field = model.model_fields.get(str(part))
        if field is None:
            return []
        choices = [field.annotation, *get_args(field.annotation)]
        model = next((c for c in choices if isinstance(c, type) and issubclass(c, BaseModel)), None)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [*model.model_fields, *(["extends"] if not path else [])]
    return []


def _nearest(wrong: str, valid: list[str]) -> str:
    close = difflib.get_close_matches(wrong, valid, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"valid here: {', '.join(sorted(valid))}" if valid else ""


def _no_such_profile(name: str, folder: Path) -> ProfileError:
    names = available(folder)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    near = f"did you mean '{close[0]}'? " if close else ""
    return ProfileError(f"there is no profile '{name}'", hint=f"{near}profiles here: {', '.join(names) or 'none'}")


def _check_files(profile: Profile, places: dict[KeyPath, Place], top: Document) -> None:
    root = PROFILES.parent
    for path, value in _named_files(profile).items():
        if value is not None and not os.path.isfile(root / value):
            raise ProfileError(
                f"{_place(path, places, top)}: file '{value}' does not exist", hint=f"paths start at {root}"
            )
        # A plan needs no signing key; builder/checks.py looks whether a build can read it.
        if value is not None and path != ("driver", "signing_key") and not os.access(root / value, os.R_OK):
            raise ProfileError(
                f"{_place(path, places, top)}: file '{value}' cannot be read by this user",
                hint="give this user the right to read it, or run with sudo",
            )


def _named_files(profile: Profile) -> dict[KeyPath, Path | None]:
    """Files that a profile needs whatever is asked of it. A driver's runfile is only asked for by a build."""
    files: dict[KeyPath, Path | None] = {
        ("python", "requirements"): profile.python.requirements,
        ("python", "overrides"): profile.python.overrides,
        **{("python", "overlays", name): file for name, file in profile.python.own_sites.items()},
    }
    if profile.driver:
        files["driver", "signing_key"] = profile.driver.signing_key
        files["driver", "certificate"] = profile.driver.certificate
    if profile.model:
        files["model", "licence"] = Path("licences") / profile.model.licence / "TERMS.md"
    return files
