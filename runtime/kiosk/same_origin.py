"""Only the page itself may change anything, and it may load nothing from elsewhere.

A page elsewhere could send a form to a loopback server through the browser. So whatever changes
something must come with the Origin of this very page (whose Host the gateway's HostGuard has
checked), and browsers that say where a request comes from must say "from here".
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.gateway.problem_responses import problem_response
from runtime.problems import Problem, ProblemKind

FOREIGN_PAGE = ProblemKind("foreign-page", 403, "The request comes from another page", "请求来自其他页面")

_READING = frozenset({"GET", "HEAD"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SameOrigin:
    """ASGI middleware; a pure one, so that it never buffers the event stream."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not _from_here(scope["method"], Headers(scope=scope)):
            await problem_response(Problem(FOREIGN_PAGE))(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_guarded)


def _from_here(method: str, headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return method in _READING or headers.get("origin") == f"http://{headers.get('host', '')}"
