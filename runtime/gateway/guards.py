"""What is settled before a request is looked at: whom it is addressed to, and how large it may be."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.gateway.problem_responses import problem_response
from runtime.problems import FILE_TOO_LARGE, WRONG_HOST, Problem

_FORM_OVERHEAD_BYTES = 64 * 1024
"""What a multipart form adds to its file, generously."""


class HostGuard:
    """Refuses requests whose Host header is not the listener's own address.

    A page elsewhere can have its name resolve to a loopback address (DNS rebinding), but it cannot
    change the name that the browser then sends.
    """

    def __init__(self, app: ASGIApp, listener_host: str) -> None:
        self._app = app
        self._listener_host = listener_host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_ours(Headers(scope=scope).get("host", "")):
            refusal = problem_response(Problem(WRONG_HOST, f"Address it to {self._listener_host}."))
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, header: str) -> bool:
        host = _without_port(header.strip().lower())
        if host == self._listener_host:
            return True
        address, listener = _address(host), _address(self._listener_host)
        open_to_lan = listener is not None and listener.is_unspecified
        on_loopback = self._listener_host == "localhost" or (listener is not None and listener.is_loopback)
        if host == "localhost":
            return on_loopback or open_to_lan
        if address is None:
            return False
        return open_to_lan or (on_loopback and address.is_loopback)


class UploadLimit:
    """Stops reading a body that is larger than `limit_bytes`, declared or not; raises it as a Problem."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limit_bytes + _FORM_OVERHEAD_BYTES
        problem = Problem(FILE_TOO_LARGE, f"The limit is {self._limit_bytes} bytes.")
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared) > most:
            await problem_response(problem)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > most:
                    raise problem
            return message

        await self._app(scope, counted, send)


def is_loopback(host: str) -> bool:
    """Whether a peer's address is this machine's own."""
    address = _address(host)
    return address is not None and address.is_loopback


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
