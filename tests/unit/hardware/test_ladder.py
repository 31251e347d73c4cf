"""Which engine a machine gets, and which trouble it is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from builder.gpu.supported import from_debian, from_installer
from builder.keys import ROOT
from builder.profile.load import available, load_profile
from runtime.hardware import __main__ as unit
from runtime.hardware.facts import Card, Facts, Gpu
from runtime.hardware.ladder import Needs, judge
from runtime.kiosk import catalogue

GB = 1_000_000_000
VLLM = Needs("vllm", card=True, capability=80, vram_bytes=20 * GB, ram_bytes=11 * GB, model=True)
TRANSFORMERS = Needs("transformers", card=True, capability=75, vram_bytes=8 * GB, ram_bytes=7 * GB, model=True)
LADDER = (VLLM, TRANSFORMERS, Needs("rapidocr"))
GOOD = Facts(
    cards=(Card("0000:01:00.0", "2685"),),
    supported=frozenset({"1340", "2204", "2685", "28f8"}),
    module_version="550.163.01",
    library_version="550.163.01",
    secure_boot=False,
    gpus=(Gpu("NVIDIA GeForce RTX 4090 D", 25_757_220_864, 89, "GPU-0a"),),
    ram_bytes=64 * GB,
    has_model=True,
)
NO_DRIVER = replace(GOOD, module_version=None, gpus=())
NOT_SUPPORTED = (
    "NVRM: The NVIDIA GPU 0000:01:00.0 (PCI ID: 10de:2b85)",
    "NVRM: installed in this system is not supported by the",
    "NVRM: NVIDIA 550.163.01 driver release.",
)
LEGACY = (
    "NVRM: The NVIDIA GeForce GTX 680 GPU installed in this system is supported through the NVIDIA 470.xx Legacy",
)


def codes(facts: Facts) -> list[str]:
    return [trouble.code for trouble in judge(facts, LADDER).troubles]


def test_a_good_machine_starts_the_first_engine_and_keeps_the_second_waiting() -> None:
    verdict = judge(GOOD, LADDER)
    assert verdict.parts == {"vllm": "start", "transformers": "standby", "rapidocr": "start"}
    assert verdict.troubles == ()


NO_DEVICE = "modprobe: ERROR: could not insert 'nvidia': No such device"
CASES: dict[str, tuple[Facts, list[str]]] = {
    "no card": (replace(NO_DRIVER, cards=()), ["NO-NVIDIA-CARD"]),
    "wrong key": (
        replace(NO_DRIVER, secure_boot=True, refusal="could not insert 'nvidia': Key was rejected by service"),
        ["MODULE-REFUSED"],
    ),
    "lockdown": (
        replace(
            NO_DRIVER,
            secure_boot=True,
            refusal="could not insert 'nvidia': Operation not permitted",
            kernel_log=("Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",),
        ),
        ["MODULE-REFUSED"],
    ),
    "newer than the driver, by its log": (
        replace(NO_DRIVER, cards=(Card("0", "2b85"),), refusal=NO_DEVICE, kernel_log=NOT_SUPPORTED),
        ["CARD-TOO-NEW"],
    ),
    "newer than the driver, by its list": (
        replace(NO_DRIVER, cards=(Card("0", "2b85"),), refusal=NO_DEVICE),
        ["CARD-TOO-NEW"],
    ),
    "older than the driver, by its log": (
        replace(NO_DRIVER, cards=(Card("0", "1180"),), refusal=NO_DEVICE, kernel_log=LEGACY),
        ["CARD-TOO-OLD"],
    ),
    "older than the driver, by its list": (
        replace(NO_DRIVER, cards=(Card("0", "1180"),), refusal=NO_DEVICE),
        ["CARD-TOO-OLD"],
    ),
    "another reason": (replace(NO_DRIVER, refusal="Exec format error"), ["DRIVER-NOT-LOADED"]),
    "other libraries": (replace(GOOD, library_version="580.95.05"), ["DRIVER-MISMATCH"]),
    "mismatch, as NVML says it": (
        replace(GOOD, gpus=(), query_error="Failed to initialize NVML: Driver/library version mismatch"),
        ["DRIVER-MISMATCH"],
    ),
    "a card that fell off the bus": (replace(GOOD, gpus=(), query_error="No devices were found"), ["CARD-SILENT"]),
    "little card memory": (replace(GOOD, gpus=(Gpu("RTX 4060", 8_585_740_288, 89),)), ["VRAM-TOO-SMALL"]),
    "an old generation": (replace(GOOD, gpus=(Gpu("Tesla T4", 16_106_127_360, 75),)), ["CARD-TOO-OLD"]),
    "little memory": (replace(GOOD, ram_bytes=8 * GB), ["RAM-TOO-SMALL"]),
    "no model": (replace(GOOD, has_model=False), ["MODEL-MISSING"]),
    "no passphrase": (replace(GOOD, has_model=False, model_locked=True), ["MODEL-LOCKED"]),
    "nothing at all": (Facts(ram_bytes=4 * GB), ["NO-NVIDIA-CARD", "RAM-TOO-SMALL", "MODEL-MISSING"]),
}


@pytest.mark.parametrize("case", CASES)
def test_each_trouble_has_its_code_and_the_cpu_engine_reads_on(case: str) -> None:
    facts, expected = CASES[case]
    verdict = judge(facts, LADDER)
    assert [trouble.code for trouble in verdict.troubles] == expected
    assert verdict.parts["vllm"] == "refused" and verdict.parts["rapidocr"] == "start"
    named = {name for trouble in verdict.troubles for name in trouble.engines}
    assert named == {name for name, part in verdict.parts.items() if part == "refused"}


@pytest.mark.parametrize("case", ["little card memory", "an old generation", "little memory"])
def test_a_smaller_machine_gets_the_next_engine(case: str) -> None:
    assert judge(CASES[case][0], LADDER).parts["transformers"] == "start"


def test_the_better_of_two_cards_counts() -> None:
    two = (Gpu("T4", 16_106_127_360, 75, "GPU-a"), *GOOD.gpus)
    assert judge(replace(GOOD, gpus=two), LADDER).parts["vllm"] == "start"


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_code_has_a_title_a_cause_and_a_remedy(language: str) -> None:
    words = catalogue.messages(language)
    for code in {code for _, found in CASES.values() for code in found} | {"ENGINE-GAVE-UP"}:
        for part in ("trouble", "trouble_cause", "trouble_remedy"):
            assert f"{part}.{code}" in words


@pytest.mark.parametrize("name", [name for name in available() if load_profile(name).driver])
def test_a_profile_with_a_card_says_what_its_engines_need(name: str) -> None:
    profile = load_profile(name)
    config = {"engines": [{"name": engine, "needs": profile.engine_needs.get(engine)} for engine in profile.engines]}
    ladder = unit.ladder_of(config)
    assert ladder[0].name == "vllm" and ladder[0].card and ladder[0].model and ladder[0].vram_bytes == 20 * GB
    assert judge(GOOD, ladder).parts == {"vllm": "start", "transformers": "standby", "rapidocr": "start"}


def test_what_is_found_is_left_for_the_gateway_and_for_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "gather", lambda *_: CASES["little card memory"][0])
    config = {"engines": [{"name": each.name, "needs": _needs(each)} for each in LADDER]}
    unit.look(config, tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["parts"] == {"vllm": "refused", "transformers": "start", "rapidocr": "start"}
    assert "supported" not in report["facts"]
    assert {file.name: file.read_text() for file in (tmp_path / "held").iterdir()} == {
        "vllm": "refused VRAM-TOO-SMALL\n"
    }
    assert (tmp_path / "environment").read_text() == "CUDA_VISIBLE_DEVICES=\n"


def _needs(engine: Needs) -> dict[str, object]:
    return {key: value for key, value in vars(engine).items() if key != "name"}


def test_the_next_engine_is_let_go_when_the_first_fails_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "gather", lambda *_: GOOD)
    unit.look({"engines": [{"name": each.name, "needs": _needs(each)} for each in LADDER]}, tmp_path)
    assert (tmp_path / "environment").read_text() == "CUDA_VISIBLE_DEVICES=GPU-0a\n"
    assert unit.after_failure(tmp_path, "vllm") == "transformers"
    assert [file.name for file in (tmp_path / "held").iterdir()] == ["vllm"]
    assert unit.after_failure(tmp_path, "vllm") is None, "server and engine may both report it"
    assert unit.after_failure(tmp_path, "transformers") is None, "nothing is left that needs the card"
    report = json.loads((tmp_path / "report.json").read_text())
    assert [trouble["code"] for trouble in report["troubles"]] == ["ENGINE-GAVE-UP"] * 2
    assert report["parts"] == {"vllm": "refused", "transformers": "refused", "rapidocr": "start"}


def test_the_unit_reads_the_rendered_configuration_without_any_library() -> None:
    """It runs before anything else, on the standard library alone."""
    sources = (ROOT / "runtime/hardware").glob("*.py")
    imports = [
        line for file in sources for line in file.read_text().splitlines() if line.startswith(("import", "from"))
    ]
    assert imports and not [line for line in imports if "pydantic" in line or "runtime.config" in line]


def test_lists_of_supported_cards_are_read() -> None:
    assert from_debian("10DE1340\n10DE2685\n# no device\n10DE2685\n") == ["1340", "2685"]
    chips = [{"devid": "0x2685", "name": "RTX 4090 D"}, {"devid": "0x1180", "legacybranch": "470.xx"}]
    assert from_installer(json.dumps({"chips": chips})) == ["2685"]
