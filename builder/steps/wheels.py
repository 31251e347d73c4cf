"""Layers of wheels: parted by the profile's globs, so that a changed wheel moves its own layer alone."""

from __future__ import annotations

from fnmatch import fnmatchcase

from builder.inputs.lock import SHARED_SITE, Lock, Wheel
from builder.inputs.store import Store
from builder.profile import Profile
from builder.profile.model import Python
from builder.steps import tools
from builder.steps.debian import interpreter
from builder.steps.step import TIMELESS_EPOCH, Step, pins
from builder.steps.wheel_sizes import packed_bytes, unpacked_bytes

_CODE = tuple(f"builder/layers/{name}.py" for name in ("python", "interpreter", "debrepo"))
_SCANNER = ("builder/gpu/fatbin.py", "builder/gpu/elf.py")


def part(python: Python, wheels: tuple[Wheel, ...]) -> dict[str, list[Wheel]]:
    """Layer name -> its wheels: those of a glob, the shared rest, then each overlay's own. None is empty."""
    parted: dict[str, list[Wheel]] = {name: [] for name in (*python.layers, SHARED_SITE, *python.own_sites)}
    for wheel in wheels:
        parted[_layer(python, wheel)].append(wheel)
    return {name: found for name, found in parted.items() if found}


def _layer(python: Python, wheel: Wheel) -> str:
    if wheel.site != SHARED_SITE:
        return wheel.site
    for name, globs in python.layers.items():
        if any(fnmatchcase(wheel.project, glob) for glob in globs):
            return name
    return SHARED_SITE


def wheel_steps(profile: Profile, lock: Lock, store: Store) -> list[Step]:
    """One step a layer of wheels, in stacking order."""
    return [_step(profile, lock, store, name, found) for name, found in part(profile.python, lock.wheels).items()]


def _step(profile: Profile, lock: Lock, store: Store, name: str, wheels: list[Wheel]) -> Step:
    python = interpreter(lock)
    site = SHARED_SITE if wheels[0].site == SHARED_SITE else f"{SHARED_SITE}-{name}"
    cuts = {rule: cut.paths for rule, cut in profile.cuts.python.items()}
    scanned = profile.driver is not None
    code = (*_CODE, *_SCANNER) if scanned else _CODE
    parts = {
        "wheels": {wheel.project: f"{wheel.version} {wheel.sha256}" for wheel in wheels},
        "site": site,
        "interpreter": pins(python),
        "cuts": cuts,
        "compression": profile.squashfs.level,
        "code": tools.layer_code(*code),
        "tools": {"mksquashfs": tools.tool_version("mksquashfs")},
    }
    spec = {
        "name": name,
        "site": site,
        "wheels": [
            {
                "file": wheel.file_name,
                "content": str(store.path(wheel.sha256)),
                "sha256": wheel.sha256,
                "requirement": f"{wheel.project}=={wheel.version}",
            }
            for wheel in wheels
        ],
        "interpreter": [str(store.path(package.sha256)) for package in python],
        "version": profile.python.version,
        "cuts": cuts,
        "scan": scanned,
        "epoch": TIMELESS_EPOCH,
        "level": profile.squashfs.level,
        "tree_bytes": sum(unpacked_bytes(wheel, store) for wheel in wheels) * 9 // 8,
    }
    globs = [glob for paths in cuts.values() for glob in paths]
    expected = sum(packed_bytes(wheel, store, globs) for wheel in wheels)
    return Step(name, "builder.layers.python", parts, spec, TIMELESS_EPOCH, expected_bytes=expected)
