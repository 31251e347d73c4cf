"""Plan: every step's key, whether it is there already, and if not, why.

Pure but for reading files: nothing is built, mounted or downloaded here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache as memoise
from pathlib import Path
from typing import Any

from builder.cache import Cache
from builder.inputs.fetch import missing
from builder.inputs.lock import DebianPackage, Lock
from builder.inputs.store import Store
from builder.keys import ROOT, code_hash, key_of, tree_hash
from builder.layers.interpreter import PACKAGES as INTERPRETER
from builder.profile import Profile
from builder.run import output

LAYERS = ("base", "python", "station")
TIMELESS_EPOCH = 1_735_689_600
"""2025-01-01: the newest time stamp in the python and station layers, where none has a meaning.
A renewed Debian package must not change them."""

_TOOLS = {"mksquashfs": ["mksquashfs", "-version"], "mmdebstrap": ["mmdebstrap", "--version"]}
_LAYER_CODE = ("builder/image.py", "builder/verity.py", "builder/sandbox.py", "builder/layers/tree.py")


@dataclass(frozen=True)
class Step:
    """One step: `parts` decide its key; `spec` is what its module gets, `work` and `out` apart.

    `module` runs in a sandbox. `epoch` is the step's SOURCE_DATE_EPOCH.
    """

    name: str
    module: str
    parts: dict[str, Any]
    spec: dict[str, Any]
    epoch: int
    reason: str = ""

    @property
    def key(self) -> str:
        return key_of(self.parts)

    def folder(self, cache: Cache) -> Path:
        return cache.layers / f"{self.name}-{self.key[:20]}"

    def is_done(self, cache: Cache) -> bool:
        return (self.folder(cache) / "done.json").exists()


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

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def make_plan(profile: Profile, lock: Lock, cache: Cache) -> Plan:
    """The plan for `profile` as `lock` pins it, against what `cache` holds."""
    store = Store(cache.store)
    base = _base(profile, lock, store)
    steps = (base, _python(profile, lock, store), _station(profile, lock, store), _boot(profile, lock, store, base))
    to_do = tuple(step.name for step in steps if not step.is_done(cache))
    reasons = {step.name: why(step, cache) for step in steps if step.name in to_do}
    absent = missing(store, lock.inputs)
    sizes = {step.name: _size(step, cache) for step in steps}
    unpacked = max((step.spec.get("tree_bytes", 0) for step in steps if step.name in to_do), default=0)
    history = read_history(cache)
    download = sum(item.size for item in absent)
    seconds = sum(history.get(name, _GUESS_S[name]) for name in (*to_do, "iso", "verify")) + download / 20e6
    iso_bytes = sum(sizes.values())
    return Plan(
        profile=profile,
        lock=lock,
        steps=steps,
        to_do=to_do,
        reasons=reasons,
        download_bytes=download,
        iso_bytes=iso_bytes,
        peak_bytes=download + iso_bytes + unpacked + sum(sizes[name] for name in to_do),
        seconds=seconds,
    )


_GUESS_S = {"base": 180.0, "python": 40.0, "station": 10.0, "boot": 40.0, "iso": 15.0, "verify": 8.0}
_COMPRESSED = 0.52
_GUESS_BYTES = {"station": 4_000_000, "boot": 60_000_000}


def read_history(cache: Cache) -> dict[str, float]:
    """Seconds that each step took last time on this machine."""
    try:
        return {str(key): float(value) for key, value in json.loads(cache.history.read_text()).items()}
    except (OSError, ValueError):
        return {}


def _size(step: Step, cache: Cache) -> int:
    done = step.folder(cache) / "done.json"
    if done.exists():
        return int(json.loads(done.read_text())["bytes"])
    return _GUESS_BYTES.get(step.name) or int(step.spec.get("tree_bytes", 0) * _COMPRESSED)


@memoise
def tool_version(name: str) -> str:
    """The version line of a tool whose output lies in a layer."""
    text = output(["sh", "-c", '"$@" 2>&1 || true', "sh", *_TOOLS[name]])
    return re.sub(r"\s+", " ", text.splitlines()[0]) if text else name


def _package_rows(packages: tuple[DebianPackage, ...], store: Store) -> list[dict[str, Any]]:
    return [
        {
            "name": package.name,
            "version": package.version,
            "file": package.file_name.replace("%", "_"),
            "content": str(store.path(package.sha256)),
            "sha256": package.sha256,
            "size": package.size,
        }
        for package in packages
    ]


def _pins(packages: tuple[DebianPackage, ...]) -> dict[str, str]:
    return {package.name: f"{package.version} {package.sha256}" for package in packages}


def _base(profile: Profile, lock: Lock, store: Store) -> Step:
    packages = lock.used_by("base")
    sysusers = ROOT / "overlay/rootfs/usr/lib/sysusers.d/inkstick.conf"
    cuts = {name: rule.paths for name, rule in profile.cuts.base.items()}
    parts = {
        "packages": _pins(packages),
        "cuts": cuts,
        "users": tree_hash(sysusers),
        "time stamp": lock.source_date_epoch,
        "compression": profile.squashfs.level,
        "code": code_hash("builder/layers/base.py", "builder/layers/debrepo.py", *_LAYER_CODE),
        "tools": {name: tool_version(name) for name in ("mksquashfs", "mmdebstrap")},
    }
    spec = {
        "packages": _package_rows(packages, store),
        "cuts": cuts,
        "sysusers": str(sysusers),
        "epoch": lock.source_date_epoch,
        "level": profile.squashfs.level,
        "tree_bytes": 5 * sum(package.size for package in packages),
    }
    return Step("base", "builder.layers.base", parts, spec, lock.source_date_epoch)


def _interpreter(lock: Lock) -> tuple[DebianPackage, ...]:
    return tuple(package for package in lock.used_by("base") if package.name in INTERPRETER)


def _python(profile: Profile, lock: Lock, store: Store) -> Step:
    interpreter = _interpreter(lock)
    cuts = {name: rule.paths for name, rule in profile.cuts.python.items()}
    parts = {
        "wheels": {wheel.project: f"{wheel.version} {wheel.sha256}" for wheel in lock.wheels},
        "interpreter": _pins(interpreter),
        "cuts": cuts,
        "compression": profile.squashfs.level,
        "code": code_hash("builder/layers/python.py", "builder/layers/interpreter.py", *_LAYER_CODE),
        "tools": {"mksquashfs": tool_version("mksquashfs")},
    }
    spec = {
        "wheels": [
            {
                "file": wheel.file_name,
                "content": str(store.path(wheel.sha256)),
                "sha256": wheel.sha256,
                "requirement": f"{wheel.project}=={wheel.version}",
            }
            for wheel in lock.wheels
        ],
        "interpreter": [str(store.path(package.sha256)) for package in interpreter],
        "version": profile.python.version,
        "cuts": cuts,
        "epoch": TIMELESS_EPOCH,
        "level": profile.squashfs.level,
        "tree_bytes": 4 * sum(wheel.size for wheel in lock.wheels),
    }
    return Step("python", "builder.layers.python", parts, spec, TIMELESS_EPOCH)


def _station(profile: Profile, lock: Lock, store: Store) -> Step:
    interpreter = _interpreter(lock)
    seen = profile.model_dump(mode="json", include=_TEMPLATE_FIELDS)
    parts = {
        "runtime/": _file_hashes(ROOT / "runtime"),
        "overlay/": _file_hashes(ROOT / "overlay/rootfs"),
        "profile": seen,
        "interpreter": _pins(interpreter),
        "compression": profile.squashfs.level,
        "code": code_hash("builder/layers/station.py", "builder/layers/interpreter.py", *_LAYER_CODE),
        "tools": {"mksquashfs": tool_version("mksquashfs")},
    }
    spec = {
        "profile": seen,
        "interpreter": [str(store.path(package.sha256)) for package in interpreter],
        "version": profile.python.version,
        "epoch": TIMELESS_EPOCH,
        "level": profile.squashfs.level,
    }
    return Step("station", "builder.layers.station", parts, spec, TIMELESS_EPOCH)


_TEMPLATE_FIELDS = {"name", "title", "version", "language", "ui_port", "api_port", "engines", "limits"}


def _boot(profile: Profile, lock: Lock, store: Store, base: Step) -> Step:
    packages = lock.used_by("boot")
    parts = {
        "base": base.key,
        "packages": _pins(packages),
        "initramfs": _file_hashes(ROOT / "overlay/initramfs"),
        "messages": tree_hash(ROOT / "overlay/messages"),
        "code": code_hash("builder/boot", "builder/screens.py", "builder/sandbox.py", "builder/layers/tree.py"),
    }
    spec = {
        "packages": _package_rows(packages, store),
        "initramfs": str(ROOT / "overlay/initramfs"),
        "messages": str(ROOT / "overlay/messages/stopped.yaml"),
        "epoch": lock.source_date_epoch,
    }
    return Step("boot", "builder.boot.files", parts, spec, lock.source_date_epoch)


def _file_hashes(folder: Path) -> dict[str, str]:
    from builder.keys import files_below, kind

    return {str(file.relative_to(folder)): f"{kind(file)} {tree_hash(file)[:16]}" for file in files_below(folder)}


def why(step: Step, cache: Cache) -> str:
    """Which input changed since this step's newest result; "not built yet" where there is none."""
    finished = sorted(cache.layers.glob(f"{step.name}-*/done.json"), key=lambda file: file.stat().st_mtime)
    if not finished:
        return "not built yet"
    before = json.loads(finished[-1].read_text())["parts"]
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
