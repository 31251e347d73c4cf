"""An ordinary user, with a range of further ids, builds the same bytes as root."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder.cache import default_cache
from builder.inputs.store import sha256_of
from tests.integration.workshop import Workshop, make_workshop

USER = "games"
"""One that every Debian has. Its range is given it in a mount namespace: /etc itself stays as it is."""


@dataclass(frozen=True)
class Bench:
    """A workshop that belongs to USER, in a folder that it can reach; root's store and environment lent to it."""

    folder: Path
    workshop: Workshop

    def build(self) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "builder", "build", "--profile", "demo", "--locked")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The builder's Python as USER, in the workshop."""
        environment, room = Path(sys.prefix), self.folder
        lent = {
            default_cache().store.resolve(): self.workshop.cache / "store",
            environment: room / "environment",
            room / "ids": Path("/etc/subuid"),
        }
        mounts = [f"mount --bind {shlex.quote(str(of))} {shlex.quote(str(at))}" for of, at in lent.items()]
        mounts += [f"mount --bind {room / 'ids'} /etc/subgid", *self._reachable(Path(sys.base_prefix))]
        become = f'exec setpriv --reuid {USER} --regid {USER} --clear-groups -- "$@"'
        python = room / "environment" / Path(sys.executable).relative_to(environment)
        enter = ("unshare", "--mount", "--", "sh", "-c", " && ".join([*mounts, become]), "sh", str(python))
        return self.workshop.run_program(*enter, *words, HOME="/nowhere", PATH="/usr/local/bin:/usr/bin:/bin")

    def _reachable(self, python: Path) -> list[str]:
        """Commands that let USER reach an interpreter below root's own folder, and nothing else there."""
        home = Path.home()
        if not python.is_relative_to(home):
            return []
        shelf = self.folder / "interpreter"
        return [
            f"mount --bind {python} {shelf}",
            f"mount -t tmpfs -o mode=0755 tmpfs {home}",
            f"mkdir -p {python}",
            f"mount --bind {shelf} {python}",
        ]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="inkstick-rootless-", dir="/var/tmp") as name:
        folder = Path(name)
        workshop = make_workshop(folder)
        (workshop.cache / "store").unlink()
        for name in ("cache/store", "cache/layers", "environment", "interpreter"):
            (folder / name).mkdir()
        (folder / "ids").write_text(f"{USER}:100000:65536\n")
        owner, group = pwd.getpwnam(USER).pw_uid, grp.getgrnam(USER).gr_gid
        folder.chmod(0o755)
        for path in (workshop.root, *workshop.root.rglob("*"), workshop.cache, *workshop.cache.iterdir()):
            os.chown(path, owner, group, follow_symlinks=False)
        yield Bench(folder, workshop)
        assert workshop.leftovers() == []


def test_boot_files_and_station_are_the_same_without_roots_rights(bench: Bench, iso: Path) -> None:
    """What the base layer is unpacked for, and what is laid over it; base and python are taken as they are."""
    for name in ("base", "python"):
        for folder in default_cache().layers.glob(f"{name}-*"):
            if (folder / "done.json").exists() and "-" not in folder.name[len(name) + 1 :]:
                shutil.copytree(folder, bench.workshop.cache / "layers" / folder.name, copy_function=link)
    done = bench.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "build boot" in done.stdout and "build station" in done.stdout and "build base" not in done.stdout
    assert sha256_of(bench.workshop.iso) == sha256_of(iso)
    assert bench.workshop.iso.stat().st_uid == pwd.getpwnam(USER).pw_uid


def link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@pytest.mark.full
def test_a_whole_build_is_the_same_without_roots_rights(bench: Bench, iso: Path) -> None:
    done = bench.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "build base" in done.stdout
    assert sha256_of(bench.workshop.iso) == sha256_of(iso)
