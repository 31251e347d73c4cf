"""Inputs that the operator brings: the model's weights, and NVIDIA's installer where a profile takes that."""

from __future__ import annotations

from builder.cache import Cache
from builder.console import say
from builder.errors import LockError
from builder.inputs.lock import Lock, RunFile, lock_path, write_lock
from builder.inputs.models import lock_model, restore_model
from builder.inputs.store import sha256_of
from builder.keys import ROOT
from builder.profile import Profile


def with_operators_inputs(profile: Profile, cache: Cache, lock: Lock, *, locked: bool) -> Lock:
    """The lock, with model and installer in it and at hand.

    What is not locked yet is locked now, unless `locked` forbids it (LockError). A local model folder
    is locked anew whenever it holds other files.
    """
    new = lock.model_copy(update={"model": _model(profile, cache, lock, locked=locked)})
    new = new.model_copy(update={"runfile": _runfile(profile, lock, locked=locked)})
    if new != lock:
        write_lock(new, lock_path(profile))
        say(f"{lock_path(profile).name}: the operator's inputs are locked")
    return new


def _model(profile: Profile, cache: Cache, lock: Lock, *, locked: bool) -> object:
    weights = profile.model
    if weights is None or weights.synthetic:
        return lock.model
    if lock.model is None or weights.folder is not None:
        found = lock_model(weights, cache, mirror=profile.mirrors.models)
        if locked and found != lock.model:
            raise LockError(f"{weights.origin}: its files are not the locked ones", hint="build without --locked")
        return found
    restore_model(weights, lock.model, cache, mirror=profile.mirrors.models)
    return lock.model


def _runfile(profile: Profile, lock: Lock, *, locked: bool) -> RunFile | None:
    driver = profile.driver
    if driver is None or driver.runfile is None:
        return lock.runfile
    file = ROOT / driver.runfile
    if not file.is_file():
        raise LockError(
            f"there is no {driver.runfile}: this profile takes NVIDIA's own installer",
            hint=f"download the Linux x86_64 driver {driver.version} from NVIDIA, and put it at {file}",
        )
    assert driver.version is not None
    found = RunFile(version=driver.version, size=file.stat().st_size, sha256=sha256_of(file))
    wanted = driver.sha256 or (
        lock.runfile.sha256 if lock.runfile and lock.runfile.version == driver.version else None
    )
    if wanted is not None and wanted != found.sha256:
        raise LockError(
            f"{driver.runfile} is not what was pinned\n  pinned {wanted}\n  found  {found.sha256}",
            hint="download it again; if it is right, correct `driver: {sha256: ...}` in the profile",
        )
    if locked and lock.runfile is None and driver.sha256 is None:
        raise LockError(f"{driver.runfile} is not locked yet", hint="build once without --locked")
    return found
