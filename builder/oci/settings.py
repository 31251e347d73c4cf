"""How the service is set up in a container: the station's own settings, but for what only a station has."""

from __future__ import annotations

import json
from typing import Any

from jinja2 import Environment, StrictUndefined

from builder.keys import ROOT
from builder.profile import Profile
from builder.steps.debian import seen_by_templates

USER, UID = "inkstick", 901
"""As on the station."""
ROOM = "run/inkstick"
"""The one folder that the service writes to, /tmp apart."""
CONFIG = "etc/inkstick/station.json"
ABOUT = "usr/share/inkstick/about"

_TEMPLATE = ROOT / "overlay/rootfs/etc/inkstick/station.json.j2"
_NOT_HERE = (
    *("media_socket", "scanner_socket", "printer_socket", "painted_flag", "hardware_report", "booted_layers"),
    *("pin_file", "clock_socket", "zone_file", "switch_file"),
)


def station_settings(profile: Profile) -> dict[str, Any]:
    """What runtime/config.py reads: on every address, since who may reach them is the host's to say."""
    template = Environment(undefined=StrictUndefined).from_string(_TEMPLATE.read_text())
    config: dict[str, Any] = json.loads(template.render(profile=seen_by_templates(profile)))
    for part in (config, config["admin"]):
        part.update({name: None for name in _NOT_HERE if name in part})
    for listener in ("ui", "api"):
        config[listener]["host"] = "0.0.0.0"
    for engine in config["engines"]:
        engine["socket"] = f"/{ROOM}/{engine['name']}.sock"
    config["jobs"]["folder"] = f"/{ROOM}/jobs"
    config["auth"]["keys"] = f"/{ROOM}/keys.json"
    config["admin"]["journal"] = False
    config["milestones"] = "-"
    config["kiosk"] = False
    return config


def environment() -> dict[str, str]:
    """As the units have it, and what a container lacks: a home, and the start scripts by their names."""
    rows = (ROOT / "overlay/rootfs/etc/inkstick/environment").read_text().splitlines()
    found = dict(row.split("=", 1) for row in rows if row and not row.startswith("#"))
    path = "/usr/lib/inkstick/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    cards = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    return {**found, "HOME": "/tmp", "OMP_WAIT_POLICY": "PASSIVE", "PATH": path, **cards}
