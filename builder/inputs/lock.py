"""The lock: every input of a build, pinned by name, version, size and SHA-256.

Only paths relative to an archive or index are kept, so that any mirror can serve a lock.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from builder.errors import LockError
from builder.profile.load import PROFILES
from builder.profile.model import Profile

FORMAT = 1
SHARED_SITE = "python"
"""The folder of wheels that every engine and the service share."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DebianPackage(_Strict):
    """A .deb. `path` is relative to the root of `archive`; `use` says where it goes."""

    name: str
    version: str
    arch: str
    archive: Literal["debian", "debian-security"]
    path: str
    size: int
    sha256: str
    use: Literal["base", "boot", "driver", "driver-build", "driver-source"]

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def file_name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class Wheel(_Strict):
    """A wheel. `project` is its normalised name, under which any index lists it."""

    project: str
    version: str
    file_name: str
    size: int
    sha256: str
    site: str = SHARED_SITE

    @property
    def label(self) -> str:
        return f"{self.project} {self.version}"


class LeftOutWheel(_Strict):
    """A wheel that is not taken, by the profile's rule of that name, and the bytes it would have been."""

    rule: str
    project: str
    version: str
    size: int


class ModelFile(_Strict):
    """A file of the model's folder."""

    name: str
    size: int
    sha256: str


class LockedModel(_Strict):
    """The model's files. `commit` is the hub's own full name of what was taken, empty for a folder."""

    origin: str
    commit: str
    licence: str
    files: tuple[ModelFile, ...]


class RunFile(_Strict):
    """NVIDIA's own installer."""

    version: str
    size: int
    sha256: str


class Lock(_Strict):
    """`asked` is a hash of what was asked for; a lock whose `asked` differs is out of date.

    `source_date_epoch`: seconds; the newest time stamp that any file on the medium may have.
    `model` and `runfile` are filled in by the operator's first lock that has them at hand.
    """

    format: Literal[1] = 1
    asked: str
    source_date_epoch: int
    packages: tuple[DebianPackage, ...]
    wheels: tuple[Wheel, ...]
    left_out: tuple[LeftOutWheel, ...] = ()
    model: LockedModel | None = None
    runfile: RunFile | None = None

    @property
    def inputs(self) -> tuple[DebianPackage | Wheel, ...]:
        """What mirrors and indexes serve."""
        return (*self.packages, *self.wheels)

    @property
    def sites(self) -> tuple[str, ...]:
        """The folders of wheels, the shared one first."""
        return tuple(sorted({wheel.site for wheel in self.wheels}, key=lambda site: (site != SHARED_SITE, site)))

    def used_by(self, use: str) -> tuple[DebianPackage, ...]:
        return tuple(package for package in self.packages if package.use == use)


def lock_path(profile: Profile, folder: Path = PROFILES) -> Path:
    """The lock lies beside the profile."""
    return folder / f"{profile.lock or profile.name}.lock.json"


def what_is_asked(profile: Profile) -> str:
    """A hash over everything in the profile that decides what is locked."""
    root = PROFILES.parent
    files = [profile.python.requirements, profile.python.overrides]
    wanted: dict[str, object] = {
        "suite": profile.debian.suite,
        "packages": profile.packages,
        "boot_packages": sorted(profile.debian.boot_packages),
        "python": profile.python.version,
        "requirements": [_requirements(root / file) if file else "" for file in files],
    }
    if profile.driver:
        driver = profile.driver
        wanted["driver"] = [sorted(driver.shipped_packages), sorted(driver.build_packages), driver.source_package]
        wanted["driver version"] = driver.version
    if profile.python.own_sites:
        wanted["overlays"] = {name: _requirements(root / file) for name, file in profile.python.own_sites.items()}
    if profile.python.left_out:
        wanted["left out"] = {name: sorted(rule.projects) for name, rule in profile.python.left_out.items()}
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def _requirements(file: Path) -> str:
    """A requirements file's text, those it includes with `-r` after it."""
    text = file.read_text()
    included = re.findall(r"^-r\s+(\S+)", text, re.MULTILINE)
    return "".join([text, *(_requirements(file.parent / name) for name in included)])


def read_lock(file: Path) -> Lock | None:
    """The lock in `file`, or None where there is none. Raises LockError if it is not a lock."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return Lock.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LockError(
            f"{file} is not a lock: {where}: {first['msg']}",
            hint="take it back from version control, or make it anew: python3 build.py lock",
        ) from None


def write_lock(lock: Lock, file: Path) -> None:
    """Write `lock`, one input a line, so that a change shows as a short diff."""
    body = lock.model_dump()
    lines = [f'  "{key}": {json.dumps(body[key])}' for key in ("format", "asked", "source_date_epoch")]
    for key in ("packages", "wheels", *(["left_out"] if lock.left_out else [])):
        rows = ",\n".join(f"    {json.dumps(row)}" for row in body[key])
        lines.append(f'  "{key}": [\n{rows}\n  ]')
    lines += [f'  "{key}": {json.dumps(body[key])}' for key in ("model", "runfile") if body[key] is not None]
    partial = file.with_suffix(".partial")
    partial.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    partial.replace(file)


def moved(old: Lock | None, new: Lock) -> list[str]:
    """What changed, a line each: `chromium 150.0-1 -> 151.0-1`, `+ name 1.0`, `- name 1.0`."""
    before = {_identity(item): item.version for item in old.inputs} if old else {}
    after = {_identity(item): item.version for item in new.inputs}
    lines = []
    for key in sorted(before.keys() | after.keys()):
        name, was, now = key[1], before.get(key), after.get(key)
        if was is None:
            lines.append(f"+ {name} {now}")
        elif now is None:
            lines.append(f"- {name} {was}")
        elif was != now:
            lines.append(f"{name} {was} -> {now}")
    return lines


def _identity(item: DebianPackage | Wheel) -> tuple[str, str]:
    if isinstance(item, DebianPackage):
        return (item.use, item.name)
    return (item.site, item.project)
