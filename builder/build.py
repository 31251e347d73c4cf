"""The build, read aloud: lock, fetch, plan, layers, boot files, ISO, verification."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder import checks, eviction, history, kernels, licences, manifest, outcome, provenance
from builder.cache import Cache
from builder.cleaning import say_freed
from builder.console import Meter, duration, say, size, step
from builder.diskwatch import watched
from builder.errors import StepError, VerifyError
from builder.forecast import load_bytes
from builder.inputs.lock import Lock
from builder.inputs.locking import fetch_all, usable_lock
from builder.inputs.operators import with_operators_inputs
from builder.inputs.passphrase import check_passphrase
from builder.inputs.store import Store, sha256_of
from builder.iso import Medium, write_iso
from builder.keys import ROOT, code_hash, key_of
from builder.manifest import Manifest
from builder.namespaces import delete
from builder.papers import SBOM, Draft, describe, draft, papers
from builder.plan import Plan, make_plan
from builder.profile import Profile
from builder.sandbox import Sandbox
from builder.steps.step import Step
from builder.verify import verify

DIST = ROOT / "dist"
_TELLING_DOWNLOAD_BYTES = 20_000_000
"""Less says nothing of how fast a mirror is."""

_ISO_CODE = (
    "iso.py",
    "manifest.py",
    "boot",
    "provenance.py",
    "contents.py",
    "inputs/vendored.py",
    "inputs/derived.py",
    "papers.py",
    "sbom.py",
    "kernels.py",
)


@dataclass(frozen=True)
class Built:
    """A finished ISO. `fresh` is False where it was there already."""

    iso: Path
    fresh: bool


def build(profile: Profile, cache: Cache, *, locked: bool = False, dist: Path = DIST) -> Built:
    """Build the profile's ISO. The caller holds the cache (see `builder.cache.exclusive`)."""
    started = time.monotonic()
    licences.require(profile, cache)
    check_passphrase(profile)
    lock = usable_lock(profile, cache, locked=locked)
    planned = make_plan(profile, lock, cache)
    iso = dist / f"{profile.file_stem}.iso"
    if not _is_there(planned, iso, cache):
        checks.check(planned, cache, dist)
    outcome.foretell(planned)
    _keep_to_limit(planned, cache)
    with watched(cache.root) as peak:
        lock = _fetched(profile, planned, cache, locked=locked)
        lock = with_operators_inputs(profile, cache, lock, locked=locked)
        plan = planned if lock == planned.lock and not planned.download_bytes else make_plan(profile, lock, cache)
        drafted = _run_steps(plan, cache)
        kernels.check(plan, cache)
        fresh = finish(plan, iso, cache, drafted)
    if fresh:
        seconds = time.monotonic() - started
        say(f"{iso}: {size(iso.stat().st_size)}, verified, in {duration(seconds)}")
        actual = outcome.Outcome(planned.download_bytes, peak.bytes, iso.stat().st_size, seconds)
        outcome.tell(planned, actual, cache)
    else:
        say(f"{iso} is up to date")
    return Built(iso, fresh)


def _run_steps(plan: Plan, cache: Cache) -> Draft | None:
    """Do what is to be done; where that is the station layer too, the papers are drafted beside it."""
    drafting: Future[Draft] | None = None
    with ThreadPoolExecutor(1) as beside:
        for name in plan.to_do:
            if name == "station":
                drafting = beside.submit(draft, plan, cache)
            run_step(plan, plan.step(name), cache)
    return drafting.result() if drafting else None


def _fetched(profile: Profile, planned: Plan, cache: Cache, *, locked: bool) -> Lock:
    started = time.monotonic()
    lock = fetch_all(profile, cache, planned.lock, locked=locked)
    if planned.download_bytes > _TELLING_DOWNLOAD_BYTES:
        history.remember(cache, "fetch", time.monotonic() - started, planned.download_bytes)
    return lock


def _keep_to_limit(plan: Plan, cache: Cache) -> None:
    """Make room in the cache for what this build adds, by what no build has used for longest."""
    hashes = [item.sha256 for item in plan.lock.inputs]
    hashes += [file.sha256 for file in (plan.lock.model.files if plan.lock.model else ())]
    needed = eviction.needed_paths(cache, (step.folder(cache) for step in plan.steps), hashes)
    records = (step.folder(cache) / "done.json" for step in plan.steps)
    eviction.mark_used((*records, *(Store(cache.store).path(sha256) for sha256 in hashes)))
    gone = eviction.make_room(cache, needed_bytes=plan.disk.store + plan.disk.results, keep=needed)
    if gone:
        say(f"the cache's limit ({eviction.LIMIT}): deleted what no build has used for longest")
        say_freed(gone)


def finish(plan: Plan, iso: Path, cache: Cache, drafted: Draft | None = None) -> bool:
    """Write and verify the ISO, unless it is there already: then False. `drafted`: its papers, where begun."""
    made = _manifest(plan, cache)
    key = _iso_key(made, plan)
    if provenance.is_current(iso, key, cache):
        return False
    drafted = drafted or draft(plan, cache)
    about = describe(made, plan, cache, drafted)
    medium = _medium(plan, made, cache, papers(about, drafted))
    sha256 = _write(medium, iso, key, plan, cache)
    provenance.write_beside(iso, sha256, made, plan, cache, about=about, bill=medium.papers[SBOM])
    provenance.remember(iso, key, cache)
    return True


