"""The gateway's side of the helper's socket, for vaults."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from runtime.media import vault_wire, wire
from runtime.media.client import MediaClient
from runtime.media.failures import HELPER_DOWN
from runtime.media.vault_wire import VAULT_GONE, VaultReport
from runtime.problems import Problem

_ANSWER_S = 30.0

OnStage = Callable[[str], None]


class VaultClient:
    """Each call is a connection of its own; all raise Problem, as the helper's do."""

    def __init__(self, media: MediaClient) -> None:
        self._media = media

    async def watch(self) -> AsyncIterator[VaultReport]:
        """What there is, now and after every change. Problem NOT_AVAILABLE where no vaults are offered."""
        async with self._media.call("vault-watch", {}) as (reader, _):
            while True:
                _, message = await self._media.reply(reader, "vault")
                yield vault_wire.load(message)

    async def make(self, place: str, passphrase: str, recovery: str | None, on_stage: OnStage) -> None:
        await self._do("vault-make", on_stage, place=place, passphrase=passphrase, recovery=recovery)

    async def unlock(self, vault: str, passphrase: str, on_stage: OnStage) -> None:
        await self._do("vault-unlock", on_stage, vault=vault, passphrase=passphrase)

    async def folder(self) -> int:
        """An open descriptor of the vault's folder: `/proc/self/fd/N` is a path to it for this process alone."""
        return await asyncio.to_thread(self._receive_folder)

    def _receive_folder(self) -> int:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_S)
                connection.connect(str(self._media.socket))
                connection.sendall(wire.line("op", "vault-folder"))
                _, descriptors, _, _ = socket.recv_fds(connection, wire.LINE_BYTES, 1)
        except OSError as error:
            raise Problem(HELPER_DOWN, "Wait a moment, or restart the station.") from error
        if not descriptors:
            raise Problem(VAULT_GONE, "Plug the stick in again.")
        os.set_inheritable(descriptors[0], False)
        return descriptors[0]

    async def lock(self) -> None:
        await self._do("vault-lock")

    async def change(self, passphrase: str, new: str) -> None:
        await self._do("vault-change", passphrase=passphrase, new=new)

    async def erase(self, vault: str) -> None:
        await self._do("vault-erase", vault=vault)

    async def _do(self, operation: str, on_stage: OnStage | None = None, **request: Any) -> None:
        async with self._media.call(operation, request) as (reader, _):
            while True:
                event, message = await self._media.reply(reader, "progress", "ok")
                if event == "ok":
                    return
                if on_stage is not None:
                    on_stage(str(message.get("stage", "")))
