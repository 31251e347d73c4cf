"""The session of this station, for routes; and their answer when there is nothing to say."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request, Response

from runtime.kiosk.session import Session


def _session(request: Request) -> Session:
    return cast(Session, request.app.state.session)


Now = Annotated[Session, Depends(_session)]
DONE = Response(status_code=204)
