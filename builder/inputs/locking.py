"""Make a lock, and renew the part of one that has aged."""

from __future__ import annotations

import os
import time
from pathlib import Path

from builder.cache import Cache
from builder.console import say, step
from builder.errors import LockError
from builder.inputs import debian, wheels
from builder.inputs.fetch import Gone, fetch
from builder.inputs.lock import DebianPackage, Lock, lock_path, moved, read_lock, what_is_asked, write_lock
from builder.inputs.mirrors import debian_mirrors
from builder.inputs.store import Store
from builder.profile.model import Profile

_RENEWALS = 3


def make_lock(profile: Profile, cache: Cache, *, old: Lock | None, parts: set[str]) -> Lock:
    """Resolve the named `parts` ("debian", "wheels") anew; the rest is taken from `old`."""
    work = cache.work / "lock"
    log = cache.logs / f"lock-{profile.name}.log"
    log.unlink(missing_ok=True)
    packages = list(old.packages) if old else []
    pinned = list(old.wheels) if old else []
    left_out = list(old.left_out) if old else []
    if "debian" in parts or not old:
        with step("lock: Debian packages"):
            mirrors = debian_mirrors(profile)
            packages = debian.resolve(profile, mirrors, work / "apt", log)
    if "wheels" in parts or not old:
        with step("lock: wheels"):
            pinned, left_out = wheels.resolve(profile.python, work / "wheels", log, mirror=profile.mirrors.wheels)
    # The time stamp is that of Debian's files alone: another wheel must not make a new base layer.
    unchanged = old is not None and old.packages == tuple(packages)
    epoch = old.source_date_epoch if old and unchanged else _now()
    return Lock(
        asked=what_is_asked(profile),
        source_date_epoch=epoch,
        packages=tuple(packages),
        wheels=tuple(pinned),
        left_out=tuple(left_out),
        model=old.model if old else None,
        runfile=old.runfile if old else None,
    )


def _now() -> int:
    """Seconds since the epoch; $SOURCE_DATE_EPOCH where it is set. Raises LockError where that is no number."""
    chosen = os.environ.get("SOURCE_DATE_EPOCH")
    if chosen is None:
        return int(time.time())
    if not chosen.isdigit():
        raise LockError(f"SOURCE_DATE_EPOCH is '{chosen}'", hint="it is a number of seconds since 1970, or not set")
    return int(chosen)


def relock(profile: Profile, cache: Cache, *, parts: set[str]) -> Lock:
    """Resolve anew, say what moved, and write the lock beside the profile."""
    file = lock_path(profile)
    old = read_lock(file)
    new = make_lock(profile, cache, old=old, parts=parts)
    _say_moved(old, new, file)
    write_lock(new, file)
    return new


def usable_lock(profile: Profile, cache: Cache, *, locked: bool) -> Lock:
    """The profile's lock, made or renewed if it does not answer what the profile asks for.

    With `locked` that is a LockError instead: a lock is then taken as it is or not at all.
    """
    file = lock_path(profile)
    lock = read_lock(file)
    if lock is not None and lock.asked == what_is_asked(profile):
        return lock
    reason = "there is no lock" if lock is None else "the profile asks for other packages than its lock holds"
    if locked:
        raise LockError(f"{file.name}: {reason}", hint=f"run: python3 build.py lock --profile {profile.name}")
    say(f"{file.name}: {reason}; locking")
    return relock(profile, cache, parts={"debian", "wheels"})


def fetch_all(profile: Profile, cache: Cache, lock: Lock, *, locked: bool) -> Lock:
    """Fill the store. What the mirror has dropped is resolved anew, unless `locked` forbids it.

    Returns the lock that the store now satisfies. Debian's archive keeps only the newest version
    of a package, so that a committed lock ages within weeks; wheels stay.
    """
    store = Store(cache.store)
    for _ in range(_RENEWALS):
        try:
            fetch(store, lock.inputs, lambda: debian_mirrors(profile), index=profile.mirrors.wheels)
        except Gone as gone:
            labels = ", ".join(sorted(item.label for item in gone.items))
            if locked:
                raise LockError(
                    f"the mirror no longer has: {labels}",
                    hint="build without --locked to renew that part of the lock, or import a store that has them",
                ) from None
            say(f"the mirror no longer has: {labels}; renewing that part of the lock")
            parts = {"debian" if isinstance(item, DebianPackage) else "wheels" for item in gone.items}
            lock = relock(profile, cache, parts=parts)
        else:
            return lock
    raise LockError(
        "the mirror lists packages that it does not have",
        hint="it is probably being updated: try again in an hour, or use another mirror",
    )


def _say_moved(old: Lock | None, new: Lock, file: Path) -> None:
    changes = moved(old, new)
    if old is None:
        say(f"{file.name}: {len(new.packages)} packages and {len(new.wheels)} wheels locked")
        return
    if not changes:
        say(f"{file.name}: nothing moved")
        return
    say(f"{file.name}: {len(changes)} moved")
    for line in changes:
        say(f"  {line}")
