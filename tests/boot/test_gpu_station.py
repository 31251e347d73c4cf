"""The stick for a graphics card, in a machine without one: it says so, and reads with the CPU engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.build import build
from builder.cache import default_cache, exclusive
from builder.profile import load_profile
from tests.boot.conftest import StartMachine
from tests.boot.person import ANSWER_S, START_S, power_off, read_all_and_save
from tests.boot.qemu import MILESTONES, Firmware, in_order
from tests.boot.screen import wait_for_text
from tests.boot.stick import make_stick, read_from
from tests.pages.cer import cer
from tests.pages.render import render

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def gpu_iso() -> Path:
    """The 4090d profile with random weights: seconds where it is built, minutes where it is not."""
    profile = load_profile("4090d")
    assert profile.model
    cache = default_cache()
    with exclusive(cache):
        return build(profile.model_copy(update={"model": profile.model.instead("synthetic")}), cache).iso


def test_a_machine_without_a_card_says_so_and_reads_a_page(gpu_iso: Path, start: StartMachine, tmp_path: Path) -> None:
    page = render("note")
    page.image.save(tmp_path / "page.png")
    stick = make_stick(tmp_path / "stick.img", {"1-english.png": tmp_path / "page.png"})
    machine = start(gpu_iso, Firmware.SEABIOS, stick)
    for milestone in MILESTONES[:-1]:
        machine.wait_for(milestone, START_S)
    wait_for_text(machine, "没有 NVIDIA 显卡", "NO-NVIDIA-CARD", "rapidocr", name="0-trouble", limit_s=ANSWER_S)
    wait_for_text(machine, "随机权重", name="0-trouble", limit_s=ANSWER_S)
    machine.press("l")
    wait_for_text(machine, "No NVIDIA GPU", name="0-trouble-english", limit_s=ANSWER_S)
    machine.press("l")
    machine.press("ret")
    machine.wait_for("engine-ready", START_S)
    assert in_order(machine.reports)
    read_all_and_save(machine, ["1-english.png"], "Store room key")
    power_off(machine)
    assert cer(page.text, read_from(stick, "Inkstick/1-english.txt").decode()) <= 0.02
    assert json.loads(read_from(stick, "Inkstick/1-english.json"))["engine"]["name"] == "rapidocr"
