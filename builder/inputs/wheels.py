"""Resolve wheels with uv, for the image's Python and C library, whatever runs on this machine."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from builder.errors import LockError
from builder.inputs.lock import LeftOutWheel, Wheel
from builder.inputs.mirrors import wheel_index
from builder.profile.load import PROFILES
from builder.profile.model import Python
from builder.run import run

_GLIBC_MINOR = 41
"""trixie has glibc 2.41: any manylinux_2_N wheel with N up to this one runs."""


def resolve(
    python: Python, folder: Path, log: Path, *, mirror: str | None = None
) -> tuple[list[Wheel], list[LeftOutWheel]]:
    """Exact wheels for every folder of `python`, and what its rules leave out. `mirror`: the profile's index.

    Raises LockError where only an sdist exists.
    """
    root, index = PROFILES.parent, wheel_index(mirror)
    folder.mkdir(parents=True, exist_ok=True)
    dropped = [name for rule in python.left_out.values() for name in rule.projects]
    shared = _compile(python, root / python.requirements, folder / "pylock.shared.toml", log, dropped, index)
    wheels = list(shared)
    have = {wheel.sha256 for wheel in shared}
    for site, requirements in python.own_sites.items():
        found = _compile(python, root / requirements, folder / f"pylock.{site}.toml", log, dropped, index)
        # What the shared folder holds in the same version already is found there.
        wheels += [wheel.model_copy(update={"site": site}) for wheel in found if wheel.sha256 not in have]
    left_out: list[LeftOutWheel] = []
    if dropped:
        whole = _compile(python, root / python.requirements, folder / "pylock.whole.toml", log, [], index)
        left_out = _left_out(python, shared, whole)
    return sorted(wheels, key=lambda wheel: (wheel.site, wheel.project)), left_out


def _compile(
    python: Python, requirements: Path, pylock: Path, log: Path, dropped: list[str], index: str
) -> list[Wheel]:
    """uv's resolution of `requirements`, as if nothing asked for the `dropped` projects."""
    argv: list[str | Path] = [
        *(sys.executable, "-m", "uv", "pip", "compile", requirements),
        *("--format", "pylock.toml", "-o", pylock, "--quiet", "--no-build", "--no-config"),
        # Without this uv first tries to download the image's version of Python, which a resolution does not need.
        "--no-python-downloads",
        *("--python-version", python.version, "--python-platform", "x86_64-manylinux_2_40"),
        *("--default-index", index),
    ]
    if python.overrides:
        argv += ["--override", PROFILES.parent / python.overrides]
    if dropped:
        never = pylock.with_suffix(".left-out")
        never.write_text("".join(f'{name}; python_version < "0"\n' for name in dropped))
        argv += ["--override", never]
    # A file of an earlier run would make uv keep to its versions.
    pylock.unlink(missing_ok=True)
    run(argv, log=log, hint="check the network, the wheel index and the requirements file")
    rank = {tag: position for position, tag in enumerate(_tags(python.version))}
    packages = tomllib.loads(pylock.read_text())["packages"]
    return sorted((_choose(package, rank) for package in packages), key=lambda wheel: wheel.project)


def _left_out(python: Python, taken: list[Wheel], whole: list[Wheel]) -> list[LeftOutWheel]:
    """What `whole` has and `taken` has not: by rule, or as what only left-out projects asked for."""
    rules = {project: name for name, rule in python.left_out.items() for project in rule.projects}
    have = {wheel.project for wheel in taken}
    return [
        LeftOutWheel(
            rule=rules.get(wheel.project, "asked for by these alone"),
            project=wheel.project,
            version=wheel.version,
            size=wheel.size,
        )
        for wheel in whole
        if wheel.project not in have
    ]


def _tags(version: str) -> list[Tag]:
    major, minor = (int(part) for part in version.split("."))
    platforms = [f"manylinux_2_{n}_x86_64" for n in range(_GLIBC_MINOR, 4, -1)]
    legacy = ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]
    platforms += legacy
    specific = cpython_tags((major, minor), platforms=platforms)
    return [*specific, *compatible_tags((major, minor), f"cp{major}{minor}", platforms)]


def _choose(package: dict[str, object], rank: dict[Tag, int]) -> Wheel:
    """The best wheel by the interpreter's own order of preference (PEP 425)."""
    best: tuple[int, Wheel] | None = None
    rows = package.get("wheels", [])
    assert isinstance(rows, list)
    for row in rows:
        file_name = str(row.get("name") or row["url"].rsplit("/", 1)[-1])
        project, version, _, tags = parse_wheel_filename(file_name)
        position = min((rank[tag] for tag in tags if tag in rank), default=None)
        if position is None or (best is not None and position >= best[0]):
            continue
        wheel = Wheel(
            project=project,
            version=str(version),
            file_name=file_name,
            size=row["size"],
            sha256=row["hashes"]["sha256"],
        )
        best = (position, wheel)
    if best is None:
        raise LockError(
            f"{package['name']} {package.get('version')} has no wheel for the image's Python",
            hint="choose another version in the requirements file: the image compiles nothing",
        )
    return best[1]
