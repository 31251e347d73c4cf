"""Scanners behind ipp-usb: each answers eSCL on a loopback port of its own, from 60000 upwards.

ipp-usb would tell of them by DNS-SD. There is no such service on the station: the ports are asked.
"""

from __future__ import annotations

import http.client
import logging
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.sax.saxutils import unescape

log = logging.getLogger(__name__)

PORTS = range(60000, 60016)
"""ipp-usb's http-min-port, and more devices than a desk has sockets for."""
_TIMEOUT_S = 3.0
_MOST_BYTES = 1 << 20


def found(ports: Iterable[int] = PORTS) -> dict[str, str]:
    """Name to URL of every eSCL scanner; a second one of a name gets a number."""
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(_model_at, ports))
    devices: dict[str, str] = {}
    for port, name in zip(ports, names, strict=True):
        if name is None:
            continue
        unused, number = name, 1
        while unused in devices:
            number += 1
            unused = f"{name} {number}"
        devices[unused] = f"http://127.0.0.1:{port}/eSCL"
    return devices


def write_settings(folder: Path, devices: dict[str, str]) -> None:
    """sane-airscan's settings: these devices, and no search for others."""
    lines = [f'"{name}" = {url}, eSCL' for name, url in devices.items()]
    text = "\n".join(["[options]", "discovery = disable", "[devices]", *lines, ""])
    (folder / "airscan.conf").write_text(text, encoding="utf-8")


def _model_at(port: int) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/eSCL/ScannerCapabilities")
        answer = connection.getresponse()
        text = answer.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if answer.status != 200 or "ScannerCapabilities" not in text:
        return None
    model = re.search(r"<(?:\w+:)?MakeAndModel>([^<]*)<", text)
    name = unescape(model[1]).strip() if model else ""
    return re.sub(r'["\\\x00-\x1f]', " ", name)[:80].strip() or "eSCL"
