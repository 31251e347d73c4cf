"""`show` and `diff` on the terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from textwrap import fill, shorten
from typing import Any

from builder.bytediff import differences
from builder.console import out, say, size
from builder.errors import InkstickError
from builder.inspection import Change, compare, largest, licence_counts, read_contents

_LICENCES = 12
_DIFFERENCES = 60
_NO_BREAK = "\x00"


def show(iso: Path, *, as_json: bool) -> None:
    """Raises VerifyError if `iso` is none of ours."""
    about = read_contents(iso)
    if as_json:
        out.print_json(json.dumps(about))
        return
    say(f"{iso.name}: profile {about['profile']} {about['version']}, id {about['id']}, {size(iso.stat().st_size)}")
    say(f"  {about['settings']['title']}; engines: {', '.join(about['settings']['engines'])}")
    for layer in about["layers"]:
        say(f"  layer {layer['name']:<13} {size(layer['size']):>10}  {layer['root_hash'][:16]}")
        rows = [f"{name} {size(count)}" for name, count in largest(about, layer["name"])]
        if rows:
            say(_wrapped("most", rows))
        if layer["cuts"]:
            say(_wrapped("left out", layer["cuts"]))
    _show_model(about)
    packages, wheels = about["packages"], about["wheels"]
    say(
        f"  {len(packages)} Debian packages, {len(wheels)} wheels, {len(about.get('scripts', ()))} npm packages; "
        "all with hashes: --json"
    )
    counted = licence_counts(about)
    for name, count in counted[:_LICENCES]:
        say(f"      {count:>4}  {shorten(name, 66)}")
    if len(counted) > _LICENCES:
        say(f"            and {len(counted) - _LICENCES} more licences")


def _wrapped(label: str, rows: list[str]) -> str:
    """Rows after a label, on lines of a terminal; no row is broken in two."""
    whole = [row.replace(" ", _NO_BREAK) for row in rows]
    text = fill(
        f"{label}: {', '.join(whole)}",
        80,
        initial_indent="      ",
        subsequent_indent="        ",
        break_on_hyphens=False,
    )
    return text.replace(_NO_BREAK, " ")


def _show_model(about: dict[str, Any]) -> None:
    model = about.get("model")
    if not model:
        return
    mark = ", RANDOM WEIGHTS" if model["synthetic"] else ""
    commit = f" at {model['commit']}" if model["commit"] else ""
    say(f"  model {model['title']}{mark} from {model['origin']}{commit}; licence {model['licence']}")


def diff(before: Path, after: Path, *, as_json: bool) -> None:
    """Raises VerifyError if one of the two is none of ours."""
    changes = compare(read_contents(before), read_contents(after))
    if as_json:
        out.print_json(json.dumps({kind: asdict(change) for kind, change in changes.items()}))
        return
    if not any(changes.values()):
        say("the same packages, wheels, weights, settings and layers")
        return
    for kind, change in changes.items():
        if change:
            say(f"{kind}:")
            _show_change(change)


def _show_change(change: Change) -> None:
    for name, value in change.removed.items():
        say(f"  - {name} {value}")
    for name, value in change.added.items():
        say(f"  + {name} {value}")
    for name, (old, new) in change.moved.items():
        say(f"    {name} {old} -> {new}")


def diff_bytes(before: Path, after: Path, *, as_json: bool) -> None:
    """Raises VerifyError if one of the two is none of ours, InkstickError (exit 1) if they differ."""
    found = differences(before, after)
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in found]))
    elif not found:
        say("the same bytes")
    for one in [] if as_json else found[:_DIFFERENCES]:
        at = "" if one.offset is None else f", first at byte {one.offset}"
        say(f"  {one.place}: {one.file}{f': {one.what}' if one.what else ''}{at}")
    if len(found) > _DIFFERENCES and not as_json:
        say(f"  and {len(found) - _DIFFERENCES} more: --json lists all")
    if found:
        raise InkstickError(f"{before.name} and {after.name} differ in {len(found)} places")
