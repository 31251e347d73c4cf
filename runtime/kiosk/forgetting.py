"""Forgetting what was read: at a person's word, or by itself when nobody has touched the station for a while.

What was saved is forgotten by itself, after a countdown: it is on a stick, and the next person must not find
it here. What was not saved is the clerk's work, and no timer may throw it away: the page is covered instead, so
that nobody who passes by reads it, until a person says whether to go on or to forget. An open vault, which has more
than the screen, is locked at the same time. See docs/admin.md.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from runtime.config import ForgettingConfig, StationConfig
from runtime.kiosk.intake import BUSY
from runtime.kiosk.parts import Left, Part, Put
from runtime.problems import Problem

if TYPE_CHECKING:
    from runtime.kiosk.session import Session

log = logging.getLogger(__name__)

Stage = Literal["nothing", "awake", "warning", "covered"]
"""`nothing` is held; somebody is there; what was saved is about to be forgotten; what was not is covered."""
OnForgotten = Callable[[Sequence[str]], Awaitable[None]]
"""Told of the ids of the pages that are forgotten; must not raise."""
_LOOK_S = 0.5


class Forgetting(Part):
    """`let_go`: further places that hold something of the pages, each emptied when called."""

    name = "forgetting"

    def __init__(
        self,
        session: Session,
        config: ForgettingConfig,
        *,
        let_go: Sequence[Callable[[], None]] = (),
        on_forgotten: OnForgotten | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._config = config
        self._let_go = tuple(let_go)
        self._on_forgotten = on_forgotten
        self._clock = clock
        self._touched = clock()
        self._covered = False
        self._told: Stage = "nothing"
        self._times = 0

    def state(self) -> dict[str, Any]:
        """`times`: how often something was forgotten; the page then loads itself anew, and so forgets too.
        `watches`: whether it wants to be told that somebody is there."""
        left_s = self._left_s() if self.stage == "warning" else None
        watches = self.stage in ("awake", "warning") or (self.stage == "nothing" and self._unlocked)
        told = {"stage": self.stage, "left_s": left_s, "times": self._times, "pages": self._held()}
        return {**told, "watches": watches}

    def outlives(self, put: Put) -> Any:
        return {"covered": self._covered, "times": self._times}

    def resume(self, kept: Any, left: Left) -> None:
        """What was covered stays so: whoever is there now may be another."""
        self._covered, self._times = bool(kept["covered"]), int(kept["times"])

    def touched(self) -> None:
        """Somebody is there. A page that is covered stays so: the next person may be another."""
        self._touched = self._clock()
        if self._told == "warning":
            self._look()

    def uncover(self) -> None:
        """A person said to go on."""
        self._covered = False
        self._touched = self._clock()
        self._look()

    @property
    def stage(self) -> Stage:
        if self._held() == 0:
            return "nothing"
        if self._covered:
            return "covered"
        warns = self._config.idle_s is not None and not self._unsaved and self._left_s() <= self._config.warn_s
        return "warning" if warns else "awake"

    def _held(self) -> int:
        reading = self._session.reading
        read = 0 if reading is None else len(reading.pages)
        return read + sum(part.holds() for part in self._session.parts)

    @property
    def _unlocked(self) -> bool:
        return any(part.unlocked() for part in self._session.parts)

    @property
    def _unsaved(self) -> bool:
        """Also pages that wait while reading is paused."""
        reading = self._session.reading
        if any(part.holds() for part in self._session.parts):
            return True
        return reading is not None and (reading.unsaved or reading.running)

    @property
    def _at_work(self) -> bool:
        reading, saving = self._session.reading, self._session.saving
        reads = reading is not None and reading.running and not reading.paused
        return reads or (saving is not None and saving.running)

    def _left_s(self) -> float:
        idle_s = self._config.idle_s
        return float("inf") if idle_s is None else max(0.0, self._touched + idle_s - self._clock())

    async def follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._at_work or not (self._held() or self._unlocked):
                self._touched = self._clock()
                self._covered = self._covered and self._held() > 0
            elif self._left_s() == 0:
                await self._end_of_patience()
            self._look()

    async def _end_of_patience(self) -> None:
        if self._held() and self._unsaved:
            self._covered = True
            self._look()
        for part in self._session.parts:
            if part.unlocked():
                await part.lock_up()
        if self._held() and not self._covered:
            with suppress(Problem):
                await self.forget_batch()
                self._session.note("notice.forgotten")

    def _look(self) -> None:
        if self.stage != self._told:
            self._told = self.stage
            self._session.changed()

    async def forget_batch(self) -> None:
        """Let go of pages, pictures, results, edits and thumbnails, saved or not. Problem BUSY during a save."""
        session = self._session
        if session.saving is not None and session.saving.running:
            raise Problem(BUSY)
        reading = session.reading
        pages = [] if reading is None else [page.id for page in reading.pages]
        if reading is not None:
            await reading.stop()
        await session.settle()  # what was saved is still being counted
        session.reading = session.saving = None
        session.note(None)
        for part in session.parts:
            await part.let_go()
        for let_go in self._let_go:
            let_go()
        self._covered = False
        self._times += 1
        if self._on_forgotten is not None:
            await self._on_forgotten(pages)
        del reading
        session.state()  # parts that follow the reading see that it is gone
        await asyncio.to_thread(_give_back)
        log.info("%d pages were forgotten", len(pages))
        self._look()
        session.changed()


def tell_forgotten(config: StationConfig) -> None:
    """For the program that types Chinese, which has learned from what was typed (usr/lib/inkstick/input-method)."""
    if config.forgotten_flag is not None:
        try:
            config.forgotten_flag.touch()
        except OSError as error:
            log.error("the input method was not told to forget: %s", type(error).__name__)


def _give_back() -> None:
    """Best effort: what Python has let go of goes back to the kernel, which gives no process old contents."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
