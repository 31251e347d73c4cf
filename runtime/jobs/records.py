"""What is kept of a job, and what is told of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from runtime.documents.parts import Region
from runtime.tasks.task import Language, Task

State = Literal["queued", "running", "done", "failed", "cancelled"]
FINAL: tuple[State, ...] = ("done", "failed", "cancelled")


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Order(_Frozen):
    """What is wanted of every page of a job; the fields are those of `runtime.gateway.recognition.Want`."""

    task: Task | Literal["auto"] = "auto"
    form: str = ""
    keys: tuple[str, ...] = ()
    to: Language = "en"
    region: Region | None = None


class PageFailure(_Frozen):
    """Why a page, or a file that could not be opened, gave nothing: a problem's code and detail."""

    code: str
    detail: str


class PageOutcome(_Frozen):
    """One page of a job. `number`: 1-based in the job. `file`: its file's name as it was sent.

    `source` and `page`: place in the file, 1-based; `page` is 0 for a file that could not be opened.
    `result`: the full answer as JSON; None if there is a `failure` or it is not read yet.
    """

    number: int
    file: str
    source: str = ""
    page: int
    result: str | None = None
    failure: PageFailure | None = None


class JobStatus(_Frozen):
    """`seconds_left`: an estimate from the pages read so far, None while there is nothing to go by.

    `created_at`, `finished_at`, `expires_at`: seconds since 1970 by the station's clock.
    """

    id: str
    state: State
    pages: int
    pages_done: int
    pages_failed: int
    seconds_left: float | None = None
    created_at: float
    finished_at: float | None = None
    expires_at: float | None = None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


class Claim(_Frozen):
    """A page handed to a worker: the job's order, the file's place and bytes, which page of it.

    `waited`: a call waits for it, which would rather have a refusal than no answer.
    """

    job: str
    number: int
    order: Order
    file: int = 0
    data: bytes
    page: int
    attempt: int
    waited: bool = False
