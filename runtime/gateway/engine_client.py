"""One engine of the ladder, as the gateway sees it: its health, and pages read by it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import httpx
from pydantic import ValidationError

from runtime.config import EngineConfig
from runtime.documents.decode import PixelPage
from runtime.engine.page_socket import answers, asked
from runtime.engine.wire import Health, Message, Question, ScriptsNotRead
from runtime.gateway.loads import Loads
from runtime.gateway.patience import Patience
from runtime.problems import ENGINE_FAILED, SCRIPT_NOT_READ, Problem
from runtime.results import PageResult, Progress
from runtime.tasks.task import Ask, Task

log = logging.getLogger(__name__)

OnProgress = Callable[[Progress], None]

_HEALTH_TIMEOUT_S = 20.0
"""Long, since an engine at work on a slow machine answers late; a dead one refuses at once."""
_METRICS_TIMEOUT_S = 2.0
_GRACE_S = 15.0
"""An engine that can still tell that it hangs ends itself within this."""


_ASK_AGAIN_S = 5.0


def unheard(_: Progress) -> None:
    """Nobody follows the page: the engine then tells only that it goes on."""


class EngineAway(Exception):
    """The engine is not there, or takes no more pages: this page was not begun."""


class EngineLost(Exception):
    """The engine died, or hangs, with the page in hand. `why`: for the page's reason."""

    def __init__(self, engine: str, why: str) -> None:
        super().__init__(f"{engine} {why}")
        self.why = why


