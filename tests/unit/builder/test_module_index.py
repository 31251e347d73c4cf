"""The modules' index made beside the installation: taken where it is of the same modules."""

from __future__ import annotations

import subprocess
from concurrent.futures import Future
from pathlib import Path

import pytest

from builder.layers.module_index import settle

VERSION = "6.12.1"
FOLDER = f"usr/lib/modules/{VERSION}"


def tree(root: Path, modules: list[str], index: dict[str, str]) -> Path:
    for name in modules:
        file = root / FOLDER / "kernel" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    for name, text in index.items():
        (root / FOLDER / name).write_text(text)
    return root


def finished() -> Future[None]:
    made: Future[None] = Future()
    made.set_result(None)
    return made


def test_an_index_of_the_same_modules_is_taken_and_the_packages_own_files_stay(tmp_path: Path) -> None:
    beside = tree(tmp_path / "beside", ["a.ko.xz", "fs/b.ko"], {"modules.dep": "new", "modules.order": "copy"})
    target = tree(tmp_path / "tree", ["a.ko.xz", "fs/b.ko"], {"modules.order": "package's"})
    settle(target, beside, finished())
    assert (target / FOLDER / "modules.dep").read_text() == "new"
    assert (target / FOLDER / "modules.order").read_text() == "package's"
    assert not beside.exists()


def test_an_index_of_other_modules_is_not_taken(tmp_path: Path) -> None:
    beside = tree(tmp_path / "beside", ["a.ko", "b.ko"], {"modules.dep": "of two"})
    target = tree(tmp_path / "tree", ["a.ko"], {})
    with pytest.raises(subprocess.CalledProcessError, match="depmod"):  # the tree's own, which is not in this one
        settle(target, beside, finished())
    assert not (target / FOLDER / "modules.dep").exists()


def test_what_went_wrong_beside_is_told(tmp_path: Path) -> None:
    failed: Future[None] = Future()
    failed.set_exception(SystemExit("cannot unpack linux-image"))
    with pytest.raises(SystemExit, match="linux-image"):
        settle(tree(tmp_path / "tree", ["a.ko"], {}), tmp_path / "beside", failed)
