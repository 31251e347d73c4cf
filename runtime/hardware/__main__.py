"""`python3 -m runtime.hardware look` and `... next ENGINE`: the unit that decides what this machine runs.

`look` loads the driver, judges, and leaves in the report's folder

    report.json     for the gateway: runtime/gateway/hardware.py
    held/ENGINE     for systemd: an engine whose file is there is not started; the text says why
    environment     for the engines: which card

`switch FILE` gives the card to the waiting engine whose name the gateway left in FILE.
`next ENGINE` is called when an engine that needs the card has failed for good: the next one that waits for
it is started. If this program itself fails nothing is held, and systemd starts every engine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from runtime.hardware.facts import Facts, gather
from runtime.hardware.ladder import Needs, Part, Trouble, Verdict, best, judge

FOLDER = Path("/run/inkstick/hardware")
_MODEL = Path("/usr/lib/inkstick/model")
_LONGEST_NAME = 64


def ladder_of(config: Mapping[str, Any]) -> list[Needs]:
    """The engines of a station's configuration, in its order, with what each needs."""
    return [Needs(name=engine["name"], **(engine.get("needs") or {})) for engine in config["engines"]]


def look(config: Mapping[str, Any], folder: Path, root: Path = Path("/")) -> Verdict:
    """Judge this machine and write `folder`. Raises OSError if it cannot be written."""
    facts = gather(root, _MODEL)
    verdict = judge(facts, ladder_of(config))
    held = folder / "held"
    held.mkdir(parents=True, exist_ok=True)
    for name, part in verdict.parts.items():
        codes = " ".join(trouble.code for trouble in verdict.troubles if name in trouble.engines)
        if part != "start":
            (held / name).write_text(f"{part} {codes}".strip() + "\n")
    if facts.gpus:
        (folder / "environment").write_text(f"CUDA_VISIBLE_DEVICES={best(facts.gpus).uuid}\n")
    _write(folder / "report.json", verdict.as_json(_told(facts)))
    return verdict


def after_failure(folder: Path, engine: str) -> str | None:
    """Say that `engine` failed, let go of the next one that waited for the card, and return its name."""
    report = json.loads((folder / "report.json").read_text())
    parts: dict[str, Part] = report["parts"]
    if parts.get(engine) != "start":
        return None
    parts[engine] = "refused"
    trouble = Trouble("ENGINE-GAVE-UP", engine, (engine,))
    following = next((name for name, part in parts.items() if part == "standby"), None)
    if following is not None:
        parts[following] = "start"
        (folder / "held" / following).unlink(missing_ok=True)
    (folder / "held" / engine).write_text("refused ENGINE-GAVE-UP\n")
    _write(folder / "report.json", {**report, "troubles": [*report["troubles"], asdict(trouble)]})
    return following


def switch(config: Mapping[str, Any], folder: Path, wish: Path) -> tuple[str, str] | None:
    """Let the engine that `wish` names have the card, and the one that has it wait; both names, the old one
    first. None for a wish that cannot be met. The file is gone afterwards: it would be found again."""
    try:
        descriptor = os.open(wish, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        wish.unlink(missing_ok=True)
        return None
    with os.fdopen(descriptor, "rb") as file:
        wanted = file.read(_LONGEST_NAME).decode("ascii", "replace").strip()
    wish.unlink(missing_ok=True)
    report = json.loads((folder / "report.json").read_text())
    parts: dict[str, Part] = report["parts"]
    on_card = [needs.name for needs in ladder_of(config) if needs.card]
    has_it = next((name for name in on_card if parts.get(name) == "start"), None)
    if wanted not in on_card or parts.get(wanted) != "standby" or has_it is None:
        return None
    parts[has_it], parts[wanted] = "standby", "start"
    (folder / "held" / has_it).write_text("standby\n")
    (folder / "held" / wanted).unlink(missing_ok=True)
    _write(folder / "report.json", report)
    return has_it, wanted


def _told(facts: Facts) -> dict[str, Any]:
    """Facts as JSON takes them; the list of supported devices is long and the same everywhere."""
    told = asdict(replace(facts, supported=frozenset()))
    del told["supported"]
    return told


def _write(file: Path, content: Mapping[str, Any]) -> None:
    """At once or not at all: the gateway may read at any moment."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1))
    os.replace(fresh, file)


def main() -> int:
    parser = argparse.ArgumentParser(prog="runtime.hardware", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/inkstick/station.json"))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("look")
    commands.add_parser("next").add_argument("engine")
    commands.add_parser("switch").add_argument("wish", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "look":
        verdict = look(json.loads(arguments.config.read_text()), arguments.folder)
        for trouble in verdict.troubles:
            print(f"{trouble.code} {trouble.detail}: without {', '.join(trouble.engines)}", file=sys.stderr)
        return 0
    if arguments.command == "switch":
        switched = switch(json.loads(arguments.config.read_text()), arguments.folder, arguments.wish)
        if switched is not None:
            _hand_over(*switched)
        return 0
    following = after_failure(arguments.folder, arguments.engine)
    # Before the next one takes the card, the failed one must have let go of it.
    _hand_over(arguments.engine, following)
    return 0


def _hand_over(engine: str, following: str | None) -> None:
    subprocess.run(["systemctl", "stop", f"inkstick-engine@{engine}.service"], check=False)
    if following is not None:
        subprocess.run(["systemctl", "--no-block", "start", f"inkstick-engine@{following}.service"], check=False)


if __name__ == "__main__":
    sys.exit(main())
