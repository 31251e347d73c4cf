"""The manifest: what the boot script reads is what the builder wrote."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder.errors import VerifyError
from builder.manifest import Layer, Manifest, find_in, layer_file, parse

LAYERS = (
    Layer("base", "base-0123456789abcdef.squashfs", 8192, 4096, "0123456789abcdef" * 4),
    Layer("station", "station-fedcba9876543210.squashfs", 12288, 8192, "fedcba9876543210" * 4),
)
MANIFEST = Manifest("demo", "0.1.0", LAYERS)


def test_its_text_can_be_read_back() -> None:
    assert parse(MANIFEST.text) == MANIFEST


def test_another_layer_gives_another_id() -> None:
    assert Manifest("demo", "0.1.0", LAYERS[:1]).id != MANIFEST.id


def test_cpio_unpacks_it(tmp_path: Path) -> None:
    subprocess.run(["cpio", "-i", "--quiet"], input=MANIFEST.cpio, cwd=tmp_path, check=True)
    assert (tmp_path / "inkstick/manifest").read_text() == MANIFEST.text


def test_it_is_found_at_the_end_of_an_initramfs() -> None:
    assert find_in(b"\x28\xb5\x2f\xfd compressed " * 40 + MANIFEST.cpio) == MANIFEST


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"inkstick/manifest\0"])
def test_an_initramfs_without_one_is_refused(content: bytes) -> None:
    with pytest.raises(VerifyError):
        find_in(content)


def test_an_unknown_line_is_refused() -> None:
    with pytest.raises(VerifyError):
        parse(MANIFEST.text + "mount anything\n")


def test_an_encrypted_layer_is_marked_and_the_others_are_as_ever() -> None:
    sealed = Layer("model", layer_file("model", "a" * 64, encrypted=True), 8192, 4096, "a" * 64, encrypted=True)
    both = Manifest("demo", "0.1.0", (*LAYERS, sealed))
    assert both.text == MANIFEST.text + f"layer model model-{'a' * 16}.luks 8192 4096 {'a' * 64} luks2\n"
    assert parse(both.text) == both


@pytest.mark.parametrize("ending", [" luks1", " luks2 more", " "])
def test_a_layer_line_with_anything_else_behind_it_is_refused(ending: str) -> None:
    with pytest.raises(VerifyError):
        parse(MANIFEST.text.rstrip("\n") + ending + "\n")


def test_layer_names_fit_every_file_system() -> None:
    assert len(layer_file("station", "f" * 64)) <= 40
