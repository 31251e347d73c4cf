"""The machine's network interfaces as this process sees them: on a station, `lo` and nothing else."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

_NET = Path("/sys/class/net")
_LOOPBACK = 772
"""ARPHRD_LOOPBACK, linux/if_arp.h."""


class Interface(BaseModel):
    """`state`: "up", "down" or, of loopback, "unknown". `sent_bytes`, `received_bytes`: since it is there."""

    name: str
    loopback: bool
    state: str
    address: str
    received_bytes: int
    sent_bytes: int


class Network(BaseModel):
    """`drivers`: whether the kernel has modules for network cards at all, None where nobody can tell.
    `air_gapped`: there is no interface but loopback."""

    interfaces: list[Interface]
    air_gapped: bool
    drivers: bool | None
    ports: list[str]


def network(ports: list[str], net: Path = _NET, modules: Path = Path("/usr/lib/modules")) -> Network:
    """`ports`: what this gateway listens on."""
    found = [_interface(folder) for folder in sorted(net.iterdir())] if net.is_dir() else []
    gapped = all(each.loopback for each in found)
    return Network(interfaces=found, air_gapped=gapped, drivers=_drivers(modules), ports=ports)


def _drivers(modules: Path) -> bool | None:
    try:
        trees = [tree / "kernel/drivers" for tree in modules.iterdir()]
    except OSError:  # there are none, or, as on a station, they are hidden from this service
        return None
    return any((tree / "net").is_dir() for tree in trees) if trees else None


def _interface(folder: Path) -> Interface:
    return Interface(
        name=folder.name,
        loopback=_text(folder / "type") == str(_LOOPBACK),
        state=_text(folder / "operstate"),
        address=_text(folder / "address"),
        received_bytes=int(_text(folder / "statistics/rx_bytes") or 0),
        sent_bytes=int(_text(folder / "statistics/tx_bytes") or 0),
    )


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
