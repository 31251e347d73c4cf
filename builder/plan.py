"""Plan: every step's key, whether it is there already, and if not, why.

Pure but for reading files: nothing is built, mounted or downloaded here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from builder.cache import Cache
from builder.errors import ProfileError
from builder.gpu.compatibility import cuda_need, is_older
from builder.inputs.fetch import missing
from builder.inputs.lock import Lock
from builder.inputs.store import Store
from builder.profile import Profile
from builder.steps.debian import base_step, boot_step, station_step
from builder.steps.graphics import driver_steps, driver_version, model_steps
from builder.steps.step import Step
from builder.steps.wheels import wheel_steps


@dataclass(frozen=True)
class Plan:
    """What a build will do. Sizes in bytes, times in seconds."""

    profile: Profile
    lock: Lock
    steps: tuple[Step, ...]
    to_do: tuple[str, ...]
    reasons: dict[str, str]
    download_bytes: int
    iso_bytes: int
    peak_bytes: int
    seconds: float
    notes: list[str] = field(default_factory=list)

    @property
    def layers(self) -> list[Step]:
        """The steps whose images go on the medium, bottom first."""
        return [step for step in self.steps if step.is_layer]

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def make_plan(profile: Profile, lock: Lock, cache: Cache) -> Plan:
    """The plan for `profile` as `lock` pins it, against what `cache` holds."""
    check_driver(profile, lock)
    steps = make_steps(profile, lock, Store(cache.store))
    to_do = tuple(step.name for step in steps if not step.is_done(cache))
    reasons = {step.name: why(step, cache) for step in steps if step.name in to_do}
    absent = missing(Store(cache.store), lock.inputs)
    sizes = {step.name: _size(step, cache) for step in steps}
    iso_bytes = _ISO_BYTES + sum(size for name, size in sizes.items() if name != "modules")
    unpacked = max((step.spec.get("tree_bytes", 0) for step in steps if step.name in to_do), default=0)
    history = read_history(cache)
    download = sum(item.size for item in absent)
    doing = [step for step in steps if step.name in to_do]
    seconds = sum(history.get(step.name, _guess_seconds(step)) for step in doing) + download / 20e6
    seconds += sum(history.get(name, iso_bytes / 200e6) for name in ("iso", "verify"))
    return Plan(
        profile=profile,
        lock=lock,
        steps=steps,
        to_do=to_do,
        reasons=reasons,
        download_bytes=download,
        iso_bytes=iso_bytes,
        peak_bytes=download + _with_margin(sum(sizes[name] for name in to_do) + max(unpacked, iso_bytes)),
        seconds=seconds,
        notes=_notes(profile, lock),
    )


def _notes(profile: Profile, lock: Lock) -> list[str]:
    """What a reader of the plan should know besides."""
    notes = []
    if profile.model and not profile.model.synthetic and lock.model is None:
        notes.append(f"{profile.model.title} is not locked yet: its layer is planned once its files are known")
    if profile.model and profile.model.encrypted:
        notes.append("the model layer is encrypted with a random key: no two builds of it are alike")
    if profile.driver and profile.driver.certificate is None:
        notes.append("modules are signed by a key thrown away after the build: no two builds of them are alike")
    if profile.driver and profile.driver.runfile and lock.runfile is None:
        notes.append(f"{profile.driver.runfile} is not locked yet")
    return notes


def make_steps(profile: Profile, lock: Lock, store: Store) -> tuple[Step, ...]:
    """Every step in the order of the build, in which the layers among them stack, bottom first."""
    base = base_step(profile, lock, store)
    return (
        base,
        *driver_steps(profile, lock, store, base),
        *wheel_steps(profile, lock, store),
        *model_steps(profile, lock, store),
        station_step(profile, lock, store),
        boot_step(profile, lock, store, base),
    )


def check_driver(profile: Profile, lock: Lock) -> None:
    """Raises ProfileError where the wheels need a newer driver than the profile has, or a driver at all."""
    need = cuda_need(lock.wheels)
    if need is None:
        return
    asked = f"{need.wheel.label} is for CUDA {need.major}, which needs NVIDIA driver {need.driver} or later"
    if profile.driver is None:
        raise ProfileError(f"{asked}; profile {profile.name} has no driver", hint="give it a `driver:`")
    have = driver_version(profile.driver, lock)
    if is_older(have, need.driver):
        raise ProfileError(
            f"{asked}; profile {profile.name} has driver {have}",
            hint="take wheels of an older CUDA, or a newer driver by `driver: {runfile: ..., version: ...}`",
        )


_GUESS_S = {"base": 180.0, "station": 10.0, "boot": 40.0, "modules": 400.0, "driver": 60.0}
_PACK_BYTES_PER_S = 40e6
_ISO_BYTES = 40_000_000
"""The ISO's own: EFI system partition, GRUB, file system tables."""


def _with_margin(bytes_: int) -> int:
    """A twentieth more: logs, what the ISO is staged in, and the file system's own needs."""
    return bytes_ * 21 // 20


def _guess_seconds(step: Step) -> float:
    return _GUESS_S.get(step.name) or 10.0 + float(step.spec.get("tree_bytes", 0)) / _PACK_BYTES_PER_S


def read_history(cache: Cache) -> dict[str, float]:
    """Seconds that each step took last time on this machine."""
    try:
        return {str(key): float(value) for key, value in json.loads(cache.history.read_text()).items()}
    except (OSError, ValueError):
        return {}


def _size(step: Step, cache: Cache) -> int:
    """Bytes of the step's result: as it is, as it was last time, or as its inputs let expect."""
    done = step.folder(cache) / "done.json"
    known = done if done.exists() else _newest(step.name, cache)
    if known is not None:
        return int(json.loads(known.read_text())["bytes"])
    return step.expected_bytes


def _newest(name: str, cache: Cache) -> Path | None:
    """The newest record of a step of that very name: `python` is not `python-torch`."""
    found = [file for file in cache.layers.glob(f"{name}-*/done.json") if "-" not in file.parent.name[len(name) + 1 :]]
    return max(found, key=lambda file: file.stat().st_mtime, default=None)


def why(step: Step, cache: Cache) -> str:
    """Which input changed since this step's newest result; "not built yet" where there is none."""
    newest = _newest(step.name, cache)
    if newest is None:
        return "not built yet"
    before = json.loads(newest.read_text())["parts"]
    changes = [_change(name, before.get(name), now) for name, now in step.parts.items() if before.get(name) != now]
    return "; ".join(changes) or "its result is gone"


def _change(name: str, before: object, now: object) -> str:
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return f"{name} changed"
    rows = []
    for key in sorted(before.keys() | now.keys()):
        was, new = before.get(key), now.get(key)
        if was != new:
            rows.append(_item(key, was, new))
    shown = ", ".join(rows[:4]) + (f" and {len(rows) - 4} more" if len(rows) > 4 else "")
    return f"{name}: {shown}"


def _item(key: str, was: object, new: object) -> str:
    if was is None:
        return f"+{key}"
    if new is None:
        return f"-{key}"
    old_version, new_version = str(was).split(" ")[0], str(new).split(" ")[0]
    return f"{key} {old_version} -> {new_version}" if old_version != new_version and "[" not in str(new) else key
