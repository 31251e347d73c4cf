"""`plan` on the terminal and as JSON: what would be done and why, what it would take, what stands in the way."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from builder import checks
from builder.cache import Cache
from builder.console import duration, out, say, size
from builder.plan import Plan


def show(made: Plan, cache: Cache, dist: Path) -> None:
    """For people."""
    say(f"profile {made.profile.name}: {made.profile.title}")
    for job in made.steps:
        verdict = f"rebuild: {made.reasons[job.name]}" if job.name in made.to_do else "reuse"
        say(f"  {job.name:<13} {job.key[:12]}  {size(made.sizes[job.name]):>10}  {verdict}")
    disk = made.disk
    say(f"  download  {size(made.download_bytes)}")
    say(f"  ISO       about {size(made.iso_bytes)}, volume {made.profile.volume_id}")
    say(f"  disk      {size(disk.total)} at peak")
    for name, bytes_, folder in (
        ("store", disk.store, cache.store),
        ("layers", disk.results, cache.layers),
        ("scratch", disk.scratch, cache.scratch),
        ("dist", disk.dist, dist),
    ):
        free = size(checks.free_bytes(checks.nearest(folder)))
        say(f"    {name:<8}{size(bytes_):>10} of {free:>10} free, {folder}")
    say(f"  time      about {duration(made.seconds)}")
    tools = (f"{name} {'.'.join(map(str, version))}" for name, version in checks.tool_versions().items())
    say(f"  tools     {', '.join(tools)}")
    for note in made.notes:
        say(f"  note: {note}")
    for problem in checks.problems(made, cache, dist):
        say(f"  in the way: {problem.what}")
        say(f"    remedy: {problem.remedy}")


def show_json(made: Plan, cache: Cache, dist: Path) -> None:
    """For programs: sizes in bytes."""
    rows = [
        {
            "name": step.name,
            "key": step.key,
            "rebuild": step.name in made.to_do,
            "why": made.reasons.get(step.name, ""),
            "bytes": made.sizes[step.name],
        }
        for step in made.steps
    ]
    told = {
        "profile": made.profile.name,
        "steps": rows,
        "download_bytes": made.download_bytes,
        "iso_bytes": made.iso_bytes,
        "peak_bytes": made.disk.total,
        "disk_bytes": asdict(made.disk),
        "seconds": round(made.seconds, 1),
        "notes": made.notes,
        "tools": {name: ".".join(map(str, version)) for name, version in checks.tool_versions().items()},
        "problems": [asdict(problem) for problem in checks.problems(made, cache, dist)],
    }
    out.print_json(json.dumps(told))
