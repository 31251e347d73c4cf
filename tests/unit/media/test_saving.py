from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from runtime.media import saving
from runtime.media.saving import Written
from runtime.media.wire import Document, Part, SaveProgress
from runtime.problems import STICK_FULL, STICK_UNREADABLE, Problem


def document(stem: str) -> Document:
    return Document(stem, (Part(".txt", 1), Part(".json", 1)))


def write(root: Path, *stems: str, contents: list[bytes] | None = None) -> Written:
    documents = tuple(document(stem) for stem in stems)
    given = contents or [b"x"] * 2 * len(stems)
    return saving.write(root, documents, ([each] for each in given), lambda _: None)


def test_nothing_is_ever_overwritten_and_pairs_stay_pairs(tmp_path: Path) -> None:
    (tmp_path / "Inkstick").mkdir()
    (tmp_path / "Inkstick/SCAN.json").write_bytes(b"old")
    assert write(tmp_path, "scan", "scan").saved.names == (
        "scan-2.txt",
        "scan-2.json",
        "scan-3.txt",
        "scan-3.json",
    )
    assert (tmp_path / "Inkstick/SCAN.json").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("wished", "given"),
    [
        ("合同 第1页", "合同 第1页"),
        ('a/b\\c:d*e?"<>|', "a_b_c_d_e_____"),
        ("con", "_con"),
        ("..", "page"),
        ("name. ", "name"),
        ("\udcff", "_"),
        ("字" * 100, "字" * 66),
    ],
)
def test_a_name_fits_every_file_system(wished: str, given: str) -> None:
    assert saving.free_stem(document(wished), set()) == given


def test_a_full_stick_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((1, 1, 9, 9, 9, 9, 9, 9, 0, 255)))
    with pytest.raises(Problem) as caught:
        write(tmp_path, "scan")
    assert caught.value.kind is STICK_FULL
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_half_way_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    calls = []

    def fail_the_third_time(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "full")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail_the_third_time)
    with pytest.raises(OSError, match="full"):
        write(tmp_path, "one", "two")
    assert list(tmp_path.iterdir()) == []


def test_a_byte_that_comes_back_different_is_noticed(tmp_path: Path) -> None:
    seen: list[SaveProgress] = []
    written = write(tmp_path, "scan")
    saving.compare(tmp_path, written, seen.append)
    assert seen[-1] == SaveProgress("check", 2, 2)
    (tmp_path / "Inkstick/scan.txt").write_bytes(b"y")
    with pytest.raises(Problem) as caught:
        saving.compare(tmp_path, written, seen.append)
    assert caught.value.kind is STICK_UNREADABLE


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "Inkstick").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Problem):
        write(stick, "scan")
    assert list((tmp_path / "elsewhere").iterdir()) == []
