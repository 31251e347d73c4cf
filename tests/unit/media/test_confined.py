from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.media import confined
from runtime.problems import FILE_TOO_LARGE, NOT_FOUND, Problem


def test_images_come_in_the_order_a_person_counts_and_folder_by_folder(tmp_path: Path) -> None:
    for name in ("page10.png", "Page2.JPG", "发票/1.tif", "notes.txt", ".hidden.png", "$RECYCLE.BIN/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    listing = confined.images(tmp_path)
    assert [entry.path for entry in listing.files] == ["Page2.JPG", "page10.png", "发票/1.tif"]
    assert not listing.truncated


def test_what_was_saved_is_not_offered_to_be_read_again(tmp_path: Path) -> None:
    for name in ("scan.png", "inkstick/scan.pdf", "2026/Inkstick/kept.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [entry.path for entry in confined.images(tmp_path).files] == ["scan.png", "2026/Inkstick/kept.pdf"]


def test_a_list_that_is_too_long_says_that_it_was_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    listing = confined.images(tmp_path)
    assert len(listing.files) == 3
    assert listing.truncated


def test_names_that_are_not_utf8_can_be_listed_and_read(tmp_path: Path) -> None:
    name = "扫描.png".encode("gb18030")
    with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:
        file.write(b"pixels")
    (entry,) = confined.images(tmp_path).files
    assert confined.read(tmp_path, entry.path, 100) == b"pixels"


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "", "a//b.png", "./a.png", "a\0.png"])
def test_a_path_never_leaves_the_stick(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "stick").mkdir()
    with pytest.raises(Problem) as caught:
        confined.read(tmp_path / "stick", path, 100)
    assert caught.value.kind is NOT_FOUND


def test_links_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / "folder.png").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.png").write_bytes(b"secret")
    (stick / "link.png").symlink_to(tmp_path / "outside" / "secret.png")
    (stick / "linked").symlink_to(tmp_path / "outside")
    os.mkfifo(stick / "pipe.png")
    assert confined.images(stick).files == ()
    for path in ("link.png", "linked/secret.png", "pipe.png", "folder.png"):
        with pytest.raises(Problem) as caught:
            confined.read(stick, path, 100)
        assert caught.value.kind is NOT_FOUND


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "big.png").write_bytes(b"x" * 11)
    with pytest.raises(Problem) as caught:
        confined.read(tmp_path, "big.png", 10)
    assert caught.value.kind is FILE_TOO_LARGE
