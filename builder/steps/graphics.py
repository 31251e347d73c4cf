"""Steps that only a station with a graphics card has: kernel modules, driver layer, model layer."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from builder.inputs.lock import Lock
from builder.inputs.store import Store
from builder.keys import ROOT
from builder.profile import Profile
from builder.profile.graphics import Driver, Weights
from builder.steps import tools
from builder.steps.step import TIMELESS_EPOCH, Step, package_rows, pins

_LENT = ("debconf",)
"""Packages of the base layer, parts of which it cuts, and which the driver's own scripts call."""

_RUNFILE_CODE = ("builder/layers/runfile.py", "builder/layers/runfile-settings", "builder/gpu/elf.py")


def driver_version(driver: Driver, lock: Lock) -> str:
    """As NVIDIA numbers it; Debian's revision apart."""
    if driver.version is not None:
        return driver.version
    source = next(package for package in lock.packages if package.use == "driver-source")
    return source.version.partition("-")[0].rpartition(":")[2]


def driver_steps(profile: Profile, lock: Lock, store: Store, base: Step) -> list[Step]:
    """The modules, which are no layer, and the layer that takes them. Nothing where there is no driver."""
    driver = profile.driver
    if driver is None:
        return []
    modules = _modules(driver, lock, store)
    return [modules, _driver(profile, driver, lock, store, base, modules)]


def _runfile(driver: Driver) -> str:
    return str((ROOT / driver.runfile).absolute()) if driver.runfile else ""


def _own_code(driver: Driver) -> tuple[str, ...]:
    """Code that only NVIDIA's installer passes through: changed, it moves nothing of Debian's driver."""
    return _RUNFILE_CODE if driver.runfile else ()


def _modules(driver: Driver, lock: Lock, store: Store) -> Step:
    packages, sources = lock.used_by("driver-build"), lock.used_by("driver-source")
    code = (
        *("builder/layers/modules.py", "builder/gpu/modules.py", "builder/gpu/sources.py"),
        *("builder/layers/debrepo.py", *_own_code(driver)),
    )
    parts = {
        "packages": pins(packages),
        "source": pins(sources) if not driver.runfile else str(lock.runfile and lock.runfile.sha256),
        "version": driver_version(driver, lock),
        "flavour": driver.flavour,
        "certificate": _file_hash(driver.certificate),
        "code": tools.step_code(*code),
        "tools": {"mmdebstrap": tools.tool_version("mmdebstrap")},
    }
    spec = {
        "packages": package_rows(packages, store),
        "source": str(store.path(sources[0].sha256)) if sources else "",
        "runfile": _runfile(driver),
        "version": driver_version(driver, lock),
        "flavour": driver.flavour,
        "signing_key": str(ROOT / driver.signing_key) if driver.signing_key else "",
        "certificate": str(ROOT / driver.certificate) if driver.certificate else "",
        "tree_bytes": _MODULES_TREE_BYTES,
    }
    return Step(
        "modules",
        "builder.layers.modules",
        parts,
        spec,
        TIMELESS_EPOCH,
        is_layer=False,
        expected_bytes=_modules_bytes(driver),
    )


def _modules_bytes(driver: Driver) -> int:
    """The five modules: packed by dkms, or as NVIDIA's Makefile leaves them."""
    return 130_000_000 if driver.runfile else 55_000_000


def _driver(profile: Profile, driver: Driver, lock: Lock, store: Store, base: Step, modules: Step) -> Step:
    packages = lock.used_by("driver")
    rules = {**profile.base_cuts, **profile.cuts.driver}
    cuts = {name: rule.paths for name, rule in rules.items()}
    lent = [package for package in lock.used_by("base") if package.name in _LENT]
    code = ("driver", "accounts", "debrepo", "licences", "scratch")
    parts: dict[str, Any] = {
        "base": base.key,
        "modules": modules.key,
        "packages": pins(packages),
        "cuts": cuts,
        "compression": profile.squashfs.level,
        "code": tools.layer_code(
            *(f"builder/layers/{name}.py" for name in code), "builder/gpu/supported.py", *_own_code(driver)
        ),
        "tools": {"mksquashfs": tools.tool_version("mksquashfs")},
    }
    spec = {
        "packages": package_rows(packages, store),
        "lent": [str(store.path(package.sha256)) for package in lent],
        "runfile": _runfile(driver),
        "version": driver_version(driver, lock),
        "cuts": cuts,
        "epoch": lock.source_date_epoch,
        "level": profile.squashfs.level,
        "tree_bytes": 4 * sum(package.size for package in packages),
    }
    needs = {"base": "base", "modules": "modules"}
    libraries = _RUNFILE_LIBRARIES_BYTES if driver.runfile else sum(package.size for package in packages) * 5 // 4
    expected = libraries + _modules_bytes(driver)
    epoch = lock.source_date_epoch
    return Step("driver", "builder.layers.driver", parts, spec, epoch, needs=needs, expected_bytes=expected)


def model_steps(profile: Profile, lock: Lock, store: Store) -> list[Step]:
    """The model layer. Nothing where there is no model; not planned where its files are not locked yet."""
    weights = profile.model
    if weights is None or (lock.model is None and not weights.synthetic):
        return []
    licences = ROOT / "licences" / weights.licence
    about = _about(weights, lock)
    files = lock.model.files if lock.model and not weights.synthetic else ()
    parts: dict[str, Any] = {
        "files": {file.name: file.sha256 for file in files},
        "synthetic": weights.synthetic,
        "about": about,
        "licence": {file.name: _file_hash(file) for file in sorted(licences.iterdir())},
        "code": tools.layer_code(
            *(f"builder/layers/{name}" for name in ("model.py", "encryption.py", "synthetic.py", "hunyuan-settings"))
        ),
        "tools": {"mksquashfs": tools.tool_version("mksquashfs")},
    }
    spec: dict[str, Any] = {
        "files": [{"name": file.name, "content": str(store.path(file.sha256))} for file in files],
        "synthetic": weights.synthetic,
        "about": about,
        "licences": [str(file) for file in sorted(licences.iterdir())],
        "epoch": TIMELESS_EPOCH,
        "passphrase_file": "",
        "tree_bytes": _SYNTHETIC_BYTES if weights.synthetic else sum(file.size for file in files),
    }
    if weights.encrypted:
        passphrase = ROOT / weights.encrypted.passphrase_file
        # By when it was written: anything made from its content would help who guesses it.
        parts["passphrase file written"] = passphrase.stat().st_mtime_ns if passphrase.exists() else 0
        spec["passphrase_file"] = str(passphrase)
    # Uncompressed; a hash of 32 bytes for each 4096, and a page at most of padding a file.
    expected = spec["tree_bytes"] * 129 // 128 + 4_000_000
    sizes: dict[str, Any] = {"expected_bytes": expected, "in_memory": False}
    return [Step("model", "builder.layers.model", parts, spec, TIMELESS_EPOCH, **sizes)]


_SYNTHETIC_BYTES = 1_996_000_000
_MODULES_TREE_BYTES = 2_500_000_000
_RUNFILE_LIBRARIES_BYTES = 150_000_000


def _about(weights: Weights, lock: Lock) -> dict[str, object]:
    """What the station may tell of its model."""
    return {
        "title": weights.title,
        "origin": lock.model.origin if lock.model and not weights.synthetic else weights.origin,
        "commit": lock.model.commit if lock.model and not weights.synthetic else "",
        "licence": weights.licence,
        "synthetic": weights.synthetic,
    }


def _file_hash(file: Path | None) -> str:
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest() if file else ""
