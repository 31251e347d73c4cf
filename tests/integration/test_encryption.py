"""The encrypted model layer: what cryptsetup makes of it without the kernel, and how the boot script asks for it."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import termios
from pathlib import Path

import pytest

from builder import verity
from builder.keys import ROOT
from builder.layers.encryption import HEADER_BYTES, encrypt

PASSPHRASE = "correct horse battery"
BOOT_SCRIPT = ROOT / "overlay/initramfs/scripts/inkstick"
SECRET = b"weights that nobody else has " * 4000


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A squashfs image as the model layer's: uncompressed."""
    room = tmp_path_factory.mktemp("plain")
    (room / "tree").mkdir()
    (room / "tree/model.safetensors").write_bytes(SECRET)
    argv: list[str | Path] = [
        "mksquashfs",
        room / "tree",
        room / "image",
        "-noI",
        "-noD",
        "-noF",
        "-noX",
        "-no-progress",
        "-quiet",
    ]
    subprocess.run(argv, check=True)
    return room / "image"


@pytest.fixture(scope="module")
def container(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("container")
    (room / "passphrase").write_text(PASSPHRASE + "\n")
    shutil.copyfile(plain, room / "image")
    encrypt(room / "image", room / "passphrase")
    return room / "image"


def opens(container: Path, passphrase: str) -> int:
    argv: list[str | Path] = ["cryptsetup", "open", "--test-passphrase", "--disable-locks", "--key-file=-", container]
    return subprocess.run(argv, input=passphrase.encode(), capture_output=True, check=False).returncode


def test_the_passphrase_opens_it_as_it_is_typed_and_no_other_does(container: Path) -> None:
    assert opens(container, PASSPHRASE) == 0
    assert opens(container, PASSPHRASE + "\n") == 2
    assert opens(container, "correct horse batterz") == 2


def test_nothing_of_the_weights_and_nothing_of_the_passphrase_can_be_read(container: Path) -> None:
    content = container.read_bytes()
    assert SECRET[:24] not in content and PASSPHRASE.encode() not in content
    assert b"hsqs" not in content[HEADER_BYTES : HEADER_BYTES + 4096]


def test_decrypted_it_is_the_image_again(container: Path, plain: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copyfile(container, copy)
    argv = ["cryptsetup", "reencrypt", "--decrypt", "--force-offline-reencrypt", "--batch-mode", "--disable-locks"]
    subprocess.run(
        [*argv, "--key-file=-", f"--header={tmp_path / 'header'}", copy],
        input=PASSPHRASE.encode(),
        check=True,
        capture_output=True,
    )
    bytes_ = plain.stat().st_size
    assert copy.read_bytes()[:bytes_] == plain.read_bytes()
    about = subprocess.run(["unsquashfs", "-s", copy], check=True, capture_output=True, text=True).stdout
    assert "valid SQUASHFS" in about


def test_the_kernel_finds_the_image_behind_the_header_and_no_more(container: Path, plain: Path) -> None:
    about = subprocess.run(["cryptsetup", "luksDump", container], check=True, capture_output=True, text=True).stdout
    assert re.search(rf"offset: {HEADER_BYTES} \[bytes\]", about) and "cipher: aes-xts-plain64" in about
    assert container.stat().st_size == plain.stat().st_size + HEADER_BYTES


def test_two_containers_of_one_image_have_nothing_in_common(container: Path, plain: Path, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    shutil.copyfile(plain, tmp_path / "other")
    encrypt(tmp_path / "other", tmp_path / "passphrase")
    one, other = container.read_bytes()[HEADER_BYTES:], (tmp_path / "other").read_bytes()[HEADER_BYTES:]
    pairs = range(0, len(one), 4096)
    assert not any(one[place : place + 4096] == other[place : place + 4096] for place in pairs)


def test_it_is_verified_without_being_opened(container: Path, tmp_path: Path) -> None:
    copy = tmp_path / "image"
    shutil.copyfile(container, copy)
    tree = verity.append(copy, "model")
    with copy.open("rb") as stream:
        verity.check(stream, 0, tree)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A container with nothing in it that costs little to try."""
    file = tmp_path_factory.mktemp("quick") / "container"
    file.write_bytes(bytes(4 << 20))
    argv = ["cryptsetup", "luksFormat", "--batch-mode", "--disable-locks", "--type", "luks2", "--key-file=-"]
    cheap = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--luks2-keyslots-size", "512k"]
    subprocess.run([*argv, *cheap, "--offset", "2048", file], input=PASSPHRASE.encode(), check=True)
    return file


SCRIPT = """
LIFEBOAT=
report() { echo "reported $*"; }
show() { echo "shows $2"; }
stop() { echo "stopped $*"; exit 9; }
modprobe() { :; }
cryptsetup() { command cryptsetup open --test-passphrase --disable-locks --key-file - "$CONTAINER"; }
"""


def script(terminal: str = "/dev/null", **paths: Path) -> str:
    """The boot script's functions with paths of this machine, without what only a device mapper can do."""
    text = BOOT_SCRIPT.read_text().replace(". /lifeboat/inkstick-screen", "")
    text = re.sub(r"^\. /scripts/(\S+)$", _inlined, text, flags=re.MULTILINE)
    text = text.replace('terminal="/dev/tty$CALM_TTY"', f'terminal="{terminal}"')
    for name, path in paths.items():
        text = re.sub(rf"^{name}=.*$", f"{name}={path}", text, flags=re.MULTILINE)
    return text + SCRIPT


def _inlined(sourced: re.Match[str]) -> str:
    return (BOOT_SCRIPT.parent / sourced[1]).read_text()


def run(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(["sh"], input=text, env=own, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("ending", "understood"), [("", True), (" luks2", True), (" luks1", False), (" luks2 x", False)]
)
def test_the_boot_script_takes_that_one_mark_behind_a_layer(tmp_path: Path, ending: str, understood: bool) -> None:
    line = f"model model-{'a' * 16}.luks 8192 4096 {'a' * 64}{ending}"
    (tmp_path / "manifest").write_text(f"inkstick-manifest 1\nprofile demo\nversion 0.1.0\nlayer {line}\n")
    done = run(script(MANIFEST=tmp_path / "manifest", LAYERS=tmp_path / "layers") + "read_manifest\n")
    assert ("stopped MANIFEST-INVALID" not in done.stdout) is understood, done.stdout + done.stderr
    if understood:
        assert (tmp_path / "layers").read_text() == line + "\n"


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        ([PASSPHRASE], ["shows UNLOCK", "shows STARTING", "open"]),
        (
            ["wrong one", PASSPHRASE],
            ["shows UNLOCK", "shows STARTING", "shows UNLOCK-AGAIN", "shows STARTING", "open"],
        ),
        ([""], ["shows UNLOCK", "closed"]),
        (["wrong one", ""], ["shows UNLOCK", "shows STARTING", "shows UNLOCK-AGAIN", "closed"]),
        (["1", "2", "3", PASSPHRASE], ["shows STARTING", "stopped MODEL-LOCKED"]),
    ],
)
def test_three_tries_or_none(quick: Path, tmp_path: Path, typed: list[str], outcome: list[str]) -> None:
    (tmp_path / "typed").write_text("".join(f"{line}\n" for line in typed))
    ask = 'ask() { show 1 "$1"; IFS= read -r answer <&4; }\n'
    calls = (
        f"exec 4<{tmp_path / 'typed'}\nif unseal /dev/mapper/inkstick-model; then echo open; else echo closed; fi\n"
    )
    done = run(script() + ask + calls, CONTAINER=str(quick))
    assert done.stdout.splitlines()[-len(outcome) :] == outcome, done.stdout + done.stderr


def test_what_is_typed_is_not_shown_and_what_was_typed_before_does_not_count() -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"\n\nimpatience\n")
        body = script(os.ttyname(theirs)) + 'ask UNLOCK 1\necho "answer=$answer"\n'
        process = subprocess.Popen(["sh", "-c", body], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "shows UNLOCK\n"
        assert process.stdout.readline() == "reported passphrase-asked 1\n"
        assert not _shows(theirs)
        os.write(ours, b" two  words \n")
        assert process.stdout.readline() == "answer= two  words \n"
        process.wait()
        seen = os.read(ours, 10_000)
        assert b"words" not in seen
        assert _shows(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def _shows(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
