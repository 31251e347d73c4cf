"""The protocol between the page's server and the stick helper.

One connection does one thing. The caller sends one JSON line, `{"op": ...}`; for `save`, the bytes
of every part follow it in order. The helper answers with JSON lines, `{"event": ...}`; after
`data`, `size` raw bytes follow. `names` tells what documents would be
called if they were saved now. `watch` answers for as long as the connection is open.

Standard library only: the helper starts while the station boots, and every import costs time there.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

LINE_BYTES = 4 * 1024 * 1024
PART_BYTES = 2 * 1024**3
"""A batch as one PDF with its pictures; FAT32 takes files below 4 GiB."""
CHUNK_BYTES = 1024 * 1024
SAVE_FOLDER = "Inkstick"

StickState = Literal["ready", "saving", "ejected", "unreadable"]
SaveStage = Literal["write", "flush", "check"]


class WireError(Exception):
    """The other side broke the protocol; the connection is of no more use."""


@dataclass(frozen=True)
class Stick:
    """A file system on a stick. `id` is new each time it is plugged in; `uuid` stays the same.

    `free_bytes` is None where it is not known. `ejected`: unmounted, safe to pull out.
    """

    id: str
    label: str
    uuid: str
    filesystem: str
    size_bytes: int
    free_bytes: int | None
    writable: bool
    state: StickState


@dataclass(frozen=True)
class Snapshot:
    """What is plugged in now, and whether this helper may switch the machine off."""

    sticks: tuple[Stick, ...]
    can_power_off: bool


@dataclass(frozen=True)
class FileEntry:
    """`path` is relative to the stick, with "/"; bytes that are not UTF-8 are surrogates in it."""

    path: str
    size_bytes: int


@dataclass(frozen=True)
class Listing:
    """`truncated`: there are more images on the stick than are listed."""

    files: tuple[FileEntry, ...]
    truncated: bool


@dataclass(frozen=True)
class Part:
    """One file of a document: `stem` + `suffix` is its wished name."""

    suffix: str
    size_bytes: int


@dataclass(frozen=True)
class Document:
    """Files that belong together and get the same stem, numbered together if it is taken."""

    stem: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class SaveProgress:
    stage: SaveStage
    done: int
    total: int


@dataclass(frozen=True)
class Saved:
    """The names that the documents got, in `folder`, in the order they were sent."""

    folder: str
    names: tuple[str, ...]


def line(kind: str, name: str, message: object | None = None) -> bytes:
    """One message: `kind` is "op" or "event", `message` a dataclass or mapping of its fields."""
    fields: dict[str, Any]
    if message is None:
        fields = {}
    elif isinstance(message, dict):
        fields = message
    else:
        fields = dataclasses.asdict(message)  # type: ignore[call-overload]
    return json.dumps({kind: name, **fields}).encode() + b"\n"


def parse(data: bytes, kind: str) -> tuple[str, dict[str, Any]]:
    """The name and fields of a message. Raises WireError."""
    try:
        message = json.loads(data)
        name = message.pop(kind)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise WireError("not a message") from error
    if not isinstance(name, str):
        raise WireError("not a message")
    return name, message


def field(message: dict[str, Any], name: str) -> str:
    """A field that must be text."""
    value = message.get(name)
    if not isinstance(value, str):
        raise WireError(f"{name} must be text")
    return value


def documents(message: dict[str, Any]) -> tuple[Document, ...]:
    """The documents announced by a `save`. Raises WireError if they are not well formed."""
    try:
        found = tuple(
            Document(str(item["stem"]), tuple(_part(part) for part in item["parts"])) for item in message["documents"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WireError("documents are not well formed") from error
    return found


def _part(item: dict[str, Any]) -> Part:
    suffix, size = item["suffix"], item["size_bytes"]
    if not (isinstance(suffix, str) and suffix[:1] == "." and suffix[1:].isascii() and suffix[1:].isalnum()):
        raise ValueError("suffix")
    if not (isinstance(size, int) and 0 <= size <= PART_BYTES):
        raise ValueError("size")
    return Part(suffix, size)


def snapshot(message: dict[str, Any]) -> Snapshot:
    """The reverse of `line("event", "sticks", Snapshot(...))`."""
    return Snapshot(tuple(Stick(**stick) for stick in message["sticks"]), bool(message["can_power_off"]))


def listing(message: dict[str, Any]) -> Listing:
    """The reverse of `line("event", "files", Listing(...))`."""
    return Listing(tuple(FileEntry(**entry) for entry in message["files"]), bool(message["truncated"]))
