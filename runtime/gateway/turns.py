"""First come, first served, as many at a time as the engine that reads now can take."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Turns:
    """`at_a_time` is asked whenever a turn is wanted or ends, and by `changed`."""

    def __init__(self, at_a_time: Callable[[], int]) -> None:
        self._at_a_time = at_a_time
        self._taken = 0
        self._line: deque[asyncio.Future[None]] = deque()

    def changed(self) -> None:
        """To be called when more may go at a time than before."""
        while self._line and self._taken < self._at_a_time():
            first = self._line.popleft()
            if not first.done():
                self._taken += 1
                first.set_result(None)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it for as long as the context lasts."""
        async with self.lined_up() as turn:
            await turn
            yield

    @asynccontextmanager
    async def lined_up(self) -> AsyncIterator[asyncio.Future[None]]:
        """A place in the line; the turn is there once its future is done, and lasts as long as the context."""
        mine = asyncio.get_running_loop().create_future()
        self._line.append(mine)
        self.changed()
        try:
            yield mine
        finally:
            if mine.done() and not mine.cancelled():  # it was given, also if whoever waited had just been cancelled
                self._taken -= 1
            else:
                mine.cancel()
            self.changed()
