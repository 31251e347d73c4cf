"""The screens before Xorg: they fit a console font, and every refusal has one."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
import yaml

from builder import screens
from builder.keys import ROOT
from builder.screens import Charset, ScreenError, is_wide, width, wrap
from tests.pages import fonts

MESSAGES = ROOT / "overlay/messages/stopped.yaml"
SCRIPTS = ROOT / "overlay/initramfs"
_CODE = re.compile(r"\b(?:stop|refuse|abandon) ([A-Z]+(?:-[A-Z]+)+)")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("screens")
    screens.render_stop_screens(MESSAGES, Path(str(fonts.han(12).path)), out)
    return out


def test_every_code_that_can_stop_the_station_has_a_screen_and_none_is_idle() -> None:
    used = {
        code
        for script in SCRIPTS.rglob("*")
        if script.is_file()
        for code in _CODE.findall(script.read_text(encoding="utf-8"))
    }
    assert used == set(yaml.safe_load(MESSAGES.read_text(encoding="utf-8"))["stopped"])


def test_every_character_of_every_screen_has_a_glyph(drawn: Path) -> None:
    for font in ("font-16x32.psf", "font-8x16.psf"):
        known = _unicode_table((drawn / font).read_bytes())
        for screen in drawn.glob("*.txt"):
            text = re.sub(r"\033\[\d+m|@DETAIL@|\n", "", screen.read_text(encoding="utf-8"))
            assert set(text) <= known.keys(), screen.name


def test_ascii_lies_at_its_own_numbers_because_the_kernel_clears_with_glyph_32(drawn: Path) -> None:
    known = _unicode_table((drawn / "font-16x32.psf").read_bytes())
    assert all(known[char] == ord(char) for char in screens.ASCII)


def test_screens_fit_the_smallest_console(drawn: Path) -> None:
    for screen in drawn.glob("*.txt"):
        lines = re.sub(r"\033\[\d+m", "", screen.read_text(encoding="utf-8")).splitlines()
        assert len(lines) <= 24, screen.name
        assert max(map(len, lines)) <= screens.COLUMNS, screen.name


def test_drawing_twice_gives_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    screens.render_stop_screens(MESSAGES, Path(str(fonts.han(12).path)), tmp_path)
    for file in drawn.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_more_characters_than_a_font_holds_are_an_error() -> None:
    with pytest.raises(ScreenError, match="more than a console font holds"):
        Charset.of("".join(map(chr, range(0x4E00, 0x4E00 + 300))))


def test_lines_break_between_chinese_characters_but_never_before_a_full_stop() -> None:
    assert wrap("启动盘已拔出。", 12) == ["启动盘已拔", "出。"]
    assert wrap("按 Enter 重新启动", 10) == ["按 Enter", "重新启动"]


def test_wide_characters_take_two_cells() -> None:
    assert width("按 P 关机") == 9
    assert not is_wide(screens.RULE)


def _unicode_table(font: bytes) -> dict[str, int]:
    _, _, header, _, glyphs, size, _, _ = struct.unpack("<8I", font[:32])
    assert glyphs == screens.GLYPHS
    rows = font[header + glyphs * size :].split(b"\xff")
    return {row.decode(): number for number, row in enumerate(rows) if row}
