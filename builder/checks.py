"""What a plan needs of this machine and of itself, checked in one go before anything runs.

Every problem is found, each with its remedy, so that nobody mends one only to be told of the next.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from builder.cache import Cache
from builder.console import size
from builder.errors import HostError
from builder.inputs.lock import Lock
from builder.iso import LARGEST_FILE_BYTES
from builder.keys import ROOT
from builder.plan import Plan
from builder.preflight import BUILD_TOOLS
from builder.profile import Profile
from builder.steps.tools import told

OLDEST = {
    "mksquashfs": (4, 4),  # the first that heeds SOURCE_DATE_EPOCH
    "mmdebstrap": (1, 0),
    "xorriso": (1, 5, 2),  # -append_partition with --interval
    "veritysetup": (2, 1),
    "mcopy": (4, 0),
    "unshare": (2, 38),  # --map-auto
}
_KERNEL = re.compile(r"^linux-(image|headers)-(\d[\w.+~-]*)-amd64$")
_FAT_LIMIT_BYTES = LARGEST_FILE_BYTES


@dataclass(frozen=True)
class Problem:
    """What stands in the way, and what to do about it."""

    what: str
    remedy: str


def check(plan: Plan, cache: Cache, dist: Path) -> None:
    """Raises HostError with every problem and remedy. Takes well under two seconds."""
    found = problems(plan, cache, dist)
    if not found:
        return
    if len(found) == 1:
        raise HostError(found[0].what, hint=found[0].remedy)
    lines = "\n".join(f"  {problem.what}\n    remedy: {problem.remedy}" for problem in found)
    raise HostError(f"{len(found)} things stand in the way:\n{lines}", hint="each of the above")


def problems(plan: Plan, cache: Cache, dist: Path) -> list[Problem]:
    """All that would stop the build of `plan` later."""
    return [
        *tools_too_old(),
        *kernels_apart(plan.lock),
        *driver_without_root(plan),
        *unreadable_files(plan.profile),
        *files_too_large(plan, dist),
        *unusable_folders(plan, cache, dist),
        *too_little_room(plan, cache, dist),
    ]


def tool_versions() -> dict[str, tuple[int, ...]]:
    """Versions of the host tools whose age matters; a tool that is not there is missing from it."""
    with ThreadPoolExecutor() as pool:
        told = dict(zip(OLDEST, pool.map(_ask, OLDEST), strict=True))
    return {name: version for name, version in told.items() if version}


def _ask(tool: str) -> tuple[int, ...]:
    number = re.search(r"(\d+(?:\.\d+)+)", told(tool))
    return tuple(int(part) for part in number[1].split(".")) if number else ()


def tools_too_old() -> Iterator[Problem]:
    for name, version in tool_versions().items():
        if version < OLDEST[name]:
            have, want = (".".join(map(str, parts)) for parts in (version, OLDEST[name]))
            package = BUILD_TOOLS[name]
            yield Problem(f"{name} {have} is too old: {want} is needed", f"Debian 12 and 13 have it: {package}")


def kernels_apart(lock: Lock) -> Iterator[Problem]:
    """Modules are built with the headers of one kernel and loaded by another: the driver would not start."""
    images, headers = (_kernels(lock, "base", "image"), _kernels(lock, "driver-build", "headers"))
    if headers and images != headers:
        yield Problem(
            f"the lock has kernel {', '.join(sorted(images)) or 'none'} and headers for {', '.join(sorted(headers))}",
            "python3 build.py lock --profile NAME: both from one state of the archive",
        )


def _kernels(lock: Lock, use: str, kind: str) -> set[str]:
    found = (_KERNEL.match(package.name) for package in lock.used_by(use))
    return {match[2] for match in found if match and match[1] == kind}


def driver_without_root(plan: Plan) -> Iterator[Problem]:
    """In a user namespace NVIDIA's own tests of the kernel's headers were seen to go wrong, minutes into the build."""
    if "modules" in plan.to_do and os.geteuid() != 0:
        yield Problem("the driver's kernel modules are not built without root's rights", "run it with sudo")


def unreadable_files(profile: Profile) -> Iterator[Problem]:
    """What the operator brings may be another's: a signing key is root's alone, as a rule."""
    driver = profile.driver
    for name, file in (("signing_key", driver.signing_key), ("runfile", driver.runfile)) if driver else ():
        if file is None or os.access(ROOT / file, os.R_OK):
            continue
        hidden = not os.access((ROOT / file).parent, os.X_OK)
        if hidden or (ROOT / file).exists():  # what is missing is told of where it is taken
            yield Problem(
                f"`driver: {{{name}: {file}}}` cannot be read by this user",
                f"as root: setfacl -m u:{os.getuid()}:r {file}, its folder must let this user in; or run with sudo",
            )


def files_too_large(plan: Plan, dist: Path) -> Iterator[Problem]:
    for step in plan.layers:
        if plan.sizes[step.name] > LARGEST_FILE_BYTES:
            yield Problem(
                f"layer {step.name} will take about {size(plan.sizes[step.name])}, and a file on the stick must stay"
                " under 4 GiB (FAT32)",
                "part it: `python: {layers: {NAME: [PROJECT, ...]}}` in the profile",
            )
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if allowed not in (resource.RLIM_INFINITY, -1) and allowed < plan.iso_bytes:
        yield Problem(f"this shell lets no file grow beyond {size(allowed)}", "ulimit -f unlimited")
    if plan.iso_bytes > _FAT_LIMIT_BYTES and file_system(dist) in ("vfat", "msdos"):
        yield Problem(
            f"{dist} is on FAT, which holds no file of {size(plan.iso_bytes)}", "put the project on ext4, XFS or Btrfs"
        )


def file_system(folder: Path) -> str:
    """The type of the file system that `folder` is, or will be, on: `ext4`."""
    there = nearest(folder).resolve()
    rows = [line.split(" ") for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = [(row[1].encode().decode("unicode_escape"), row[2]) for row in rows if len(row) > 2]
    fitting = [(point, kind) for point, kind in above if there.is_relative_to(point)]
    return max(fitting, key=lambda row: len(row[0]), default=("", ""))[1]


def unusable_folders(plan: Plan, cache: Cache, dist: Path) -> Iterator[Problem]:
    """Nothing can be written there, or what lies there cannot be run, as chroot must."""
    for folder, remedy in (
        (cache.root, "INKSTICK_CACHE=/a/folder/of/yours"),
        (cache.store, "make it readable and writable, or INKSTICK_CACHE=/a/folder/of/yours"),
        (cache.scratch, "TMPDIR=/a/folder/of/yours"),
        (dist, "a project folder of your own: git clone it"),
    ):
        there = nearest(folder)
        if folder == cache.store and plan.download_bytes == 0:
            continue  # another's store will do for reading
        if not os.access(there, os.W_OK | os.X_OK):
            yield Problem(f"{there} cannot be written by this user", remedy)
        elif folder == cache.scratch and os.statvfs(there).f_flag & os.ST_NOEXEC:
            yield Problem(f"{there} is mounted noexec: the programs of the image must run there", remedy)


def too_little_room(plan: Plan, cache: Cache, dist: Path) -> Iterator[Problem]:
    """Store, results, scratch and dist may lie on four disks, or any of them together."""
    wanted = {
        cache.store: plan.disk.store,
        cache.layers: plan.disk.results,
        cache.scratch: plan.disk.scratch,
        dist: plan.disk.dist,
    }
    disks: dict[int, list[tuple[Path, int]]] = {}
    for folder, bytes_ in wanted.items():
        disks.setdefault(device(nearest(folder)), []).append((folder, bytes_))
    for rows in disks.values():
        # Together they are never all at their worst: trees are gone when the ISO is written.
        needed = min(sum(bytes_ for _, bytes_ in rows), plan.disk.total)
        free = free_bytes(nearest(rows[0][0]))
        if free < needed:
            places = ", ".join(f"{folder} {size(bytes_)}" for folder, bytes_ in rows if bytes_)
            yield Problem(
                f"not enough room: {size(needed)} wanted at peak, {size(free)} free on the disk of {places}",
                "python3 build.py clean --keep 1 frees old layers; INKSTICK_CACHE and TMPDIR move cache and scratch"
                " to another disk",
            )


def device(folder: Path) -> int:
    """The number of the disk that a folder is on."""
    return folder.stat().st_dev


def free_bytes(folder: Path) -> int:
    """What this user may still write there."""
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
