"""The build of a container image, read aloud: lock, fetch, layers, blobs, archive."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder import contents, licences, sbom
from builder.build import DIST, run_step
from builder.cache import Cache
from builder.console import duration, say, size
from builder.errors import ProfileError
from builder.inputs.locking import fetch_all, usable_lock
from builder.inputs.operators import with_operators_inputs
from builder.inputs.store import Store, sha256_of
from builder.oci import steps
from builder.oci.blob import Blob
from builder.oci.image import Image, write_archive
from builder.oci.settings import ABOUT, CONFIG, UID, environment, station_settings
from builder.papers import CONTENTS, SBOM
from builder.plan import Plan, make_plan
from builder.profile import Profile
from builder.reasons import why
from builder.steps.debian import station_step
from builder.steps.graphics import model_steps
from builder.steps.step import TIMELESS_EPOCH, Step
from builder.steps.wheels import wheel_steps

_COMMAND = ("/usr/bin/python3", "-m", "runtime.standalone", "--config", f"/{CONFIG}")
_HEALTH = "import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/readyz', timeout=8)"


def build_oci(profile: Profile, cache: Cache, *, locked: bool = False, dist: Path = DIST) -> Path:
    """Build the profile's container image. The caller holds the cache (see `builder.cache.exclusive`)."""
    started = time.monotonic()
    if profile.model and profile.model.encrypted:
        raise ProfileError(
            f"the model of {profile.name} is encrypted, which is for sticks: a container has nobody to ask",
            hint="a profile without `encrypted:`, and a folder on the host that is encrypted itself",
        )
    licences.require(profile, cache)
    lock = fetch_all(profile, cache, usable_lock(profile, cache, locked=locked), locked=locked)
    lock = with_operators_inputs(profile, cache, lock, locked=locked)
    store = Store(cache.store)
    layers = [
        steps.slim_step(profile, lock, store),
        *wheel_steps(profile, lock, store),
        *model_steps(profile, lock, store),
        station_step(profile, lock, store),
    ]
    blobs = steps.blob_steps(layers)
    plan = _with_steps(make_plan(profile, lock, cache), [*layers, *blobs], cache)
    for name in plan.to_do:
        run_step(plan, plan.step(name), cache)
    about = _about(plan, layers, cache)
    settings = steps.settings_step(_files(profile, about))
    plan = _with_steps(plan, [*plan.steps, settings], cache)
    if not settings.is_done(cache):
        run_step(plan, settings, cache)
    target = _write(_image(plan, [*blobs, settings], about, cache), dist / f"{profile.file_stem}.oci.tar")
    say(f"{target}: {size(target.stat().st_size)}, in {duration(time.monotonic() - started)}")
    say(f"docker load -i {target.name}, or podman load; then: docker run -p 127.0.0.1:7860:7860 ...: see docs/oci.md")
    return target


def _with_steps(plan: Plan, found: list[Step], cache: Cache) -> Plan:
    to_do = [step for step in found if not step.is_done(cache)]
    reasons = {step.name: why(step, cache) for step in to_do}
    return replace(plan, steps=tuple(found), to_do=tuple(step.name for step in to_do), reasons=reasons)


def _about(plan: Plan, layers: list[Step], cache: Cache) -> dict[str, Any]:
    """What is in the image: the packages that apt took, wheels, scripts, model; each with its licence."""
    described = contents.describe(replace(plan, steps=tuple(layers)), cache)
    there = set(json.loads((layers[0].folder(cache) / "packages.json").read_text()))
    packages = [row for row in described["packages"] if row["use"] == "base" and row["name"] in there]
    made = {"profile": plan.profile.name, "version": plan.profile.version, "layers": {s.name: s.key for s in layers}}
    return {**made, **described, "packages": packages, "built_with": []}


def _files(profile: Profile, about: dict[str, Any]) -> dict[str, str]:
    name = f"{about['profile']}-oci"
    bill = sbom.document(about, name=name, id=about["layers"]["station"][:16], epoch=TIMELESS_EPOCH)
    return {
        CONFIG: json.dumps(station_settings(profile), indent=1, ensure_ascii=False) + "\n",
        f"{ABOUT}/{CONTENTS}": json.dumps(about, indent=1, sort_keys=True) + "\n",
        f"{ABOUT}/{SBOM}": bill,
    }


def _image(plan: Plan, blobs: list[Step], about: dict[str, Any], cache: Cache) -> Image:
    profile = plan.profile
    rows = []
    for step in blobs:
        folder = step.folder(cache)
        blob = Blob(**json.loads((folder / "blob.json").read_text()))
        rows.append((step.name.removeprefix("blob-"), blob, folder / "blob"))
    return Image(
        name=f"inkstick-{profile.name}",
        tag=profile.version,
        layers=rows,
        user=f"{UID}:{UID}",
        environment=environment(),
        command=_COMMAND,
        ports=(profile.ui_port, profile.api_port),
        health=("/usr/bin/python3", "-c", _HEALTH.format(port=profile.api_port)),
        labels=_labels(profile, about),
        epoch=plan.lock.source_date_epoch,
    )


def _labels(profile: Profile, about: dict[str, Any]) -> dict[str, str]:
    named = {row["licence"] for row in (*about["wheels"], *about["scripts"], *about["data"])}
    spoken = sorted(name for name in named if name and len(name) <= 40 and not name.startswith("see "))
    model = about.get("model")
    return {
        "org.opencontainers.image.title": f"Inkstick: {profile.title}",
        "org.opencontainers.image.version": profile.version,
        "org.opencontainers.image.description": "OCR service: pages on 7860, POST /ocr on 8000. Needs no network.",
        "org.opencontainers.image.licenses": " AND ".join(f"({name})" for name in spoken),
        "inkstick.licences": f"every package with its own: /{ABOUT}/{CONTENTS}, /usr/share/doc/*/copyright",
        **({"inkstick.model.licence": str(model["licence"])} if model else {}),
    }


def _write(image: Image, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".tar.partial")
    try:
        write_archive(image, partial)
        with partial.open("rb") as handle:
            os.fsync(handle.fileno())
        partial.replace(target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    target.with_name(f"{target.name}.sha256").write_text(f"{sha256_of(target)}  {target.name}\n")
    return target
