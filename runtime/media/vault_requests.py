"""The helper's answers about vaults: the operations of `vault_wire`, for whoever is connected."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from runtime.media import wire
from runtime.media.failures import NOT_AVAILABLE
from runtime.media.vault_backend import Vaults
from runtime.media.vault_wire import Stage
from runtime.media.wire import WireError
from runtime.problems import Problem

_CREDENTIALS = struct.Struct("3i")  # ucred of unix(7): pid, uid, gid

_OPERATIONS = frozenset(f"vault-{each}" for each in ("make", "unlock", "folder", "lock", "change", "erase"))

Send = Callable[[str, object | None], None]


def answer(operation: str, request: dict[str, Any], vaults: Vaults | None, peer: socket.socket, send: Send) -> None:
    """Do it and say so. Raises Problem, or WireError for a request that is none."""
    if operation not in _OPERATIONS:
        raise WireError("there is no such operation")
    if vaults is None:
        raise Problem(NOT_AVAILABLE, "There are no vaults here.")

    def on_stage(stage: Stage) -> None:
        with contextlib.suppress(OSError):  # what has begun is finished even if nobody listens
            send("progress", {"stage": stage})

    match operation:
        case "vault-make":
            recovery = request.get("recovery")
            if not (recovery is None or isinstance(recovery, str)):
                raise WireError("recovery must be text")
            secret = None if recovery is None else recovery.encode()
            vaults.make(wire.field(request, "place"), _secret(request), secret, _owner(peer), on_stage)
        case "vault-unlock":
            vaults.unlock(wire.field(request, "vault"), _secret(request), _owner(peer), on_stage)
        case "vault-folder":
            _hand_over(vaults.folder(), peer)
        case "vault-lock":
            vaults.lock()
        case "vault-change":
            vaults.change(_secret(request), wire.field(request, "new").encode())
        case "vault-erase":
            vaults.erase(wire.field(request, "vault"))


def _hand_over(descriptor: int, peer: socket.socket) -> None:
    """With the first byte of the answer that follows: a blank, which JSON skips."""
    try:
        socket.send_fds(peer, [b" "], [descriptor])
    finally:
        os.close(descriptor)


def _secret(request: dict[str, Any]) -> bytes:
    secret = wire.field(request, "passphrase").encode()
    if not secret:
        raise WireError("passphrase must not be empty")
    return secret


def _owner(peer: socket.socket) -> int:
    """The user who asks is the one who may use what is opened."""
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(credentials)[1])
