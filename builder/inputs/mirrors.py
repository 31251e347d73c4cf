"""Where inputs come from: this machine's own settings, unless the profile's `mirrors:` say otherwise; the environment
comes before both.

No registry's address stands in this project: operators behind mirrors have set theirs up once,
for apt and for pip or uv, and that is what a build follows.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from builder.errors import HostError
from builder.profile.model import Profile

MIRROR, SECURITY_MIRROR = "INKSTICK_DEBIAN_MIRROR", "INKSTICK_DEBIAN_SECURITY_MIRROR"
_SOURCES = Path("/etc/apt")


@dataclass(frozen=True)
class DebianMirrors:
    """Base addresses, without a trailing slash. `security` is None where the host has none."""

    debian: str
    security: str | None

    def base(self, archive: str) -> str:
        """The address of an archive named in a lock."""
        if archive == "debian":
            return self.debian
        if self.security is None:
            raise HostError(
                "the lock names packages of the security archive, and this machine's apt sources have none",
                hint="set `mirrors: {debian_security: ADDRESS}` in the profile",
            )
        return self.security


def debian_mirrors(profile: Profile, sources: Path = _SOURCES) -> DebianMirrors:
    """Those of the environment, else the profile's, else the host's. Raises HostError where none names one."""
    uris = _host_uris(sources)
    asked, asked_security = os.environ.get(MIRROR), os.environ.get(SECURITY_MIRROR)
    main = asked or profile.mirrors.debian or next((uri for uri in uris if _is_main(uri)), None)
    security = asked_security or profile.mirrors.debian_security
    security = security or next((uri for uri in uris if _is_security(uri)), None)
    if main is None:
        raise HostError(
            "no Debian mirror: this machine's apt sources name none",
            hint=f"set `mirrors: {{debian: ADDRESS}}` in the profile, or {MIRROR}=ADDRESS",
        )
    return DebianMirrors(main.rstrip("/"), security.rstrip("/") if security else None)


def _is_security(uri: str) -> bool:
    return "debian-security" in uri or uri.rstrip("/").endswith("/security")


def _is_main(uri: str) -> bool:
    return re.search(r"/debian/?$", uri) is not None


def _host_uris(sources: Path) -> list[str]:
    """Every address in apt's sources, one-line and deb822 style, in file order."""
    files = [sources / "sources.list", *sorted((sources / "sources.list.d").glob("*"))]
    uris: list[str] = []
    for file in files:
        if not file.is_file():
            continue
        text = file.read_text(errors="replace")
        if file.suffix == ".sources":
            for line in re.findall(r"^URIs:\s*(.+)$", text, re.MULTILINE):
                uris.extend(line.split())
        elif file.suffix == ".list":
            uris.extend(re.findall(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)", text, re.MULTILINE))
    return uris


def wheel_index(of_profile: str | None = None) -> str:
    """The simple index that uv or pip is set up to use; else pip's own default.

    Taken in this order: UV_DEFAULT_INDEX, UV_INDEX_URL, PIP_INDEX_URL, the profile's, pip's configuration files.
    """
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name].rstrip("/")
    if of_profile:
        return of_profile.rstrip("/")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, check=False
    )
    configured = done.stdout.decode().strip()
    if done.returncode == 0 and configured:
        return configured.rstrip("/")
    from pip._internal.models.index import PyPI  # pip's default has no public name

    return str(PyPI.simple_url).rstrip("/")


_ENDPOINTS = {"huggingface": "HF_ENDPOINT", "modelscope": "MODELSCOPE_ENDPOINT"}
"""What the hubs' own clients read."""


def hub_settings(kind: str, of_profile: str | None) -> dict[str, str]:
    """Environment variables for the client of a hub (`huggingface`, `modelscope`): the profile's mirror, if there is
    one and the environment names none.
    """
    name = _ENDPOINTS[kind]
    return {name: of_profile.rstrip("/")} if of_profile and not os.environ.get(name) else {}
