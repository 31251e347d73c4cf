"""`POST /ocr?stream=true`: the page as it is being read, one JSON object a line.

{"progress": {"stage": "recognise", "done": 12, "total": 0, "text": "what was written since"}}
{"result": {...}}        the last line: what `detail=full` would have answered
{"problem": {...}}       or, instead of it, a problem document
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine

from runtime.gateway.engine_client import OnProgress
from runtime.gateway.problem_responses import problem_response
from runtime.outputs.pages import FullPage
from runtime.problems import INTERNAL, Problem
from runtime.results import Progress

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/x-ndjson"

Counted = Callable[[FullPage | None, str], None]
"""Told how it ended: the page if it was read, and "read", "interrupted" or the problem's code."""


async def messages(
    read: Callable[[OnProgress], Coroutine[None, None, FullPage]], counted: Counted
) -> AsyncIterator[bytes]:
    """The answer's lines. Closing the iterator gives the page up, in the engine too."""
    told: asyncio.Queue[Progress | None] = asyncio.Queue()
    reading = asyncio.create_task(read(told.put_nowait))
    reading.add_done_callback(lambda _: told.put_nowait(None))
    outcome = "interrupted"
    page: FullPage | None = None
    try:
        while (progress := await told.get()) is not None:
            yield f'{{"progress":{progress.model_dump_json()}}}\n'.encode()
        try:
            page = reading.result()
            outcome = "read"
            last = f'{{"result":{page.model_dump_json()}}}\n'.encode()
        except Problem as problem:
            outcome = problem.kind.code
            last = _problem_line(problem)
        except Exception:
            log.exception("a page could not be read")
            outcome = INTERNAL.code
            last = _problem_line(Problem(INTERNAL, "The cause is in the station's log."))
        yield last
    finally:
        reading.cancel()
        counted(page, outcome)


def _problem_line(problem: Problem) -> bytes:
    document = json.loads(bytes(problem_response(problem).body))
    return json.dumps({"problem": document}, ensure_ascii=False).encode() + b"\n"
