"""Steps that come from Debian and from the profile's own files: base, station, boot files."""

from __future__ import annotations

from typing import Any

from builder.inputs.lock import DebianPackage, Lock
from builder.inputs.store import Store
from builder.keys import ROOT, tree_hash
from builder.layers.interpreter import PACKAGES as INTERPRETER
from builder.layers.station import COMPILER
from builder.profile import Profile
from builder.steps import tools
from builder.steps.step import TIMELESS_EPOCH, Step, file_hashes, package_rows, pins

_NVIDIA, _PRINTING = ROOT / "overlay/nvidia", ROOT / "overlay/printing"
_STATION_BYTES, _BOOT_BYTES = 4_500_000, 37_000_000
_TEMPLATE_FIELDS = {
    "name",
    "title",
    "version",
    "language",
    "printing",
    "ui_port",
    "api_port",
    "engines",
    "limits",
    "alerts",
    "api",
    "admin",
    "forgetting",
}


def interpreter(lock: Lock, names: tuple[str, ...] = INTERPRETER) -> tuple[DebianPackage, ...]:
    """The image's own Python, as far as compiling byte code takes it."""
    return tuple(package for package in lock.used_by("base") if package.name in names)


def cuts_of(profile: Profile) -> dict[str, list[str]]:
    """What is left out of a Debian, by the rule's name."""
    return {name: rule.paths for name, rule in profile.base_cuts.items()}


def installed_parts(layer: str, profile: Profile, lock: Lock, *more_code: str) -> dict[str, Any]:
    """What is in the key of any layer into which the packages of `base` are installed by builder.layers.`layer`."""
    code = (layer, "debrepo", "accounts", "licences", *more_code)
    return {
        "packages": pins(lock.used_by("base")),
        "cuts": cuts_of(profile),
        "time stamp": lock.source_date_epoch,
        "compression": profile.squashfs.level,
        "code": tools.layer_code(*(f"builder/layers/{name}.py" for name in code)),
        "tools": {name: tools.tool_version(name) for name in ("mksquashfs", "mmdebstrap")},
    }


def base_step(profile: Profile, lock: Lock, store: Store) -> Step:
    packages = lock.used_by("base")
    sysusers = ROOT / "overlay/rootfs/usr/lib/sysusers.d/inkstick.conf"
    cuts = cuts_of(profile)
    common = installed_parts("base", profile, lock, "module_index", "interpreter")
    parts = {**common, "users": tree_hash(sysusers)}
    spec = {
        "packages": package_rows(packages, store),
        "cuts": cuts,
        "sysusers": str(sysusers),
        "epoch": lock.source_date_epoch,
        "level": profile.squashfs.level,
        "tree_bytes": 3 * sum(package.size for package in packages),  # installed sizes are 2.7 times the packages'
    }
    # Debian packs harder than the layer does (1.07 for the minimal image). Where much of what packages bring is cut,
    # which goes by far the same way in every profile, three quarters stay (four locks, levels 6 and 9: 0.73 to 0.77).
    thinned = any(glob.startswith("usr/") for globs in cuts.values() for glob in globs)
    expected = sum(package.size for package in packages) * (78 if thinned else 110) // 100
    return Step("base", "builder.layers.base", parts, spec, lock.source_date_epoch, expected_bytes=expected)


def seen_by_templates(profile: Profile) -> dict[str, Any]:
    """What `profile` is in the overlay's templates: these values alone are in the station layer's key."""
    return {
        **profile.model_dump(mode="json", include=_TEMPLATE_FIELDS),
        "engine_models": profile.engine_models,
        "engine_needs": profile.engine_needs,
        "tesseract_languages": profile.tesseract_languages,
        "told_forms": profile.told_forms,
        "has_driver": profile.driver is not None,
        "has_model": profile.model is not None,
    }


def station_step(profile: Profile, lock: Lock, store: Store) -> Step:
    python = interpreter(lock, COMPILER)
    seen = seen_by_templates(profile)
    overlays = [ROOT / "overlay/rootfs"]
    overlays += [folder for folder, wanted in ((_NVIDIA, profile.driver), (_PRINTING, profile.printing)) if wanted]
    code = ("station", "interpreter", "debrepo")
    parts = {
        "runtime/": file_hashes(ROOT / "runtime"),
        **{f"{overlay.relative_to(ROOT)}/": file_hashes(overlay) for overlay in overlays},
        "profile": seen,
        "interpreter": pins(python),
        "compression": profile.squashfs.level,
        "code": tools.layer_code(*(f"builder/layers/{name}.py" for name in code)),
        "tools": {"mksquashfs": tools.tool_version("mksquashfs")},
    }
    spec = {
        "overlays": [str(overlay) for overlay in overlays],
        "profile": seen,
        "interpreter": [str(store.path(package.sha256)) for package in python],
        "version": profile.python.version,
        "epoch": TIMELESS_EPOCH,
        "level": profile.squashfs.level,
    }
    return Step("station", "builder.layers.station", parts, spec, TIMELESS_EPOCH, expected_bytes=_STATION_BYTES)


def boot_step(profile: Profile, lock: Lock, store: Store, base: Step) -> Step:
    packages = lock.used_by("boot")
    modprobe = sorted((_NVIDIA / "etc/modprobe.d").iterdir()) if profile.driver else []
    encrypted = profile.model is not None and profile.model.encrypted is not None
    code = ("builder/boot", "builder/screens.py", "builder/layers/debrepo.py")
    parts = {
        "base": base.key,
        "packages": pins(packages),
        "initramfs": file_hashes(ROOT / "overlay/initramfs"),
        "messages": tree_hash(ROOT / "overlay/messages"),
        "modprobe": {file.name: tree_hash(file) for file in modprobe},
        "encrypted": encrypted,
        "code": tools.step_code(*code),
    }
    spec = {
        "packages": package_rows(packages, store),
        "initramfs": str(ROOT / "overlay/initramfs"),
        "messages": str(ROOT / "overlay/messages/stopped.yaml"),
        "modprobe": [str(file) for file in modprobe],
        "encrypted": encrypted,
        "epoch": lock.source_date_epoch,
    }
    return Step(
        "boot",
        "builder.boot.files",
        parts,
        spec,
        lock.source_date_epoch,
        needs={"base": "base"},
        is_layer=False,
        expected_bytes=_BOOT_BYTES,
    )
