"""What is on a stick: every package, wheel, script and model file with its licence, and what takes the room."""

from __future__ import annotations

import json
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from builder import licences
from builder.cache import Cache
from builder.inputs.derived import derived
from builder.inputs.lock import Lock, Wheel
from builder.inputs.store import Store
from builder.inputs.vendored import vendored
from builder.plan import Plan
from builder.profile import Profile
from builder.steps.graphics import driver_version
from builder.steps.wheels import part

_SHIPPED = ("base", "boot", "driver")
_LARGEST = 12


def describe(plan: Plan, cache: Cache) -> dict[str, Any]:
    """The parts of a manifest that tell of contents. Nothing in it depends on when or where it was built."""
    return {**parts(plan, cache), "sizes": sizes(plan, cache)}


def parts(plan: Plan, cache: Cache) -> dict[str, Any]:
    """What `describe` tells of all that is brought from elsewhere: known before the station layer is made."""
    lock, profile = plan.lock, plan.profile
    known = _debian_licences(plan, cache)
    store = Store(cache.store)
    wheels = [(wheel, wheel_licence(store.path(wheel.sha256))) for wheel in lock.wheels]
    rows = [
        {**package.model_dump(), "licence": known.get(package.name, f"see /usr/share/doc/{package.name}/copyright")}
        for package in lock.packages
    ]
    return {
        "packages": [row for row in rows if row["use"] in _SHIPPED],
        "built_with": [row for row in rows if row["use"] not in _SHIPPED],
        "wheels": [{**wheel.model_dump(), "licence": licence} for wheel, licence in wheels],
        "left_out": [row.model_dump() for row in lock.left_out],
        "scripts": [package.model_dump() for package in vendored()],
        "data": [data.model_dump() for data in derived()],
        **({"driver": _driver(plan, cache)} if profile.driver else {}),
        **({"model": _model(profile, lock)} if profile.model else {}),
    }


def wheel_licence(file: Path) -> str:
    """As the wheel's METADATA states it: an SPDX expression, else a short free text, else its classifiers."""
    try:
        with zipfile.ZipFile(file) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            metadata = HeaderParser().parsestr(archive.read(name).decode(errors="replace"))
    except (OSError, zipfile.BadZipFile, StopIteration):
        return "unknown"
    if metadata.get("License-Expression"):
        return str(metadata["License-Expression"])
    text = " ".join(str(metadata.get("License") or "").split())
    if 0 < len(text) <= 60:
        return text
    prefix = "License :: "
    classifiers = [str(row).rpartition(" :: ")[2] for row in metadata.get_all("Classifier", []) if prefix in str(row)]
    return ", ".join(classifiers) or ("see its dist-info folder" if not text else text[:57] + "...")


def _debian_licences(plan: Plan, cache: Cache) -> dict[str, str]:
    found: dict[str, str] = {}
    for step in plan.layers:
        file = step.folder(cache) / "licences.json"
        if file.exists():
            found.update(json.loads(file.read_text()))
    return found


def _driver(plan: Plan, cache: Cache) -> dict[str, Any]:
    driver = plan.profile.driver
    assert driver is not None
    modules = json.loads((plan.step("modules").folder(cache) / "modules.json").read_text())
    return {
        "version": driver_version(driver, plan.lock),
        "flavour": driver.flavour,
        "origin": "NVIDIA's installer" if driver.runfile else "Debian non-free",
        "runfile": plan.lock.runfile.model_dump() if driver.runfile and plan.lock.runfile else None,
        "kernel": modules["kernel"],
        "signer": modules["signer"],
        "signed_by_operator": driver.certificate is not None,
    }


def _model(profile: Profile, lock: Lock) -> dict[str, Any]:
    weights = profile.model
    assert weights is not None
    locked = lock.model if lock.model and not weights.synthetic else None
    return {
        "title": weights.title,
        "synthetic": weights.synthetic,
        "encrypted": weights.encrypted is not None,
        "origin": locked.origin if locked else weights.origin,
        "commit": locked.commit if locked else "",
        "licence": weights.licence,
        "accepted": licences.needed(profile) is not None,
        "files": [{**file.model_dump(), "licence": weights.licence} for file in locked.files] if locked else [],
    }


def sizes(plan: Plan, cache: Cache) -> dict[str, Any]:
    """Bytes a layer on the medium, and its largest contributors by the size of what was downloaded for them."""
    within: dict[str, list[tuple[str, int]]] = {
        "base": [(package.name, package.size) for package in plan.lock.used_by("base")],
        "driver": [(package.name, package.size) for package in plan.lock.used_by("driver")],
        **{name: _wheel_sizes(wheels) for name, wheels in part(plan.profile.python, plan.lock.wheels).items()},
    }
    if plan.lock.model and plan.profile.model and not plan.profile.model.synthetic:
        within["model"] = [(file.name, file.size) for file in plan.lock.model.files]
    return {
        step.name: {
            "bytes": (step.folder(cache) / "image.squashfs").stat().st_size,
            "largest": dict(sorted(within.get(step.name, []), key=lambda row: -row[1])[:_LARGEST]),
        }
        for step in plan.layers
    }


def _wheel_sizes(wheels: list[Wheel]) -> list[tuple[str, int]]:
    return [(wheel.project, wheel.size) for wheel in wheels]


def cuts(folder: Path) -> dict[str, int]:
    """Bytes saved by each rule of what the layer in `folder` leaves out."""
    try:
        found: dict[str, int] = json.loads((folder / "cuts.json").read_text())
    except FileNotFoundError:
        return {}
    return found
