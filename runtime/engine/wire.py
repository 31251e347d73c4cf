"""What gateway and engine say to each other over the Unix socket.

`GET /health` answers a Health, `GET /metrics` Prometheus' text. `POST /read?width=W&height=H&ask=ASK`
takes W * H * 3 bytes of RGB, ASK being an Ask as JSON, and answers lines of JSON, each a Message:
progress any number of times, then a result or an error. A stream that ends without either means
that the engine died; the page may be sent again.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from runtime.results import EngineInfo, PageResult, Progress
from runtime.tasks.task import Task

MEDIA_TYPE = "application/x-ndjson"


class Health(BaseModel):
    """`instance` changes whenever the engine is started anew. `why_not`: why it has not the other tasks."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Literal["loading", "ready"]
    engine: EngineInfo
    instance: str = ""
    tasks: tuple[Task, ...] = (Task.TEXT, Task.SPOTTING)
    why_not: str = ""


class Message(BaseModel):
    """One line of the answer; exactly one field is set. `error` is for the log, not for users."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    progress: Progress | None = None
    result: PageResult | None = None
    error: str | None = None

    def line(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode() + b"\n"
