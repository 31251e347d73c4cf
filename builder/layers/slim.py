"""The ground layer of the container image: as much of Debian as the reading service needs, no kernel and no display.

Runs as a step: `python -m builder.layers.slim SPEC`. The repository holds the whole lock; apt takes from it what
the chosen packages depend on.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from builder.image import write_layer
from builder.layers.accounts import drop_setuid, lock_accounts
from builder.layers.debrepo import bootstrap, write_repository
from builder.layers.licences import debian_licences
from builder.layers.tree import clamp_times, cut, in_memory


def main(spec: dict[str, Any]) -> None:
    """Spec: packages (all of the lock's base), chosen (names), cuts, user (name, uid), epoch, level, work, out,
    tree_bytes.
    """
    work, out = Path(spec["work"]), Path(spec["out"])
    chosen = [row for row in spec["packages"] if row["name"] in spec["chosen"]]
    with in_memory(work / "root", spec["tree_bytes"]) as room:
        tree = room / "tree"
        bootstrap(tree, write_repository(work / "repository", spec["packages"]), chosen)
        _add_user(tree, spec["user"]["name"], spec["user"]["uid"])
        lock_accounts(tree)
        drop_setuid(tree)
        _empty(tree)
        (out / "packages.json").write_text(json.dumps(_installed(tree), indent=1))
        (out / "licences.json").write_text(json.dumps(debian_licences(tree), indent=1))
        (out / "cuts.json").write_text(json.dumps(cut(tree, spec["cuts"]), indent=1))
        subprocess.run(["chroot", tree, "ldconfig"], check=True)
        shutil.rmtree(tree / "var/cache/ldconfig", ignore_errors=True)
        clamp_times(tree, spec["epoch"])
        write_layer(tree, out, name="slim", level=spec["level"], all_root=False)


def _add_user(tree: Path, name: str, uid: int) -> None:
    """One ordinary user, whom the whole service runs as."""
    rows = {
        "passwd": f"{name}:x:{uid}:{uid}:Inkstick:/nonexistent:/usr/sbin/nologin",
        "group": f"{name}:x:{uid}:",
        "shadow": f"{name}:!*:1::::::",
        "gshadow": f"{name}:!*::",
    }
    for file, row in rows.items():
        with (tree / "etc" / file).open("a") as handle:
            handle.write(f"{row}\n")


def _empty(tree: Path) -> None:
    """What the container's host brings itself, and what names the machine that built this."""
    for name in ("etc/hostname", "etc/resolv.conf", "etc/hosts", "etc/machine-id", "var/lib/dbus/machine-id"):
        (tree / name).unlink(missing_ok=True)
    for folder in ("dev", "run", "proc", "sys", "tmp"):
        for path in (tree / folder).iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _installed(tree: Path) -> list[str]:
    """Names of the packages that apt took."""
    words = ["dpkg-query", f"--admindir={tree}/var/lib/dpkg", "--show", "--showformat=${Package}\\n"]
    return sorted(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
