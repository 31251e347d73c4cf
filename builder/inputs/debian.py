"""Resolve Debian packages with apt itself, in a folder of its own that knows no installed package."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from builder.errors import LockError, StepError
from builder.inputs.lock import DebianPackage
from builder.inputs.mirrors import DebianMirrors
from builder.profile.graphics import Driver
from builder.profile.model import Debian, Profile
from builder.run import output, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_URI_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True)
class AptRoot:
    """A private apt: its own lists, its own sources, an empty dpkg status."""

    folder: Path

    def prepare(self, debian: Debian, mirrors: DebianMirrors) -> None:
        """Write apt's folders and sources for the suite, with updates and security."""
        for name in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        suites = [(mirrors.debian, debian.suite), (mirrors.debian, f"{debian.suite}-updates")]
        if mirrors.security:
            suites.append((mirrors.security, f"{debian.suite}-security"))
        stanzas = [
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main contrib non-free non-free-firmware\n"
            f"Signed-By: {KEYRING}\n"
            for uri, suite in suites
        ]
        (self.folder / "etc/debian.sources").write_text("\n".join(stanzas))
        # apt reads its main configuration from here and nowhere else: an operator's own apt
        # settings (proxies apart, which come through the environment) must not change a lock.
        (self.folder / "apt.conf").write_text(
            "\n".join(
                [
                    f'Dir::State "{self.folder}/state";',
                    f'Dir::State::status "{self.folder}/status";',
                    f'Dir::Cache "{self.folder}/cache";',
                    f'Dir::Etc "{self.folder}/etc";',
                    f'Dir::Etc::sourcelist "{self.folder}/etc/debian.sources";',
                    'Dir::Etc::sourceparts "-";',
                    'APT::Architecture "amd64";',
                    'APT::Architectures "amd64";',
                    'APT::Install-Recommends "false";',
                    'APT::Sandbox::User "";',
                    'Acquire::Languages "none";',
                    'Acquire::ForceHash "SHA256";',
                    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
                    'Acquire::Retries "3";',
                    "",
                ]
            )
        )

    @property
    def _env(self) -> dict[str, str]:
        return {**os.environ, "APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C.UTF-8"}

    def update(self, log: Path) -> None:
        """Fetch the package lists; apt checks their signatures against Debian's keyring."""
        run(
            ["apt-get", "--error-on=any", "update"],
            log=log,
            env=self._env,
            hint="check the network and the mirror in this machine's apt sources",
        )

    def install_uris(self, names: list[str]) -> str:
        """What `apt-get install` of the essential set and `names` would download."""
        return self._ask(["apt-get", "install", "--print-uris", "-qq", "-y", "?essential", *names])

    def download_uris(self, names: list[str]) -> str:
        """What `names` alone would download, without what they depend on."""
        return self._ask(["apt-get", "download", "--print-uris", "-qq", *names])

    def _ask(self, argv: list[str]) -> str:
        words = [f"{key}={self._env[key]}" for key in ("APT_CONFIG", "LC_ALL")]
        try:
            return output(["env", *words, *argv])
        except StepError as error:
            unknown = re.findall(r"Unable to locate package (\S+)", error.message)
            if unknown:
                raise LockError(
                    f"Debian has no package {', '.join(unknown)}", hint="correct the profile's package list"
                ) from None
            raise


def resolve(profile: Profile, mirrors: DebianMirrors, folder: Path, log: Path) -> list[DebianPackage]:
    """Exact packages for every use, sorted by use and name: base layer, boot files, driver."""
    apt = AptRoot(folder)
    apt.prepare(profile.debian, mirrors)
    apt.update(log)
    base = _parse(apt.install_uris(profile.packages), mirrors, "base")
    boot = _parse(apt.download_uris(sorted(profile.debian.boot_packages)), mirrors, "boot")
    found = [*base, *boot]
    if profile.driver:
        found += _driver(apt, profile.packages, profile.driver, base, mirrors)
    return sorted(found, key=lambda package: (package.use, package.name))


def _driver(
    apt: AptRoot, names: list[str], driver: Driver, base: list[DebianPackage], mirrors: DebianMirrors
) -> list[DebianPackage]:
    """What the driver layer adds to the base; what its modules are made with, a small system of its own."""
    build = _parse(apt.install_uris(driver.build_packages), mirrors, "driver-build")
    if driver.runfile is not None:
        return build
    there = {package.name: package.version for package in base}
    shipped = _parse(apt.install_uris([*names, *driver.shipped_packages]), mirrors, "driver")
    moved = [package.label for package in shipped if there.get(package.name, package.version) != package.version]
    gone = there.keys() - {package.name for package in shipped}
    if moved or gone:
        raise LockError(
            f"the driver's packages change the base layer: {', '.join([*moved, *sorted(gone)])}",
            hint="choose other packages in the profile's `driver:`",
        )
    source = _parse(apt.download_uris([driver.source_package]), mirrors, "driver-source")
    return [*build, *source, *(package for package in shipped if package.name not in there)]


def _parse(text: str, mirrors: DebianMirrors, use: str) -> list[DebianPackage]:
    found = []
    for match in _URI_LINE.finditer(text):
        archive, path = _relative(match["uri"], mirrors)
        name, version, arch = unquote(match["file"]).removesuffix(".deb").split("_")
        row = {"name": name, "version": version, "arch": arch, "archive": archive, "path": path, "use": use}
        found.append(DebianPackage.model_validate({**row, "size": match["size"], "sha256": match["sha256"]}))
    unread = [line for line in text.splitlines() if line.startswith("'") and not _URI_LINE.match(line)]
    if unread:
        raise LockError(f"apt printed a line that is not understood: {unread[0]}")
    return found


def _relative(uri: str, mirrors: DebianMirrors) -> tuple[str, str]:
    for archive, base in (("debian-security", mirrors.security), ("debian", mirrors.debian)):
        if base and uri.startswith(f"{base}/"):
            return archive, uri.removeprefix(f"{base}/")
    raise LockError(f"apt wants {uri}, which lies under none of the mirrors")
