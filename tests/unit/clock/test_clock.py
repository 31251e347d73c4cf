"""The clock is set through the real helper's protocol; only the setting itself is not done to this machine."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.clock.client import ClockClient
from runtime.clock.server import ClockServer
from runtime.clock.setting import ClockRefused, Clocks, rtc_time
from runtime.problems import Problem


class Told(Clocks):
    """Refuses what Clocks refuses, and then only remembers."""

    def __init__(self, monkey: pytest.MonkeyPatch, board: bool) -> None:
        super().__init__(Path("/nonexistent"))
        self.set_to: list[float] = []
        self._board = board
        monkey.setattr("runtime.clock.setting.time.clock_settime", lambda _, at: self.set_to.append(at))

    @property
    def has_board_clock(self) -> bool:
        return self._board

    def _set_board(self, at: float) -> bool:
        return self._board


@contextmanager
def serving(path: Path, clocks: Clocks) -> Iterator[ClockServer]:
    server = ClockServer(path, clocks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("board", [True, False])
def test_the_clock_is_set_and_the_board_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: bool
) -> None:
    clocks = Told(monkeypatch, board)
    with serving(tmp_path / "clock.sock", clocks):
        client = ClockClient(tmp_path / "clock.sock")
        assert asyncio.run(client.ask()).board is board
        assert asyncio.run(client.set(1_900_000_000.0)).board is board
    assert clocks.set_to == [1_900_000_000.0]
    assert not (tmp_path / "clock.sock").exists()


@pytest.mark.parametrize("at", [0.0, 1e9, 5e9, float("nan"), float("inf")])
def test_a_time_that_cannot_be_is_refused_by_the_helper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: float
) -> None:
    clocks = Told(monkeypatch, True)
    with serving(tmp_path / "clock.sock", clocks), pytest.raises(Problem) as refused:
        asyncio.run(ClockClient(tmp_path / "clock.sock").set(at))
    assert refused.value.kind.code == "clock-refused"
    assert clocks.set_to == []


@pytest.mark.parametrize(
    "line",
    [b"", b"{}\n", b'{"op": "shell"}\n', b'{"op": "set"}\n', b'{"op": "set", "at": true}\n', b"x" * 4000 + b"\n"],
)
def test_what_is_no_wish_is_refused_and_the_next_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    async def send() -> bytes:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "clock.sock")
        writer.write(line)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    clocks = Told(monkeypatch, True)
    with serving(tmp_path / "clock.sock", clocks):
        assert b"refused" in asyncio.run(send())
        assert asyncio.run(ClockClient(tmp_path / "clock.sock").ask()).board
    assert clocks.set_to == []


def test_without_a_helper_the_clock_is_not_ours(tmp_path: Path) -> None:
    def code(action: Callable[[], object]) -> str:
        with pytest.raises(Problem) as refused:
            action()
        return refused.value.kind.code

    assert code(lambda: asyncio.run(ClockClient(None).set(1.9e9))) == "clock-not-ours"
    assert code(lambda: asyncio.run(ClockClient(tmp_path / "none.sock").set(1.9e9))) == "clock-refused"


def test_a_kernel_that_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int, at: float) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("runtime.clock.setting.time.clock_settime", refuse)
    with pytest.raises(ClockRefused, match="not permitted"):
        Clocks(tmp_path / "rtc0").set(1.9e9)


def test_the_board_is_told_in_utc_with_months_from_nought() -> None:
    assert struct.unpack("9i", rtc_time(1_900_000_000)) == (40, 46, 17, 17, 2, 130, 0, 0, 0)


def test_a_machine_without_a_board_clock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.clock.setting.time.clock_settime", lambda _, at: None)
    clocks = Clocks(tmp_path / "rtc0")
    assert not clocks.has_board_clock and clocks.set(1.9e9) is False
    (tmp_path / "rtc0").write_bytes(b"")  # a file takes no RTC_SET_TIME
    assert Clocks(tmp_path / "rtc0").set(1.9e9) is False
