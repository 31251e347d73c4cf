"""One line a request: who, what kind, how long, how it ended; never what it was about."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.gateway.request_notes import caller_of, notes_of

log = logging.getLogger("runtime.requests")

CLIENT_CLOSED_REQUEST = 499
_UNKNOWN = "-"


class RequestLog:
    """Outermost, so that refusals have their line too. The route is logged, never the address itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            status = status or 500  # answered further out
            raise
        finally:
            notes = notes_of(scope)
            log.info(
                "request",
                extra={
                    "fields": {
                        "caller": caller_of(scope),
                        "method": scope["method"],
                        "route": str(getattr(scope.get("route"), "path", _UNKNOWN)),
                        "status": status or CLIENT_CLOSED_REQUEST,
                        "duration_s": round(time.monotonic() - started, 4),
                        "pages": notes.pages,
                        "task": notes.task,
                        "engine": notes.engine,
                        "code": notes.code,
                    }
                },
            )
