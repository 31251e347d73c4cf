"""What each command does, between the command line and the rooms of the builder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builder import build as pipeline
from builder import cleaning, exchange, plan_text, qemu, signing
from builder.cache import default_cache, exclusive
from builder.console import out, say, size, step
from builder.errors import HostError, ProfileError, VerifyError
from builder.inputs.fetch import missing
from builder.inputs.lock import lock_path, read_lock
from builder.inputs.locking import fetch_all, relock, usable_lock
from builder.inputs.operators import with_operators_inputs
from builder.inputs.store import Store
from builder.licences import accept
from builder.namespaces import require_rights
from builder.plan import make_plan
from builder.preflight import BOOT_TOOLS, BUILD_TOOLS, ensure_tools
from builder.profile import Profile, available, load_profile
from builder.provenance import checksum_file
from builder.serving import run_service
from builder.testing import run_tests
from builder.verify import Report
from builder.verify import verify as verify_iso


def build(
    name: str,
    *,
    yes: bool,
    locked: bool,
    model: str | None,
    licences: list[str],
    sign_key: Path | None,
    oci: bool = False,
) -> None:
    profile = _with_model(load_profile(name), model)
    if sign_key is not None:
        signing.check_key(sign_key)
    ensure_tools(BUILD_TOOLS, yes=yes)
    require_rights()
    cache = default_cache()
    accept(licences, cache)
    with exclusive(cache):
        if oci:
            from builder.oci.build import build_oci  # brings a library that takes a fifth of all imports

            made = build_oci(profile, cache, locked=locked)
        else:
            made = pipeline.build(profile, cache, locked=locked).iso
    if sign_key is not None:
        say(f"signed: {signing.sign(checksum_file(made), sign_key)}")


def _with_model(profile: Profile, choice: str | None) -> Profile:
    """The profile with its weights from elsewhere, where the command line says so."""
    if choice is None:
        return profile
    if profile.model is None:
        raise ProfileError(f"profile {profile.name} has no model", hint="--model is for profiles with a `model:`")
    return profile.model_copy(update={"model": profile.model.instead(choice)})


def plan(name: str, *, as_json: bool, model: str | None) -> None:
    profile = _with_model(load_profile(name), model)
    cache = default_cache()
    lock = read_lock(lock_path(profile))
    if lock is None:
        raise HostError(
            f"there is no lock for profile {profile.name} yet, so nothing can be planned",
            hint=f"python3 build.py lock --profile {profile.name}",
        )
    ensure_tools(BUILD_TOOLS, yes=False)
    made = make_plan(profile, lock, cache)
    (plan_text.show_json if as_json else plan_text.show)(made, cache, pipeline.DIST)


def lock(name: str, *, yes: bool) -> None:
    profile = load_profile(name)
    ensure_tools({"dpkg-deb": "dpkg"}, yes=yes)
    cache = default_cache()
    with exclusive(cache):
        relock(profile, cache, parts={"debian", "wheels"})


def fetch(name: str, *, locked: bool, export: Path | None) -> None:
    profile = load_profile(name)
    cache = default_cache()
    with exclusive(cache):
        lock = fetch_all(profile, cache, usable_lock(profile, cache, locked=locked), locked=locked)
        say(f"everything that {profile.name} needs is in {cache.store}")
        if export is not None:
            lock = with_operators_inputs(profile, cache, lock, locked=locked)
            with step(f"export to {export}", bytes_=True) as meter:
                total = exchange.export(profile, lock, cache, export, meter)
            say(f"{size(total)} for {profile.name} in {export}; there: python3 build.py fetch --import {export}")


def import_store(name: str, folder: Path) -> None:
    profile = load_profile(name)
    cache = default_cache()
    with exclusive(cache):
        with step(f"import from {folder}", bytes_=True) as meter:
            taken, listed = exchange.import_(cache, folder, meter)
        say(f"{taken} of {listed} files taken into {cache.store}")
        lock = read_lock(lock_path(profile))
        absent = missing(Store(cache.store), lock.inputs) if lock else []
    if absent:
        say(f"{len(absent)} files of {profile.name}'s lock are still missing: was it exported at this lock?")


def verify(iso: Path, *, against: Path | None, as_json: bool) -> None:
    lock = None if against is None else _read_any_lock(against)
    if as_json:
        report = verify_iso(iso, lambda done, total: None, lock)
        out.print_json(json.dumps(_report_json(report)))
    else:
        with step(f"verify {iso.name}", bytes_=True) as meter:
            report = verify_iso(iso, meter, lock)
        for check, held, finding in report.checks:
            out.print(f"  {'[green]right[/]' if held else '[bold red]WRONG[/]'}  {check}: {finding}")
    if not report.ok:
        raise VerifyError(f"{iso} is not what it should be", hint="write it anew: it was altered or cut short")
    if not as_json:
        say(f"{iso} is whole; its id is {report.id}")


def _read_any_lock(path: Path) -> dict[str, Any]:
    found = read_lock(path)
    if found is None:
        raise HostError(f"there is no lock {path}", hint="profiles/NAME.lock.json")
    return found.model_dump(mode="json")


def _report_json(report: Report) -> dict[str, object]:
    checks = [{"check": name, "ok": held, "finding": finding} for name, held, finding in report.checks]
    return {"file": str(report.iso), "ok": report.ok, "id": report.id, "checks": checks}


def boot(iso: Path, *, headless: bool, uefi: bool, stick: Path | None, memory: int, yes: bool) -> None:
    if not iso.is_file():
        raise HostError(f"there is no file {iso}", hint="python3 build.py --profile demo makes one in dist/")
    ensure_tools(BOOT_TOOLS, yes=yes)
    qemu.boot(iso, headless=headless, uefi=uefi, stick=stick, memory_mib=memory)


def serve(name: str, *, ui_port: int, api_port: int, sticks: Path | None) -> None:
    run_service(load_profile(name), default_cache(), ui_port=ui_port, api_port=api_port, sticks=sticks)


def profiles(*, as_json: bool) -> None:
    rows = [load_profile(name) for name in available()]
    if as_json:
        fields = {"name", "title", "version", "engines", "language"}
        out.print_json(json.dumps([row.model_dump(mode="json", include=fields) for row in rows]))
        return
    for row in rows:
        say(f"{row.name:<12} {row.title} (reads with {', '.join(row.engines)})")


def clean(*, everything: bool, older_than: str | None, keep: str | None) -> None:
    cleaning.clean(default_cache(), everything=everything, older_than=older_than, keep=keep)


def test(*, full: bool, only: str | None, yes: bool, second_try: bool) -> None:
    run_tests(full=full, only=only, yes=yes, second_try=second_try)
