"""What a scanner can do, read from what `scanimage --all-options` prints."""

from __future__ import annotations

import re
from dataclasses import dataclass

RESOLUTIONS = (75, 150, 200, 300, 400, 600)
"""That a person may choose from, in dots per inch, as far as the scanner has them."""
_OPTION = re.compile(r"^\s+(?:--)?-?(?P<name>[a-z][\w-]*)\s+(?P<values>[^\[\n]*?)\s*\[(?P<now>[^\]]*)\]", re.MULTILINE)
_RANGE = re.compile(r"^(-?[\d.]+)\.\.(-?[\d.]+)(?:mm|dpi|pel)?(?: \(in steps of ([\d.]+)\))?")


@dataclass(frozen=True)
class Source:
    """`name` is SANE's, "" where there is only one. A feeder takes sheets until it is empty."""

    name: str
    kind: str
    """ "flatbed", "feeder" or "duplex"."""


@dataclass(frozen=True)
class Abilities:
    """`grey`, `colour`: SANE's names for these modes, "" where there is none; sizes in millimetres."""

    sources: tuple[Source, ...]
    grey: str
    colour: str
    resolutions: tuple[int, ...]
    width_mm: float
    height_mm: float


def parse(printed: str) -> Abilities:
    """Never raises: what is not understood is left to the scanner's own defaults."""
    options = {found["name"]: found for found in _OPTION.finditer(printed)}

    def values(name: str) -> str:
        found = options.get(name)
        return "" if found is None or found["now"] == "inactive" else found["values"].strip()

    sources = tuple(Source(name, kind_of(name)) for name in _listed(values("source"))) or (Source("", "flatbed"),)
    modes = _listed(values("mode"))
    return Abilities(
        sources=sources,
        grey=next((mode for mode in modes if re.search("gr[ae]y", mode, re.IGNORECASE)), ""),
        colour=next((mode for mode in modes if re.search("colou?r", mode, re.IGNORECASE)), ""),
        resolutions=_resolutions(values("resolution")),
        width_mm=_most(values("x")),
        height_mm=_most(values("y")),
    )


def kind_of(source: str) -> str:
    """Backends call it "ADF", "ADF Duplex", "Automatic Document Feeder(left aligned)", "ADF Front", ..."""
    if re.search(r"duplex|both", source, re.IGNORECASE):
        return "duplex"
    return "feeder" if re.search(r"\badf\b|feeder|front|back", source, re.IGNORECASE) else "flatbed"


def _listed(values: str) -> list[str]:
    return [value.strip() for value in values.split("|") if value.strip()]


def _resolutions(values: str) -> tuple[int, ...]:
    within = _RANGE.match(values)
    if within:
        least, most, step = float(within[1]), float(within[2]), float(within[3] or 1)
        return tuple(dpi for dpi in RESOLUTIONS if least <= dpi <= most and (dpi - least) % step == 0)
    listed = {int(float(value)) for value in re.findall(r"\d+(?:\.\d+)?", values)}
    usual = tuple(dpi for dpi in RESOLUTIONS if dpi in listed)
    return usual or tuple(sorted(dpi for dpi in listed if 50 <= dpi <= 1200))


def _most(values: str) -> float:
    within = _RANGE.match(values)
    return float(within[2]) if within else 0.0
