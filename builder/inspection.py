"""`show` and `diff`: what is on a stick, and what sets two apart. Read from the ISO file alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder import isofs
from builder.errors import VerifyError
from builder.papers import CONTENTS, FOLDER

_SHOWN = 8


def read_contents(iso: Path) -> dict[str, Any]:
    """What the ISO says of itself. Raises VerifyError if it is no ISO, or one without papers."""
    found = isofs.files(iso).get(FOLDER + CONTENTS)
    if found is None:
        raise VerifyError(f"{iso} does not say what is on it", hint="it is no Inkstick, or an old one: build anew")
    try:
        about: dict[str, Any] = json.loads(isofs.read(iso, found))
    except ValueError:
        raise VerifyError(f"{iso}: {FOLDER}{CONTENTS} is damaged", hint="write the stick or file anew") from None
    return about


@dataclass
class Change:
    """One kind of thing, in two sticks. `moved`: name to (before, after); sizes in bytes where it is sizes."""

    added: dict[str, str] = field(default_factory=dict)
    removed: dict[str, str] = field(default_factory=dict)
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.moved)


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Change]:
    """Changes by kind: packages, wheels, scripts, model, settings, layers (bytes), left out; empty ones too."""
    return {
        "packages": _changes(_versions(before["packages"], "name"), _versions(after["packages"], "name")),
        "wheels": _changes(_versions(before["wheels"], "project"), _versions(after["wheels"], "project")),
        "scripts": _changes(_scripts(before), _scripts(after)),
        "model": _changes(_model(before), _model(after)),
        "settings": _changes(_flat(before["settings"]), _flat(after["settings"])),
        "layers": _changes(_layers(before), _layers(after)),
        "left out": _changes(_cuts(before), _cuts(after)),
    }


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Change:
    return Change(
        added={name: after[name] for name in sorted(after.keys() - before.keys())},
        removed={name: before[name] for name in sorted(before.keys() - after.keys())},
        moved={
            name: (before[name], after[name])
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        },
    )


def _versions(rows: Sequence[Mapping[str, Any]], key: str) -> dict[str, str]:
    """Versions by name. A file whose version is the same and whose bytes are not shows its hash as well."""
    named: dict[str, str] = {}
    for row in rows:
        name = str(row[key]) if row.get("site", "python") == "python" else f"{row['site']}: {row[key]}"
        named[name] = f"{row['version']} ({str(row['sha256'])[:12]})"
    return named


def _model(about: Mapping[str, Any]) -> dict[str, str]:
    model = about.get("model")
    if not model:
        return {}
    facts = {key: str(model[key]) for key in ("title", "origin", "commit", "synthetic", "licence")}
    return {**facts, **{str(row["name"]): str(row["sha256"]) for row in model["files"]}}


def _flat(value: object, name: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        return {key: text for part in value for key, text in _flat(value[part], f"{name}.{part}".strip(".")).items()}
    return {name: json.dumps(value, ensure_ascii=False)}


def _layers(about: Mapping[str, Any]) -> dict[str, str]:
    return {str(layer["name"]): f"{layer['size']} ({str(layer['root_hash'])[:12]})" for layer in about["layers"]}


def _scripts(about: Mapping[str, Any]) -> dict[str, str]:
    return {str(row["name"]): str(row["version"]) for row in about.get("scripts", ())}


def _cuts(about: Mapping[str, Any]) -> dict[str, str]:
    return {f"{layer['name']}: {rule}": "" for layer in about["layers"] for rule in layer["cuts"]}


def largest(about: Mapping[str, Any], layer: str) -> list[tuple[str, int]]:
    """The largest contributors to a layer, as (name, bytes downloaded for it)."""
    rows = about["sizes"].get(layer, {}).get("largest", {})
    return sorted(((str(name), int(count)) for name, count in rows.items()), key=lambda row: -row[1])[:_SHOWN]


def licence_counts(about: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Licences of packages, wheels and scripts, the commonest first."""
    counted: dict[str, int] = {}
    for row in (*about["packages"], *about["wheels"], *about.get("scripts", ())):
        counted[str(row["licence"])] = counted.get(str(row["licence"]), 0) + 1
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
