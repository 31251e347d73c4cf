"""One engine of the ladder, as the gateway sees it: its health, and pages read by it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import httpx
from pydantic import ValidationError

from runtime.config import EngineConfig
from runtime.documents.decode import PixelPage
from runtime.engine.wire import Health, Message
from runtime.problems import ENGINE_FAILED, Problem
from runtime.results import PageResult, Progress
from runtime.tasks.task import Ask, Task

log = logging.getLogger(__name__)

OnProgress = Callable[[Progress], None]

_HEALTH_TIMEOUT_S = 20.0
"""Long, since an engine at work on a slow machine answers late; a dead one refuses at once."""
_METRICS_TIMEOUT_S = 2.0


class EngineLost(Exception):
    """The engine went away before it had read the page: it died, or never was there."""


class EngineClient:
    """Talks to one engine over its Unix socket. Use it as an asynchronous context manager."""

    def __init__(self, config: EngineConfig) -> None:
        self.name = config.name
        self.health: Health | None = None
        """What the engine said last; None while nobody answers."""
        self.known: Health | None = None
        """The last that it ever said: an engine that restarts will be able to do again what it could."""
        self.parallel = config.parallel
        self.restarts_seen = 0
        self._instance = ""
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(config.socket)),
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
        return self.health is not None and self.health.state == "ready"

    def can(self, task: Task) -> bool:
        """Whether it has said that it can do `task`, now or before a restart."""
        return self.known is not None and task in self.known.tasks

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
        """Raises EngineLost if the engine dies meanwhile, Problem(ENGINE_FAILED) if it says it cannot.

        Cancelling closes the connection, upon which the engine gives the page up.
        """
        try:
            async with self._http.stream(
                "POST",
                "/read",
                params={"width": page.width, "height": page.height, "ask": ask.model_dump_json()},
                content=page.rgb,
                headers={"content-type": "application/octet-stream"},
            ) as answer:
                if answer.status_code != 200:
                    log.error("engine %s answered %d", self.name, answer.status_code)
                    raise Problem(ENGINE_FAILED, "The engine refused the page.")
                async for line in answer.aiter_lines():
                    message = Message.model_validate_json(line)
                    if message.result is not None:
                        return message.result
                    if message.error is not None:
                        log.error("engine %s: %s", self.name, message.error)
                        raise Problem(ENGINE_FAILED, "Scan the page again, or try another page.")
                    if message.progress is not None:
                        on_progress(message.progress)
        except (httpx.TransportError, ValidationError) as error:
            self.health = None
            raise EngineLost(f"{self.name}: {type(error).__name__}") from error
        self.health = None
        raise EngineLost(f"{self.name}: the answer ended early")
