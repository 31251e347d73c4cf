"""The papers of a stick: what is on it, for the auditor. On the medium itself and, with its origin, beside it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builder import contents
from builder.cache import Cache
from builder.inputs.lock import lock_path
from builder.inputs.store import sha256_of
from builder.keys import ROOT
from builder.manifest import Manifest, as_json
from builder.plan import Plan

FOLDER = "/inkstick/about/"
CONTENTS, SBOM = "contents.json", "sbom.cdx.json"
_PREDICATE = "https://slsa.dev/provenance/v1"
_STATEMENT = "https://in-toto.io/Statement/v1"
_BUILD_TYPE = "inkstick/build/v1"


@dataclass(frozen=True)
class Draft:
    """What can be told of a stick before its station layer is made, which is nearly all: its parts, as
    builder.contents.parts has them, and its bill of materials without an id.
    """

    parts: dict[str, Any]
    bill: str


def draft(plan: Plan, cache: Cache) -> Draft:
    """Takes half a second of a processor: time enough beside the station layer, on which nothing of it hangs."""
    from builder import sbom  # a fifth of what importing the builder takes; a build with nothing to do needs none

    parts = contents.parts(plan, cache)
    return Draft(parts, sbom.draft(parts, name=plan.profile.name, epoch=plan.lock.source_date_epoch))


def papers(about: Mapping[str, Any], drafted: Draft) -> dict[str, bytes]:
    """Files for FOLDER on the medium, by name. Nothing in them depends on when or where it was built.

    `about`: as `describe` tells.
    """
    from builder import sbom

    # What a rule saved counts logs, which are of another size every time.
    layers = [{**layer, "cuts": sorted(layer["cuts"])} for layer in about["layers"]]
    told = json.dumps({**about, "layers": layers}, indent=1, sort_keys=True) + "\n"
    return {CONTENTS: told.encode(), SBOM: sbom.with_id(drafted.bill, about["id"]).encode()}


def describe(made: Manifest, plan: Plan, cache: Cache, drafted: Draft) -> dict[str, Any]:
    """What is on the stick: layers with what each leaves out, packages, wheels, model, sizes."""
    steps = {step.name: step for step in plan.steps}
    layers = [
        {**layer, "key": steps[str(layer["name"])].key, "cuts": contents.cuts(steps[str(layer["name"])].folder(cache))}
        for layer in as_json(made)
    ]
    return {
        "id": made.id,
        "profile": made.profile,
        "version": made.version,
        "source_date_epoch": plan.lock.source_date_epoch,
        "settings": plan.profile.model_dump(mode="json", include=_SETTINGS),
        "layers": layers,
        **drafted.parts,
        "sizes": contents.sizes(plan, cache),
    }


_SETTINGS = {"title", "engines", "needs", "limits", "language", "ui_port", "api_port", "kernel_arguments", "volume_id"}


def provenance(name: str, sha256: str, made: Manifest, plan: Plan) -> dict[str, Any]:
    """An in-toto statement: which builder made the ISO `name`, from what, with which tools."""
    lock = lock_path(plan.profile)
    tools: dict[str, str] = {}
    for step in plan.steps:
        found = step.parts.get("tools")
        if isinstance(found, Mapping):
            tools.update({str(tool): str(version) for tool, version in found.items()})
    return {
        "_type": _STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": sha256}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {"profile": plan.profile.name, "version": plan.profile.version},
                "internalParameters": {"tools": dict(sorted(tools.items())), "steps": _keys(plan)},
                "resolvedDependencies": [
                    {"name": lock.name, "digest": {"sha256": sha256_of(lock)}},
                    {"name": "builder", "digest": {"gitCommit": _revision()}},
                ],
            },
            "runDetails": {"builder": {"id": "inkstick"}, "metadata": {"invocationId": made.id}},
        },
    }


def _keys(plan: Plan) -> dict[str, str]:
    return {step.name: step.key for step in plan.steps}


def _revision() -> str:
    """The builder's own commit, with "-changed" where its files are not as committed; "unknown" without git."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode != 0:
        return "unknown"
    folders = ["builder", "overlay", "runtime", "profiles", "licences", "build.py"]
    changed = subprocess.run([*git, "status", "--porcelain", "--", *folders], capture_output=True, check=False)
    return head.stdout.strip() + ("-changed" if changed.stdout else "")
