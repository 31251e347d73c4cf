"""What whoever mends a station wants to know first, short enough for a QR code: no document text, no names."""

from __future__ import annotations

import io
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import segno

from runtime.config import StationConfig
from runtime.gateway.hardware import Report

_MOST_BYTES = 660
"""What version 20 holds at level M; a telephone has trouble with finer ones on a screen."""
_DETAIL = 100
_GIGABYTE = 1e9


def summary(config: StationConfig, report: Report, alerts: Sequence[str]) -> str:
    """Lines of ASCII, `name value`: version and profile, codes, cards, driver, kernel, memory, alerts."""
    facts = report.facts
    lines = [f"INKSTICK {config.version} {config.profile}"]
    lines += [f"code {trouble.code} {trouble.detail[:_DETAIL]}".strip() for trouble in report.troubles] or ["code -"]
    lines += [f"engines {' '.join(f'{name}={part}' for name, part in report.parts.items()) or '-'}"]
    lines += [f"card {_card(facts)}", f"driver {_driver(facts)}", f"kernel {platform.release()}"]
    lines += [f"ram {_ram_bytes(facts) / _GIGABYTE:.1f}GB cpu {os.cpu_count()} {_processor()}".strip()]
    if facts.get("secure_boot") is not None:
        lines.append(f"secureboot {'on' if facts['secure_boot'] else 'off'}")
    lines.append(f"alerts {','.join(alerts) or '-'}")
    text = "\n".join(lines).encode("ascii", "replace").decode()
    return text[:_MOST_BYTES]


def qr(text: str) -> bytes:
    """The text as an SVG of plain black and white, with the quiet zone that readers want."""
    code = segno.make(text, error="m", micro=False, boost_error=False)
    out = io.BytesIO()
    code.save(out, kind="svg", border=4, dark="#1b1a17", light="#fffefb", xmldecl=False, omitsize=True)
    return out.getvalue()


def _card(facts: dict[str, Any]) -> str:
    gpus = facts.get("gpus") or ()
    if gpus:
        return "; ".join(f"{gpu['name']} {gpu['vram_bytes'] / _GIGABYTE:.1f}GB sm_{gpu['capability']}" for gpu in gpus)
    return " ".join(f"10de:{card['device']}" for card in facts.get("cards") or ()) or "-"


def _driver(facts: dict[str, Any]) -> str:
    kernel, library = facts.get("module_version") or "-", facts.get("library_version") or "-"
    return kernel if kernel == library else f"{kernel}/{library}"


def _ram_bytes(facts: dict[str, Any]) -> int:
    return int(facts.get("ram_bytes") or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found[1][:60] if found else ""
