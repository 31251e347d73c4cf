"""Pages' pixels as shared memory: sealed, handed to an engine through its socket, taken by a token once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from runtime.documents.pixels import Pixels, new_memory
from runtime.engine.handover import Handover, beside, hand_over


def test_an_engine_sees_the_very_pixels(tmp_path: Path) -> None:
    engine = tmp_path / "rapidocr.sock"
    handover = Handover(engine)
    token = hand_over(Pixels.of(b"ink" * 1000), engine)
    taken = handover.take(token, 3000)
    assert taken.mapped()[:] == b"ink" * 1000
    with pytest.raises(KeyError):
        handover.take(token, 3000)
    handover.close()
    assert not beside(engine).exists()


def test_memory_shorter_than_its_page_is_refused(tmp_path: Path) -> None:
    engine = tmp_path / "rapidocr.sock"
    handover = Handover(engine)
    with pytest.raises(ValueError):
        handover.take(hand_over(Pixels.of(b"ink"), engine), 4)
    handover.close()


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
    engine = tmp_path / "rapidocr.sock"
    handover = Handover(engine)
    (tmp_path / "file").write_bytes(b"ink")
    with open(tmp_path / "file", "rb") as file, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(beside(engine)))
        socket.send_fds(sender, [b"0123456789abcdef"], [file.fileno()])
    with pytest.raises(OSError):
        handover.take("0123456789abcdef", 3)
    handover.close()


def test_pages_that_nobody_asks_for_do_not_pile_up(tmp_path: Path) -> None:
    engine = tmp_path / "rapidocr.sock"
    handover = Handover(engine)
    before = len(os.listdir("/proc/self/fd"))
    last = ""
    for number in range(200):
        last = hand_over(Pixels.of(b"%03d" % number), engine)
        if number % 5 == 4:  # a datagram socket holds only so many
            with pytest.raises(KeyError):
                handover.take("nobody", 3)
    assert len(os.listdir("/proc/self/fd")) <= before + 64
    assert handover.take(last, 3).mapped()[:] == b"199"
    handover.close()


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        hand_over(Pixels.of(b"ink"), tmp_path / "rapidocr.sock")
