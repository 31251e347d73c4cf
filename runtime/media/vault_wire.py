"""What the helper tells of vaults: encrypted parts of sticks, which the clerk has made.

Operations, one a connection as in `wire`: `vault-watch` answers `vault` events for as long as the
connection is open; `vault-make`, `vault-unlock`, `vault-lock`, `vault-change`, `vault-erase` answer
`progress` events and then `ok`. `vault-folder` answers `ok` and hands over an open descriptor of the vault's
folder (SCM_RIGHTS): it is mounted where the helper alone can see it, and the descriptor is the only way there.
Passphrases come in the request's line, and are never logged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from runtime.problems import ProblemKind

LABEL = "INKSTICK-VAULT"
"""Of the LUKS header and of the partition: how a vault is found again."""
LEAST_BYTES = 128 * 1024 * 1024
"""16 MB of it are the header's, and a file system wants room for its journal."""

Kind = Literal["boot", "stick"]
Stage = Literal["partition", "encrypt", "filesystem", "open"]

WRONG_PASSPHRASE = ProblemKind("vault-wrong-passphrase", 403, "This is not the passphrase", "口令不对")
TOO_SOON = ProblemKind("vault-wait", 429, "Too many wrong passphrases; wait a moment", "口令多次输错，请稍候再试")
VAULT_GONE = ProblemKind("vault-gone", 409, "The vault is not plugged in", "保险库所在的 U 盘不在")
VAULT_DAMAGED = ProblemKind("vault-damaged", 409, "The vault cannot be opened", "保险库无法打开")
VAULT_UNMADE = ProblemKind("vault-not-made", 409, "The vault could not be made", "保险库没有建成")
VAULT_BUSY = ProblemKind("vault-busy", 409, "The vault is at work", "保险库正在工作")
KINDS = (WRONG_PASSPHRASE, TOO_SOON, VAULT_GONE, VAULT_DAMAGED, VAULT_UNMADE, VAULT_BUSY)


@dataclass(frozen=True)
class FoundVault:
    """A vault that is plugged in and locked. `id` is new each time it is plugged in, `uuid` its own."""

    id: str
    uuid: str
    kind: Kind
    label: str
    size_bytes: int


@dataclass(frozen=True)
class VaultPlace:
    """Where a vault could be made. `erases`: the names of the file systems that would be lost there; a "boot"
    place is the part of the station's own stick behind its files, and loses nothing.
    """

    id: str
    kind: Kind
    label: str
    size_bytes: int
    erases: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenVault:
    """`opening` is new each time it is opened. `repaired`: its file system had to be mended."""

    uuid: str
    kind: Kind
    label: str
    opening: int
    size_bytes: int
    repaired: bool = False


@dataclass(frozen=True)
class VaultReport:
    """`gone`: the uuid of a vault that was pulled out while it was open, until one is open again."""

    vaults: tuple[FoundVault, ...] = ()
    places: tuple[VaultPlace, ...] = ()
    open: OpenVault | None = None
    gone: str | None = None


def dump(report: VaultReport) -> dict[str, Any]:
    return asdict(report)


def load(message: dict[str, Any]) -> VaultReport:
    """The reverse of `dump`, after its way through JSON."""
    return VaultReport(
        tuple(FoundVault(**each) for each in message["vaults"]),
        tuple(VaultPlace(**{**each, "erases": tuple(each["erases"])}) for each in message["places"]),
        None if message["open"] is None else OpenVault(**message["open"]),
        message["gone"],
    )
