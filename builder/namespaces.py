"""The namespaces that a step of the build runs in: as root, or as an ordinary user in a user namespace.

An ordinary user is root in a namespace of its own, whose further users are the range that /etc/subuid gives:
so files get their owners, mounts are private, and chroot works. No loop device and no device node can be
made there: what steps need of both, see builder/layers/scratch.py.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from builder.errors import HostError

_USER = ("--user", "--map-root-user", "--map-auto")
_PRIVATE = ("--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
_LEAST_IDS = 65536
_SWITCHES = {
    "user/max_user_namespaces": ("0", "user.max_user_namespaces=65536"),
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "kernel.apparmor_restrict_unprivileged_userns=0"),
}
"""Under /proc/sys: the value that forbids, and the setting that allows."""


def enter() -> list[str]:
    """The start of a command line whose program runs with private mounts, without a network, as root of its room."""
    return ["unshare", *(() if os.geteuid() == 0 else _USER), *_PRIVATE, "--"]


def require_rights() -> None:
    """Raises HostError where this user is not root and cannot be root in a namespace either: with all that
    is missing, each with its remedy, before anything is downloaded.
    """
    if os.geteuid() == 0:
        return
    lacking = missing(Path("/etc"), Path("/proc/sys"))
    if not lacking:
        tried = subprocess.run([*enter(), "true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return
        lacking = [(f"this machine refuses a user namespace: {tried.stderr.strip()}", "run it with sudo")]
    raise HostError(
        "without root's rights a build needs user namespaces:\n" + "\n".join(f"  {what}" for what, _ in lacking),
        hint="; ".join(remedy for _, remedy in lacking) + "; or run it with sudo",
    )


def missing(etc: Path, sys: Path) -> list[tuple[str, str]]:
    """What keeps this user from a user namespace with a range of users, each with its remedy."""
    user, number = _who()
    found = []
    if not (shutil.which("newuidmap") and shutil.which("newgidmap")):
        found.append(("newuidmap is not installed", "apt install uidmap"))
    for kind, flag in (("subuid", "uids"), ("subgid", "gids")):
        if _ids(etc / kind, user, number) < _LEAST_IDS:
            add = f"usermod --add-sub{flag} 100000-{100000 + _LEAST_IDS - 1} {user}"
            found.append((f"/etc/{kind} gives {user} no {_LEAST_IDS} further ids", f"as root: {add}"))
    for name, (forbidden, setting) in _SWITCHES.items():
        file = sys / name
        if file.exists() and file.read_text().strip() == forbidden:
            found.append((f"{name.replace('/', '.')} forbids it", f"as root: sysctl -w {setting}"))
    return found


def _who() -> tuple[str, int]:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name, number
    except KeyError:
        return str(number), number


def _ids(file: Path, user: str, number: int) -> int:
    """The largest range that `file` (subuid(5)) gives the user, by name or number."""
    try:
        rows = [line.split(":") for line in file.read_text().splitlines()]
    except OSError:
        return 0
    counts = [int(row[2]) for row in rows if len(row) == 3 and row[0] in (user, str(number)) and row[2].isdigit()]
    return max(counts, default=0)


def delete(folder: Path) -> None:
    """Delete a folder, where it is one: also what a step left there under other users' numbers."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and os.geteuid() != 0:
        subprocess.run(["unshare", *_USER, "--", "rm", "-rf", str(folder)], capture_output=True, check=False)


def is_users_own() -> bool:
    """Whether this process's root is root of a user namespace only: no loop devices, no device nodes."""
    first = Path("/proc/self/uid_map").read_text().split()
    return first != ["0", "0", "4294967295"]