class EngineClient:
    """Talks to one engine over its Unix socket. Use it as an asynchronous context manager."""

    def __init__(self, config: EngineConfig) -> None:
        self.name = config.name
        self._socket = config.socket
        self.health: Health | None = None
        """What the engine said last; None while nobody answers."""
        self.known: Health | None = None
        """The last that it ever said: an engine that restarts will be able to do again what it could."""
        self.parallel = config.parallel
        self.restarts_seen = 0
        self.recycles_seen = 0
        """Of the restarts, those that it asked for itself, between pages, since it had grown."""
        self.hangs_seen = 0
        self.in_hand = 0
        """Pages that it reads for this gateway, and tells of."""
        self.loads = Loads()
        """How long it took to be ready."""
        self.looked_for = asyncio.Event()
        """Set when it should be looked after at once."""
        self._patience = Patience(config.supervision)
        self._instance = ""
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=str(config.socket),
                # A connection kept from before a restart would fail the page that is sent on it.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            ),
            base_url="http://engine",
            timeout=httpx.Timeout(None),
            trust_env=False,
        )

    async def __aenter__(self) -> EngineClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def ready(self) -> bool:
        return self.health is not None and self.health.state == "ready" and not self.health.hangs

    def can(self, task: Task, *, prompted: bool = False) -> bool:
        """Whether it has said that it can do `task`, now or before a restart; `prompted`: in a person's own words."""
        known = self.known
        return known is not None and task in known.tasks and (known.prompts or not prompted)

    async def metrics(self) -> str:
        """What the engine's model server tells, in Prometheus' text format; empty if it does not answer."""
        try:
            answer = await self._http.get("/metrics", timeout=_METRICS_TIMEOUT_S)
            return answer.text if answer.status_code == 200 else ""
        except httpx.HTTPError:
            return ""

    async def poll(self) -> None:
        """Ask for the engine's health and keep the answer. Never raises."""
        try:
            answer = await self._http.get("/health", timeout=_HEALTH_TIMEOUT_S)
            answer.raise_for_status()
            health = Health.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError):
            self.health = None
            return
        if self._instance and health.instance != self._instance:
            self.restarts_seen += 1
            log.warning("engine %s was restarted", self.name)
        self._instance = health.instance
        self.health = self.known = health

    async def read(self, page: PixelPage, ask: Ask, on_progress: OnProgress) -> PageResult:
        """Raises EngineAway, EngineLost, and Problem(ENGINE_FAILED) if the engine says that it cannot.

        Raises Problem(SCRIPT_NOT_READ), with the scripts' names, for a page in scripts it does not read.
        Cancelling closes the connection, upon which the engine gives the page up.
        """
        limit_s = self._patience.limit_s
        heard = _Heard(self._patience, on_progress)
        reading = asyncio.create_task(self._exchange(page, ask, limit_s, heard))
        self.in_hand += 1
        try:
            while not reading.done():
                left_s = limit_s + _GRACE_S - heard.silent_s
                await asyncio.wait([reading], timeout=max(_ASK_AGAIN_S, left_s))
                if not reading.done() and heard.silent_s >= limit_s + _GRACE_S and await self._hangs():
                    raise EngineLost(self.name, "is silent")
            return await reading
        except EngineLost as lost:
            hung = heard.silent_s >= limit_s
            log.warning("%s; it %s", lost, "hung" if hung else "stopped")
            self._gone(hung=hung)
            raise EngineLost(self.name, "hung" if hung else "stopped") from None
        finally:
            self.in_hand -= 1
            if not reading.done():
                reading.cancel()
                await asyncio.wait([reading])

    async def _hangs(self) -> bool:
        """Of a silent engine: whether it does not answer either, or says itself that its work does not come on."""
        await self.poll()
        return self.health is None or self.health.hangs

    def _gone(self, *, hung: bool = False) -> None:
        """No page is sent there until it has answered again."""
        self.health = None
        self.hangs_seen += hung
        self.looked_for.set()

    async def _exchange(self, page: PixelPage, ask: Ask, limit_s: int, heard: _Heard) -> PageResult:
        try:
            async with aclosing(self._answers(page, ask, limit_s, heard.tell is not unheard)) as lines:
                async for line in lines:
                    message = Message.model_validate_json(line)
                    heard.from_it()
                    if message.away:
                        self._gone()
                        raise EngineAway(self.name)
                    if message.recycles:
                        self.recycles_seen += 1
                        self._gone()
                    if message.result is not None:
                        return message.result
                    if message.not_read is not None:
                        raise _not_its_script(message.not_read)
                    if message.error is not None:
                        # Its kind alone: an error's own words may quote the page.
                        log.error("engine %s: %s", self.name, message.error.partition(":")[0])
                        raise Problem(ENGINE_FAILED, "Scan the page again, or try another page.")
                    if message.progress is not None:
                        heard.tell(message.progress)
        except httpx.ConnectError:
            self._gone()
            raise EngineAway(self.name) from None
        except (httpx.TransportError, OSError, ValidationError) as error:
            raise EngineLost(self.name, type(error).__name__) from error
        raise EngineLost(self.name, "ended its answer early")

    async def _answers(self, page: PixelPage, ask: Ask, limit_s: int, followed: bool) -> AsyncGenerator[bytes | str]:
        """Lines, each a Message. By HTTP where there is no socket for pages."""
        question = Question(width=page.width, height=page.height, ask=ask, stall_s=limit_s, followed=followed)
        try:
            connection = asked(question, page.pixels, self._socket)
        except OSError:
            lines: AsyncGenerator[bytes | str] = self._answers_by_http(question, page)
        else:
            lines = answers(connection)
        async with aclosing(lines):
            async for line in lines:
                yield line

    async def _answers_by_http(self, question: Question, page: PixelPage) -> AsyncGenerator[bytes | str]:
        told: dict[str, str | int] = {"width": page.width, "height": page.height, "stall_s": question.stall_s}
        async with self._http.stream(
            "POST",
            "/read",
            params={**told, "ask": question.ask.model_dump_json()},
            content=page.rgb,
            headers={"content-type": "application/octet-stream"},
        ) as answer:
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                self._gone()
                raise EngineAway(self.name)
            if answer.status_code != httpx.codes.OK:
                log.error("engine %s answered %d", self.name, answer.status_code)
                raise Problem(ENGINE_FAILED, "The engine refused the page.")
            async for line in answer.aiter_lines():
                yield line


class _Heard:
    """When the engine was last heard of while it had a page in hand."""

    def __init__(self, patience: Patience, tell: OnProgress) -> None:
        self.tell = tell
        self._patience = patience
        self._last = time.monotonic()

    @property
    def silent_s(self) -> float:
        return time.monotonic() - self._last

    def from_it(self) -> None:
        self._patience.paused(self.silent_s)
        self._last = time.monotonic()


def _not_its_script(not_read: ScriptsNotRead) -> Problem:
    names = ", ".join(f"{en} ({zh})" for en, zh in zip(not_read.scripts, not_read.scripts_zh, strict=True))
    others = f" and {', '.join(not_read.read)}" if not_read.read else ""
    return Problem(
        SCRIPT_NOT_READ,
        f"The page's script: {names}. This station reads Chinese, English, Japanese, the Latin scripts{others}; "
        "others are added to `languages:` when its image is built.",
        extra={"scripts": ", ".join(not_read.scripts), "scripts_zh": "、".join(not_read.scripts_zh)},
    )
