"""Turns are taken in order, and as many at a time as may be."""

from __future__ import annotations

import asyncio

from runtime.gateway.turns import Turns


class Work:
    """Callers that hold their turn until they are let go."""

    def __init__(self, at_a_time: int) -> None:
        self.at_a_time = at_a_time
        self.turns = Turns(lambda: self.at_a_time)
        self.began: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._over: list[asyncio.Event] = []

    async def add(self, count: int) -> None:
        for _ in range(count):
            number = len(self.tasks)
            self._over.append(asyncio.Event())
            self.tasks.append(asyncio.create_task(self._one(number)))
        await self.settle()

    async def _one(self, number: int) -> None:
        async with self.turns.taken():
            self.began.append(number)
            await self._over[number].wait()

    async def end(self, number: int) -> None:
        self._over[number].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


def test_turns_are_taken_in_order() -> None:
    async def trial() -> None:
        work = Work(2)
        await work.add(5)
        assert work.began == [0, 1]
        await work.end(1)
        assert work.began == [0, 1, 2]
        await work.end(0)
        await work.end(2)
        assert work.began == [0, 1, 2, 3, 4]

    asyncio.run(trial())


def test_more_go_as_soon_as_more_may() -> None:
    async def trial() -> None:
        work = Work(1)
        await work.add(4)
        work.at_a_time = 3
        work.turns.changed()
        await work.settle()
        assert work.began == [0, 1, 2]
        work.at_a_time = 1
        await work.end(0)
        assert work.began == [0, 1, 2], "two are still at work"
        await work.end(1)
        await work.end(2)
        assert work.began == [0, 1, 2, 3]

    asyncio.run(trial())


def test_who_gives_up_takes_nobodys_turn() -> None:
    async def trial() -> None:
        work = Work(1)
        await work.add(4)
        work.tasks[1].cancel()
        await work.settle()
        work._over[0].set()
        work.tasks[2].cancel()  # in the moment in which its turn comes
        await work.settle()
        assert work.began in ([0, 3], [0, 2, 3])
        await work.end(3)
        await work.add(1)
        assert work.began[-1] == 4, "no turn was lost"
        await work.end(4)

    asyncio.run(trial())


def test_a_turn_given_to_one_who_was_just_cancelled_goes_on_to_the_next() -> None:
    async def trial() -> None:
        turns = Turns(lambda: 1)
        first, began = asyncio.Event(), []

        async def one(number: int, until: asyncio.Event) -> None:
            async with turns.taken():
                began.append(number)
                await until.wait()

        never = asyncio.Event()
        holder = asyncio.create_task(one(0, first))
        waiter, last = asyncio.create_task(one(1, never)), asyncio.create_task(one(2, asyncio.Event()))
        await asyncio.sleep(0)
        first.set()
        while turns._taken and not turns._line[0].done() and not holder.done():
            await asyncio.sleep(0)
        waiter.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert began[-1] == 2
        last.cancel()
        await asyncio.wait([waiter, last])

    asyncio.run(trial())