def _is_there(plan: Plan, iso: Path, cache: Cache) -> bool:
    """Whether a build of `plan` would do nothing at all, for which nothing need be checked."""
    return not plan.to_do and provenance.is_current(iso, _iso_key(_manifest(plan, cache), plan), cache)


def run_step(plan: Plan, job: Step, cache: Cache) -> None:
    """Run one step in its sandbox, and give its result its name when it is whole."""
    started = time.monotonic()
    work = cache.scratch / job.name
    out = cache.work / job.name / "out"
    for folder in (work, out):
        folder.mkdir(parents=True, exist_ok=True)
    log = cache.logs / f"{job.name}-{job.key[:20]}.log"
    log.unlink(missing_ok=True)
    spec: dict[str, Any] = {**job.spec, "work": str(work), "out": str(out)}
    spec.update({key: str(plan.step(name).folder(cache)) for key, name in job.needs.items()})
    say(f"{job.name}: {plan.reasons[job.name]}")
    with step(f"build {job.name}", bytes_=True) as meter:
        try:
            Sandbox(log, job.epoch).run(job.module, spec, meter)
        except StepError as error:
            error.message = f"step {job.name} failed: {error.message}"
            raise
        _commit(job, out, cache, time.monotonic() - started)
    for folder in (work, out.parent):
        delete(folder)


def _commit(job: Step, out: Path, cache: Cache, seconds: float) -> None:
    bytes_ = sum(file.stat().st_size for file in out.iterdir())
    for file in out.iterdir():
        _sync(file)
    record: dict[str, Any] = {"key": job.key, "parts": job.parts, "seconds": round(seconds, 1)}
    record |= {"bytes": bytes_, "expected": job.expected_bytes}
    (out / "done.json").write_text(json.dumps(record, sort_keys=True))
    _sync(out / "done.json")
    target = job.folder(cache)
    shutil.rmtree(target, ignore_errors=True)
    out.rename(target)
    _sync(cache.layers)
    history.remember(cache, job.name, seconds, load_bytes(job))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _manifest(plan: Plan, cache: Cache) -> Manifest:
    layers = tuple(manifest.read_image(step.name, step.folder(cache)) for step in plan.layers)
    return Manifest(plan.profile.name, plan.profile.version, layers)


def _medium(plan: Plan, made: Manifest, cache: Cache, papers: dict[str, bytes]) -> Medium:
    return Medium(
        manifest=made,
        layers={layer.file: plan.step(layer.name).folder(cache) / "image.squashfs" for layer in made.layers},
        boot=plan.step("boot").folder(cache),
        volume_id=plan.profile.volume_id,
        arguments=_kernel_arguments(plan.profile),
        epoch=plan.lock.source_date_epoch,
        papers=papers,
        certificate=plan.step("modules").folder(cache) / "certificate.der" if plan.profile.driver else None,
        password_pbkdf2=plan.profile.boot.password_pbkdf2,
    )


def _kernel_arguments(profile: Profile) -> str:
    return " ".join([*(ROOT / "overlay/kernel-command-line").read_text().split(), *profile.kernel_arguments])


def _iso_key(made: Manifest, plan: Plan) -> str:
    """Papers and certificate on the medium follow from manifest, lock and profile."""
    return key_of(
        {
            "manifest": made.text,
            "boot": plan.step("boot").key,
            "volume": plan.profile.volume_id,
            "arguments": _kernel_arguments(plan.profile),
            "lock": hashlib.sha256(plan.lock.model_dump_json().encode()).hexdigest(),
            "profile": hashlib.sha256(plan.profile.model_dump_json(exclude={"mirrors"}).encode()).hexdigest(),
            "code": code_hash(*(f"builder/{name}" for name in _ISO_CODE)),
        }
    )


def _write(medium: Medium, iso: Path, key: str, plan: Plan, cache: Cache) -> str:
    """Write, verify, and only then give the ISO its name. Returns its SHA-256."""
    iso.parent.mkdir(parents=True, exist_ok=True)
    partial = iso.with_suffix(".iso.partial")
    log = cache.logs / f"iso-{key[:20]}.log"
    log.unlink(missing_ok=True)
    room = cache.scratch / "iso"
    try:
        _timed(cache, "iso", "ISO", plan, lambda meter: write_iso(medium, partial, room, log, meter))
        with ThreadPoolExecutor(2) as beside:  # each reads or writes the whole file, and lets the others run
            synced, digest = beside.submit(_sync, partial), beside.submit(sha256_of, partial)
            _timed(cache, "verify", "verify", plan, lambda meter: _check(partial, meter))
        synced.result()
        sha256 = digest.result()
        partial.replace(iso)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
        delete(room)
    return sha256


def _timed(cache: Cache, name: str, title: str, plan: Plan, work: Any) -> None:
    started = time.monotonic()
    with step(title, bytes_=True) as meter:
        work(meter)
    history.remember(cache, name, time.monotonic() - started, plan.iso_bytes)


def _check(iso: Path, meter: Meter) -> None:
    report = verify(iso, meter)
    if not report.ok:
        failed = "\n".join(f"  {name}: {finding}" for name, held, finding in report.checks if not held)
        raise VerifyError(f"the ISO just written is not right:\n{failed}", hint="this is a bug of the builder")
