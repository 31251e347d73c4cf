"""`POST /v1/chat/completions`: for clients that speak OpenAI's interface, a page in and its text out.

The prompt chooses the task: one of HunyuanOCR's own prompts stands for its task, a list of keys in
it for these fields; any other wording reads the text. Images come inside the request, as data URLs:
the station has no network to fetch them from.
"""

from __future__ import annotations

import ast
import base64
import binascii
import json
import re
import time
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from runtime.gateway.answers import flat
from runtime.gateway.deadlines import Deadline, within
from runtime.gateway.disconnect import while_connected
from runtime.gateway.document_reading import Documents
from runtime.gateway.engine_client import unheard
from runtime.gateway.job_service import Upload
from runtime.gateway.problem_responses import PROBLEM_SCHEMA
from runtime.gateway.recognition import Want
from runtime.gateway.request_log import CLIENT_CLOSED_REQUEST
from runtime.gateway.request_notes import caller_of, notes_of
from runtime.problems import BAD_REQUEST, MISSING_FILE, Problem
from runtime.tasks.prompts import task_of_prompt
from runtime.tasks.task import Task

MODEL = "inkstick"
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": "An error in OpenAI's shape; a problem document where the request was never understood.",
        "content": {"application/json": {}, **PROBLEM_SCHEMA["content"]},
    }
    for status in (400, 413, 415, 422, 429, 500, 501, 503, 504)
}
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,", re.ASCII)
_KEYS = re.compile(r"[\[\[]\s*(['\"].+?['\"])\s*[\]\]]", re.DOTALL)


class _Open(BaseModel):
    """Clients send more than we use: temperature, top_p, ..."""

    model_config = ConfigDict(extra="ignore")


class ImageUrl(_Open):
    url: str


class Part(_Open):
    type: str
    text: str = ""
    image_url: ImageUrl | str | None = None


class ChatMessage(_Open):
    role: str
    content: str | list[Part] | None = None


class ChatRequest(_Open):
    model: str = MODEL
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=64)]
    stream: bool = False


def chat_routes(documents: Documents) -> APIRouter:
    """The two addresses that OpenAI's clients use. Errors are in OpenAI's shape here."""
    router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

    @router.get("/models", summary="The one model")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "station"}]}

    @router.post("/chat/completions", summary="Read a page given as a message's image part", responses=_REFUSALS)
    async def completions(request: Request, asked: ChatRequest, deadline: Deadline = None) -> Response:
        notes = notes_of(request.scope)
        try:
            image, prompt = Upload("", _image_of(asked)), _prompt_of(asked)
            want = want_of(prompt)
            notes.task = want.task
            reading = documents.first(image, want, "", None, caller_of(request.scope), unheard)
            page = await while_connected(request, within(deadline, reading))
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Problem as problem:
            notes.code = problem.kind.code
            return _refusal(problem)
        notes.pages, notes.engine = 1, page.engine.name
        text = json.dumps(flat([page], want.keys), ensure_ascii=False) if want.is_for_fields else page.text
        finish: Literal["stop", "length"] = "length" if page.truncated else "stop"
        if asked.stream:
            return Response(_streamed(asked.model, text, finish), media_type="text/event-stream")
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        tokens = page.generation.tokens if page.generation else 0
        usage = {"prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({**_head(asked.model, "chat.completion"), "choices": [choice], "usage": usage})

    return router


def want_of(prompt: str) -> Want:
    """What the prompt asks for: fields where it lists keys, an official prompt's task, else the text."""
    if found := _KEYS.search(prompt):
        try:
            keys = ast.literal_eval(f"[{found[1]}]")
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            keys = []
        if keys and all(isinstance(key, str) for key in keys):
            return Want(task=Task.FIELDS, keys=tuple(dict.fromkeys(keys)))
    known = task_of_prompt(prompt)
    return Want(task=Task.TEXT) if known is None else Want(task=known[0], to=known[1])


def _image_of(asked: ChatRequest) -> bytes:
    """The last image of the conversation. Raises Problem: MISSING_FILE, or BAD_REQUEST for an address."""
    urls = [
        part.image_url if isinstance(part.image_url, str) else part.image_url.url
        for message in asked.messages
        if isinstance(message.content, list)
        for part in message.content
        if part.image_url is not None
    ]
    if not urls:
        raise Problem(MISSING_FILE, "Send a message with an image_url part.")
    head = _DATA_URL.match(urls[-1])
    if head is None:
        raise Problem(BAD_REQUEST, "image_url: send the image itself, as a data URL in base64.")
    try:
        return base64.b64decode(urls[-1][head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise Problem(BAD_REQUEST, "image_url: it is not base64.") from None


def _prompt_of(asked: ChatRequest) -> str:
    """The last user's words."""
    for message in reversed(asked.messages):
        if message.role == "user" and message.content:
            if isinstance(message.content, str):
                return message.content
            return "\n".join(part.text for part in message.content if part.type == "text")
    return ""


def _head(model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def _streamed(model: str, text: str, finish: str) -> str:
    """The whole answer in one piece, and its end: what stream readers accept."""
    head = _head(model, "chat.completion.chunk")
    delta = {"role": "assistant", "content": text}
    pieces = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
    ]
    return "".join(f"data: {json.dumps(piece, ensure_ascii=False)}\n\n" for piece in pieces) + "data: [DONE]\n\n"


def _refusal(problem: Problem) -> Response:
    kind = problem.kind
    error = {
        "message": problem.detail or kind.title,
        "type": "invalid_request_error" if kind.status < 500 else "server_error",
        "code": kind.code,
        "param": None,
    }
    headers = {} if problem.retry_after_s is None else {"retry-after": str(problem.retry_after_s)}
    return JSONResponse({"error": error}, kind.status, headers)
