"""`serve`: the station's own programs on this machine, without an image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from builder.cache import Cache
from builder.console import say
from builder.environments import SERVE, environment
from builder.errors import HostError
from builder.keys import ROOT
from builder.profile import Profile
from builder.steps.debian import seen_by_templates

_TEMPLATE = ROOT / "overlay/rootfs/etc/inkstick/station.json.j2"


def run_service(profile: Profile, cache: Cache, *, ui_port: int, api_port: int, sticks: Path | None) -> None:
    """Run gateway, engine and, with `sticks`, the media helper until Ctrl-C."""
    if sticks is not None and not sticks.is_dir():
        raise HostError(f"there is no folder {sticks}", hint="make it, with a folder in it for each stick")
    python = environment(cache, "serve", SERVE)
    with tempfile.TemporaryDirectory(prefix="inkstick-serve-") as room:
        config = Path(room) / "station.json"
        config.write_text(json.dumps(station_config(profile, Path(room), ui_port, api_port, sticks is not None)))
        say(f"pages on http://127.0.0.1:{ui_port}, REST on http://127.0.0.1:{api_port} (Ctrl-C stops)")
        argv = [str(python), "-m", "runtime.standalone", "--config", str(config)]
        if sticks is not None:
            argv += ["--sticks", str(sticks.absolute())]
        process = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            return
    if code != 0:
        raise HostError(f"the service ended with status {code}", hint="is one of the two ports in use already?")


def station_config(profile: Profile, room: Path, ui_port: int, api_port: int, sticks: bool) -> dict[str, object]:
    """The station's configuration as the image has it, with this machine's sockets and ports."""
    template = Environment(undefined=StrictUndefined).from_string(_TEMPLATE.read_text())
    config: dict[str, object] = json.loads(template.render(profile=seen_by_templates(profile)))
    config["ui"] = {"host": "127.0.0.1", "port": ui_port}
    config["api"] = {"host": "127.0.0.1", "port": api_port}
    languages = {"languages": profile.tesseract_languages} if _has_tesseract(profile) else {}
    config["engines"] = [
        {"name": name, "socket": str(room / f"{name}.sock"), **(languages if name == "rapidocr" else {})}
        for name in profile.engines
    ]
    config["media_socket"] = str(room / "media.sock") if sticks else None
    config["jobs"] = {"folder": str(room / "jobs")}
    config["auth"] = {**config["auth"], "keys": str(room / "keys.json")}  # type: ignore[dict-item]
    config["admin"] = {
        **config["admin"],  # type: ignore[dict-item]
        **{name: None for name in ("pin_file", "clock_socket", "zone_file", "switch_file")},
        "journal": False,
    }
    config["logs"] = "text"
    config["milestones"] = "-"
    config["painted_flag"] = config["hardware_report"] = config["about"] = None
    config["kiosk"] = False
    return config


def _has_tesseract(profile: Profile) -> bool:
    """Whether this machine can read the profile's languages; says what it lacks."""
    if profile.tesseract_languages is None:
        return False
    here: set[str] = set()
    if shutil.which("tesseract"):
        done = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False)
        here = set(done.stdout.split())
    if {"osd", *profile.tesseract_languages} <= here:
        return True
    say(f"Pages in other scripts are not told apart here: apt-get install {' '.join(profile.tesseract_packages)}")
    return False
