"""Accounts of the image: nobody logs in, and nobody gains rights by running a program."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path


def lock_accounts(tree: Path) -> None:
    """No password fits, root's included; and the day of its last change is not the day of the build."""
    shadow = tree / "etc/shadow"
    shadow.write_text(re.sub(r"^([^:]*):[^:]*:\d*:", r"\1:!*:1:", shadow.read_text(), flags=re.MULTILINE))
    for backup in ("passwd-", "group-", "shadow-", "gshadow-", "subuid-", "subgid-", ".pwd.lock"):
        (tree / "etc" / backup).unlink(missing_ok=True)


def drop_setuid(tree: Path) -> None:
    """What needs root's rights on the station is a service."""
    for folder, _, files in os.walk(tree):
        for name in files:
            file = Path(folder, name)
            mode = file.lstat().st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                file.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))
