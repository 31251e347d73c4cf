"""What gateway and engine say to each other over Unix sockets.

`GET /health` answers a Health, `GET /metrics` Prometheus' text. Pages go through a socket of their own
(runtime/engine/page_socket.py), or by `POST /read?width=W&height=H&ask=ASK&stall_s=S`, which takes W * H * 3
bytes of RGB, ASK being an Ask as JSON. Either way the answer is lines of JSON, each a Message:
progress any number of times, then a result or an error. A stream that ends without either means
that the engine died; the page may be sent again. An engine whose work has not come on for S seconds
ends itself. Status 503, and `away`: not now, it is about to be started anew.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from runtime.results import EngineInfo, PageResult, Progress
from runtime.tasks.task import Ask, Task

MEDIA_TYPE = "application/x-ndjson"


class Gpu(BaseModel):
    """A graphics card as its driver tells; None for what it does not. `busy`: 0..1, part of the time."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    index: int
    name: str
    busy: float | None = None
    memory_used_bytes: int
    memory_bytes: int
    celsius: int | None = None


Phase = Literal["weights", "memory", "compile", "graphs", "trial"]
"""What a model's program is at while it loads: reading weights, laying out the card's memory, compiling, recording
CUDA graphs, reading a trial page."""


class Loading(BaseModel):
    """`share`: how far the phase is, 0..1; None where nobody can tell."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    phase: Phase
    share: float | None = None


class Health(BaseModel):
    """`instance` changes whenever the engine is started anew. `why_not`: why it has not the other tasks.

    `prompts`: whether it can be asked in a person's own words.
    `loading`: what it is at while it loads, where it can tell.
    `silent_s`: for so long the work in hand has not come on. `hangs`: for longer than it may.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Literal["loading", "ready"]
    loading: Loading | None = None
    engine: EngineInfo
    instance: str = ""
    tasks: tuple[Task, ...] = (Task.TEXT, Task.SPOTTING)
    why_not: str = ""
    why_not_zh: str = ""
    prompts: bool = False
    silent_s: float = 0.0
    hangs: bool = False
    memory_bytes: int = 0
    gpus: tuple[Gpu, ...] = ()


class ScriptsNotRead(BaseModel):
    """Names of the scripts, in English and in Chinese, and of those that could be read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    scripts: tuple[str, ...]
    scripts_zh: tuple[str, ...]
    read: tuple[str, ...] = ()


class Question(BaseModel):
    """A page to be read: `width` * `height` * 3 bytes of RGB come with it. `stall_s`: as above.

    `followed`: somebody wants to see how far it is; if not, what is told of that is a sign of life alone.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    width: int
    height: int
    ask: Ask = Ask()
    stall_s: int = 600
    followed: bool = True

    def line(self) -> bytes:
        return self.model_dump_json().encode() + b"\n"


class Message(BaseModel):
    """One line of the answer; one of the first five is set. `error` is for the log, not for users.

    `recycles`: the engine has grown too large, takes no more pages and is started anew.
    `not_read`: the page is in scripts that the engine does not read.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    progress: Progress | None = None
    result: PageResult | None = None
    error: str | None = None
    not_read: ScriptsNotRead | None = None
    away: bool | None = None
    recycles: bool | None = None

    def line(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode() + b"\n"
