"""The steps of a container image: a slim Debian, and each layer as a blob."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from builder.inputs.lock import Lock
from builder.inputs.store import Store
from builder.oci.settings import ROOM, UID, USER
from builder.profile import Profile
from builder.steps import tools
from builder.steps.debian import cuts_of, installed_parts
from builder.steps.step import TIMELESS_EPOCH, Step, package_rows

SETTINGS = "settings"
"""The uppermost layer: what is other in a container than on a station."""

_SERVICE = ("python3", "tzdata", "netbase", "fonts-noto-cjk", "libstdc++6", "libgomp1")
_OF_THE_STATION = ("usr/lib/inkstick", "usr/share/inkstick", "etc/inkstick")
"""Of the station layer; the rest of it is units and settings of a machine."""
_TREE_BYTES = 1_000_000_000


def slim_step(profile: Profile, lock: Lock, store: Store) -> Step:
    """Debian, as far as the service needs it. Its key names the whole lock: apt chooses from that."""
    packages = lock.used_by("base")
    wanted = [*_SERVICE, *profile.tesseract_packages, *profile.debian.packages.get("toolchain", [])]
    cuts = cuts_of(profile)
    parts = {**installed_parts("slim", profile, lock), "chosen": sorted(wanted)}
    spec = {
        "packages": package_rows(packages, store),
        "chosen": sorted(wanted),
        "cuts": cuts,
        "user": {"name": USER, "uid": UID},
        "epoch": lock.source_date_epoch,
        "level": profile.squashfs.level,
        "tree_bytes": _TREE_BYTES,
    }
    return Step("slim", "builder.layers.slim", parts, spec, lock.source_date_epoch, expected_bytes=100_000_000)


def blob_steps(layers: Sequence[Step]) -> list[Step]:
    """One blob a layer. Changing one file of runtime/ packs the station's alone anew."""
    return [_blob(layer) for layer in layers]


def _blob(layer: Step) -> Step:
    only = list(_OF_THE_STATION) if layer.name == "station" else []
    parts = {"layer": layer.key, "only": only, **_how()}
    unpacked = 2 * int(layer.spec.get("tree_bytes", 0)) or _TREE_BYTES
    spec = {"only": only, "tree_bytes": unpacked, "epoch": layer.epoch}
    needs = {"layer": layer.name}
    return Step(blob_name(layer.name), "builder.oci.blob", parts, spec, layer.epoch, needs=needs, is_layer=False)


def settings_step(files: Mapping[str, str]) -> Step:
    """The uppermost layer, of `files` by path, and the one folder that the service writes to."""
    folders = {ROOM: (0o700, UID)}
    parts = {"files": dict(files), "folders": folders, **_how()}
    spec = {"files": dict(files), "folders": folders, "tree_bytes": 50_000_000, "epoch": TIMELESS_EPOCH}
    return Step(blob_name(SETTINGS), "builder.oci.blob", parts, spec, TIMELESS_EPOCH, is_layer=False)


def blob_name(layer: str) -> str:
    return f"blob-{layer}"


def _how() -> dict[str, object]:
    return {"code": tools.step_code("builder/oci/blob.py"), "tools": {"zlib": zlib.ZLIB_RUNTIME_VERSION}}
