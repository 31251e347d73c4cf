"""Pages go to an engine through a socket of their own, as sealed memory; to close it gives them up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from runtime.documents.pixels import Pixels, new_memory
from runtime.engine.page_socket import PageSocket, answers, asked, beside
from runtime.engine.wire import Message, Question
from runtime.results import Progress
from runtime.tasks.task import Ask, Task

LIMIT_S = 60
QUESTION = Question(width=4, height=1, ask=Ask(task=Task.FIELDS, keys=("姓名",) * 64), stall_s=7)


async def said(connection: socket.socket) -> list[bytes]:
    return [line async for line in answers(connection)]


async def echo(question: Question, descriptor: int) -> AsyncGenerator[bytes]:
    """Says what it was asked, and the bytes that came with it."""
    seen = bytes(Pixels(descriptor, question.width * question.height * 3))
    yield question.line()
    yield seen.hex().encode() + b"\n"


def test_an_engine_sees_the_very_pixels_and_the_question(tmp_path: Path) -> None:
    engine = tmp_path / "rapidocr.sock"

    async def trial() -> None:
        async with asyncio.timeout(LIMIT_S), PageSocket(engine, echo).open():
            assert beside(engine).stat().st_mode & 0o777 == 0o660
            question, pixels = await said(asked(QUESTION, Pixels.of(b"ink+paper..."), engine))
            assert Question.model_validate_json(question) == QUESTION
            assert bytes.fromhex(pixels.decode()) == b"ink+paper..."
        assert not beside(engine).exists()

    asyncio.run(trial())


def test_an_answer_of_many_megabytes_comes_whole(tmp_path: Path) -> None:
    engine = tmp_path / "rapidocr.sock"
    long = b"x" * (5 << 20) + b"\n"

    async def much(_: Question, descriptor: int) -> AsyncGenerator[bytes]:
        os.close(descriptor)
        yield long
        yield long

    async def trial() -> None:
        async with asyncio.timeout(LIMIT_S), PageSocket(engine, much).open():
            assert await said(asked(QUESTION, Pixels.of(b"ink"), engine)) == [long, long]

    asyncio.run(trial())


def test_to_close_gives_the_page_up(tmp_path: Path) -> None:
    engine = tmp_path / "rapidocr.sock"

    async def trial() -> None:
        given_up = asyncio.Event()

        async def endless(_: Question, descriptor: int) -> AsyncGenerator[bytes]:
            os.close(descriptor)
            try:
                yield Message(progress=Progress(stage="detect")).line()
                await asyncio.Event().wait()
            finally:
                given_up.set()

        async with asyncio.timeout(LIMIT_S), PageSocket(engine, endless).open():
            async with contextlib.aclosing(answers(asked(QUESTION, Pixels.of(b"ink"), engine))) as lines:
                await anext(lines)
            await given_up.wait()

    asyncio.run(trial())


def test_a_page_in_hand_is_answered_before_the_engine_ends(tmp_path: Path) -> None:
    engine = tmp_path / "rapidocr.sock"

    async def trial() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def patient(_: Question, descriptor: int) -> AsyncGenerator[bytes]:
            os.close(descriptor)
            begun.set()
            await go_on.wait()
            yield b"read\n"

        async def serve() -> None:
            async with PageSocket(engine, patient).open():
                await begun.wait()

        async with asyncio.timeout(LIMIT_S):
            serving = asyncio.create_task(serve())
            while not beside(engine).exists():
                await asyncio.sleep(0.01)
            answer = asyncio.create_task(said(asked(QUESTION, Pixels.of(b"ink"), engine)))
            await begun.wait()
            while beside(engine).exists():
                await asyncio.sleep(0.01)
            with pytest.raises(OSError):
                asked(QUESTION, Pixels.of(b"ink"), engine)
            go_on.set()
            assert await answer == [b"read\n"]
            await serving

    asyncio.run(trial())


@pytest.mark.parametrize("sent", [b"", b"no question\n", b"{}\n", b"x" * (1 << 17), QUESTION.line()[:-1]])
def test_whoever_asks_nothing_sensible_is_let_go_and_leaves_nothing_open(tmp_path: Path, sent: bytes) -> None:
    engine = tmp_path / "rapidocr.sock"

    async def trial() -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT_S), PageSocket(engine, echo).open():
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                pixels = Pixels.of(b"ink")
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                    connection.setblocking(False)
                    connection.connect(str(beside(engine)))
                    if sent:
                        socket.send_fds(connection, [sent[:1]], [pixels.descriptor])
                        with contextlib.suppress(ConnectionError):
                            await loop.sock_sendall(connection, sent[1:])
                    connection.shutdown(socket.SHUT_WR)
                    with contextlib.suppress(ConnectionError):
                        while await loop.sock_recv(connection, 1024):
                            pass
                del pixels
            while len(os.listdir("/proc/self/fd")) > before:
                await asyncio.sleep(0.01)

    asyncio.run(trial())


def test_memory_shorter_than_its_page_is_refused() -> None:
    pixels = Pixels.of(b"ink")
    with pytest.raises(ValueError):
        Pixels(os.dup(pixels.descriptor), 4)


def test_whoever_handed_memory_over_can_neither_shorten_nor_change_it() -> None:
    descriptor = new_memory("page")
    os.write(descriptor, b"ink")
    pixels = Pixels(descriptor, 3)
    with pytest.raises(PermissionError):
        os.truncate(descriptor, 1)
    with pytest.raises(PermissionError):
        os.pwrite(descriptor, b"x", 0)
    assert bytes(pixels) == b"ink"


def test_files_that_cannot_be_sealed_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"ink")
    with pytest.raises(OSError):
        Pixels(os.open(tmp_path / "file", os.O_RDONLY), 3)


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        asked(QUESTION, Pixels.of(b"ink"), tmp_path / "rapidocr.sock")
