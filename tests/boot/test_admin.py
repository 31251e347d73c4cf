"""The admin page on a machine of its own: the clock helper, the journal, the diagnostics, restart and power off."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.boot.conftest import StartMachine
from tests.boot.person import ANSWER_S, START_S
from tests.boot.qemu import Firmware, Machine
from tests.boot.screen import wait_for_text
from tests.boot.stick import make_stick, names_on, read_from

PIN = "738291"
YEAR = 2031
TO_THE_PANEL = ("tab",) * 10
"""From the PIN's pad past the nine tabs, to the first button of the panel that is shown."""


@pytest.mark.full
def test_the_clock_set_there_outlives_the_restart_that_is_asked_for_there(
    iso: Path, start: StartMachine, tmp_path: Path
) -> None:
    stick = make_stick(tmp_path / "stick.img", {}, label="BUNDLE")
    machine = start(iso, Firmware.SEABIOS, stick)
    machine.wait_for("engine-ready", START_S)
    assert machine.board_clock().year < YEAR
    _enter(machine, "1")
    machine.press("3")
    wait_for_text(machine, "1.rapidocr", name="2-engines", limit_s=ANSWER_S)
    machine.press("8")
    wait_for_text(machine, "与任何网络隔绝", "启动盘不含网卡", name="3-network", limit_s=ANSWER_S)

    machine.press("7")
    wait_for_text(machine, "设置时钟", "Asia/Shanghai", name="4-clock", limit_s=ANSWER_S)
    machine.press(*TO_THE_PANEL, "tab")
    machine.type(str(YEAR))
    wait_for_text(machine, str(YEAR), name="5-year", limit_s=ANSWER_S)
    machine.press("esc", "s")
    wait_for_text(machine, "主板时钟也已写入", f"{YEAR}-", name="6-set", limit_s=ANSWER_S)
    assert machine.board_clock().year == YEAR

    machine.press("q")
    wait_for_text(machine, "请输入管理密码", name="7-door", limit_s=ANSWER_S)
    machine.type(PIN)
    machine.press("ret")
    wait_for_text(machine, "设置时钟", name="8-again", limit_s=ANSWER_S)
    machine.press("6")
    wait_for_text(machine, "诊断包存到", "BUNDLE", name="9-logs", limit_s=ANSWER_S)
    machine.press(*TO_THE_PANEL, "ret")
    wait_for_text(machine, "可以拔出", name="10-bundle", limit_s=ANSWER_S)

    machine.press("9")
    wait_for_text(machine, "关机后内存中的内容全部消失", name="11-power", limit_s=ANSWER_S)
    machine.press("b")
    wait_for_text(machine, "重新启动？", "未导出的结果会丢失", name="12-sure", limit_s=ANSWER_S)
    machine.expect_restart()
    machine.press("y")
    machine.wait_for("kiosk-painted", START_S)

    assert machine.board_clock().year == YEAR
    _enter(machine, "13")
    machine.press("7")
    wait_for_text(machine, f"{YEAR}-", name="14-clock", limit_s=ANSWER_S)
    machine.press("9", "x")
    wait_for_text(machine, "要关机吗", name="15-sure", limit_s=ANSWER_S)
    machine.press("y")
    machine.wait_until_off(ANSWER_S)

    (bundle,) = (name for name in names_on(stick, "Inkstick") if name.endswith(".zip"))
    with zipfile.ZipFile(io.BytesIO(read_from(stick, f"Inkstick/{bundle}"))) as content:
        told = [json.loads(line) for line in content.read("log.jsonl").splitlines()]
        machine_facts = json.loads(content.read("versions.json"))
    assert any("the clock was set, the board's too" in line["text"] for line in told), told
    assert machine_facts["profile"] == "demo"


def _enter(machine: Machine, name: str) -> None:
    """Nobody has chosen a PIN since power-on: the first visitor does."""
    machine.press("shift+slash")
    wait_for_text(machine, "按键说明", name=f"{name}-keys", limit_s=ANSWER_S)
    machine.press("g")
    wait_for_text(machine, "请设置管理密码", name=f"{name}-choose", limit_s=ANSWER_S)
    machine.type(PIN)
    machine.press("ret")
    wait_for_text(machine, "请再输入一次", name=f"{name}-repeat", limit_s=ANSWER_S)
    machine.type(PIN)
    machine.press("ret")
    wait_for_text(machine, "运行概况", "每分钟页数", name=f"{name}-desk", limit_s=ANSWER_S)
