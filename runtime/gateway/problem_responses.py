"""Errors as problem documents (RFC 9457), for every way in which a request can fail."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from runtime.gateway.request_notes import notes_of
from runtime.problems import BAD_REQUEST, INTERNAL, METHOD_NOT_ALLOWED, NOT_FOUND, Problem, ProblemKind

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_BY_STATUS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}


class _ProblemResponse(JSONResponse):
    """Leaves its code in the request's notes."""

    code = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        notes_of(scope).code = self.code
        await super().__call__(scope, receive, send)


def problem_response(problem: Problem) -> Response:
    """The problem as a document. `instance` is new each time and stands in the log beside the cause."""
    instance = f"urn:uuid:{uuid.uuid4()}"
    kind = problem.kind
    log.log(logging.ERROR if kind.status == 500 else logging.INFO, "%s %s", instance, problem)
    document: dict[str, Any] = {
        "type": f"urn:inkstick:problem:{kind.code}",
        "title": kind.title,
        "title_zh": kind.title_zh,
        "status": kind.status,
        "code": kind.code,
        "instance": instance,
        **problem.extra,
    }
    if problem.detail:
        document["detail"] = problem.detail
    headers = {}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
        document["retry_after_s"] = problem.retry_after_s
    response = _ProblemResponse(document, kind.status, headers, media_type=MEDIA_TYPE)
    response.code = kind.code
    return response


def answer_with_problems(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document, its own and the framework's."""

    @app.exception_handler(Problem)
    async def ours(_: Request, problem: Problem) -> Response:
        return problem_response(problem)

    @app.exception_handler(RequestValidationError)
    async def misfit(_: Request, error: RequestValidationError) -> Response:
        return problem_response(Problem(BAD_REQUEST, _first_misfit(error)))

    @app.exception_handler(HTTPException)
    async def framework(_: Request, error: HTTPException) -> Response:
        kind = _BY_STATUS.get(error.status_code)
        if kind is None:
            title = BAD_REQUEST if error.status_code < 500 else INTERNAL
            kind = ProblemKind(title.code, error.status_code, title.title, title.title_zh)
        response = problem_response(Problem(kind, str(error.detail) if error.status_code < 500 else ""))
        if error.headers:
            response.headers.update(error.headers)
        return response

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        return problem_response(Problem(INTERNAL, "The cause is in the station's log."))


def _first_misfit(error: RequestValidationError) -> str:
    """Where and what, without repeating what was sent: it may be document text."""
    first = error.errors()[0]
    where = " ".join(str(part) for part in first.get("loc", ()))
    return f"{where}: {first.get('msg', 'does not fit')}"


PROBLEM_SCHEMA: dict[str, Any] = {
    "description": "A problem document (RFC 9457); `code` is stable.",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "code", "instance"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "title_zh": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "instance": {"type": "string"},
                    "retry_after_s": {"type": "integer"},
                },
            }
        }
    },
}
