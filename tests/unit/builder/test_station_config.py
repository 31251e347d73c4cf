"""What the builder renders, the station's own programs read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import pytest
from jinja2 import Environment, StrictUndefined
from pydantic import ValidationError

from builder.keys import ROOT
from builder.preflight import TEST_TOOLS
from builder.profile import Profile, alerts
from builder.profile.forms import AgreementKind, Check, FormAgreement, FormField, FormRules
from builder.profile.load import PROFILES, available, load_profile
from builder.profile.model import TESSERACT_LANGUAGES
from builder.steps.debian import seen_by_templates
from runtime.alerts import rules
from runtime.config import Limits, Rates, StationConfig
from runtime.fields.checks import AGREEMENTS, CHECKS
from runtime.fields.forms import Agreement, FieldRule, Form
from runtime.scripts.known import script_of

TEMPLATE = ROOT / "overlay/rootfs/etc/inkstick/station.json.j2"


def rendered(name: str, **changed: object) -> StationConfig:
    profile = Profile.model_validate({**load_profile(name).model_dump(), **changed})
    seen = seen_by_templates(profile)
    text = Environment(undefined=StrictUndefined).from_string(TEMPLATE.read_text()).render(profile=seen)
    return StationConfig.model_validate_json(text)


@pytest.mark.parametrize("name", available())
def test_every_profiles_configuration_is_understood(name: str) -> None:
    assert [engine.name for engine in rendered(name).engines] == list(load_profile(name).engines)


def test_the_engines_of_a_card_know_where_the_model_lies() -> None:
    models = {engine.name: engine.model for engine in rendered("4090d").engines}
    assert models["vllm"] and models["vllm"].folder == Path("/usr/lib/inkstick/model")
    assert models["vllm"].gpu_memory_utilization == 0.78
    assert models["transformers"] and models["rapidocr"] is None


def test_the_newer_model_runs_with_its_draft() -> None:
    (vllm, *_) = rendered("4090d-cuda13").engines
    assert vllm.model and vllm.model.draft == Path("/usr/lib/inkstick/model/dflash")
    assert vllm.model.generation == "1.5"


def test_a_station_prints_where_its_profile_says_so() -> None:
    demo = load_profile("demo")
    assert rendered("demo").printer_socket is None
    assert rendered("demo", printing=True).printer_socket == Path("/run/inkstick/printer.sock")
    prints = demo.model_copy(update={"printing": True})
    assert set(prints.packages) - set(demo.packages) == {"cups", "cups-ipp-utils"}
    rules = [pattern for cut in prints.base_cuts.values() for pattern in cut.paths]
    assert "!usr/lib/cups/filter/pdftoraster" in rules and "!usr/lib/x86_64-linux-gnu/libpoppler*" in rules
    assert demo.base_cuts == demo.cuts.base


def test_a_profiles_alert_rules_reach_the_station(tmp_path: Path) -> None:
    for name in ("_station", "demo"):
        shutil.copy(PROFILES / f"{name}.yaml", tmp_path)
    profile = tmp_path / "own.yaml"
    own = "alerts: [{name: slow, signal: latency_p95_s, above: 20, zh: 太慢, en: Slow.}]\n"
    profile.write_text(f"extends: demo\n{own}", encoding="utf-8")
    (rule,) = rendered(str(profile)).alerts
    assert (rule.name, rule.above, rule.zh, rule.severity) == ("slow", 20, "太慢", "warning")


def test_profile_and_station_know_the_same_rules() -> None:
    assert get_args(alerts.Signal) == get_args(rules.Signal)
    assert alerts.Alert.model_fields.keys() == rules.AlertRule.model_fields.keys()
    with pytest.raises(ValidationError, match="above or below"):
        alerts.Alert(name="x", signal="disk", zh="", en="")


def test_a_profile_says_who_may_call_and_how_often() -> None:
    assert not rendered("demo").auth.required and rendered("demo").logs == "json"
    tokens = {"algorithm": "EdDSA", "public_key": "-----BEGIN PUBLIC KEY-----", "issuer": "registry", "skew_s": 60}
    api = {"auth": "required", "tokens": tokens, "rates": {"work": "30/minute", "calls": None}}
    config = rendered("demo", api=api, limits={"queue_jobs": 7, "queue_pixels": 1000})
    assert config.auth.required and config.auth.keys and config.auth.tokens
    assert (config.auth.tokens.issuer, config.auth.tokens.skew_s) == ("registry", 60)
    assert (config.rates.work, config.rates.calls) == ("30/minute", None)
    assert (config.limits.queue_jobs, config.limits.queue_pixels) == (7, 1000)


@pytest.mark.parametrize(
    "api",
    [
        {"auth": "maybe"},
        {"rates": {"work": "often"}},
        {"tokens": {"algorithm": "HS256", "public_key": "x", "issuer": "r"}},
        {"tokens": {"algorithm": "HS256", "issuer": "r"}},
        {"tokens": {"algorithm": "HS256", "key": "secret", "issuer": "r"}},
    ],
)
def test_an_api_section_that_does_not_fit_is_refused(api: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rendered("demo", api=api)


def test_defaults_are_the_same_on_both_sides() -> None:
    """Those that the builder writes down would otherwise hide the station's."""
    config = rendered("demo")
    assert config.rates == Rates()
    assert config.limits == Limits()


def profile_with(folder: Path, text: str) -> Path:
    file = folder / "own.yaml"
    file.write_text(f"extends: demo\n{text}")
    for name in ("demo", "_station"):
        (folder / f"{name}.yaml").write_text((PROFILES / f"{name}.yaml").read_text())
    return file


FORMS = """\
forms:
  - name: pass-slip
    title: Gate pass
    title_zh: 出门证
    signs: [出门证, 车牌号]
    shape: 出门证
    words: [仓库联]
    fields:
      - {key: 车牌号, hint: licence plate, pattern: '[A-Z0-9]{5,7}', anywhere: true}
      - {key: 金额, labels: [金额, 合计], lines: 2, nth: 1, place: 2, checks: [amount]}
      - {key: 大写, checks: [amount-in-capitals]}
    agreements:
      - {kind: same-amount, fields: [金额, 大写]}
"""


def test_an_operators_form_reaches_the_station_as_it_was_written(tmp_path: Path) -> None:
    (form,) = rendered(str(profile_with(tmp_path, FORMS))).forms
    assert (form.name, form.title_zh, form.signs) == ("pass-slip", "出门证", ("出门证", "车牌号"))
    plate, amount, _ = form.fields
    assert (plate.hint, plate.pattern, plate.anywhere) == ("licence plate", "[A-Z0-9]{5,7}", True)
    assert (amount.labels, amount.lines, amount.place, amount.checks) == (("金额", "合计"), 2, 2, ("amount",))
    assert form.agreements[0].kind == "same-amount"


def test_builder_and_station_know_the_same_keys_checks_and_agreements_of_a_form() -> None:
    for mine, theirs in ((FormRules, Form), (FormField, FieldRule), (FormAgreement, Agreement)):
        assert set(mine.model_fields) == set(theirs.model_fields)
    assert set(get_args(Check)) == set(CHECKS) and set(get_args(AgreementKind)) == set(AGREEMENTS)


def test_the_languages_go_to_the_engine_that_reads_them_and_into_the_base_layer(tmp_path: Path) -> None:
    file = profile_with(tmp_path, "languages: [ko, uk]\n")
    (engine,) = rendered(str(file)).engines
    assert engine.languages == ("kor", "ukr")
    packages = load_profile(str(file)).packages
    assert {"tesseract-ocr", "tesseract-ocr-osd", "tesseract-ocr-kor", "tesseract-ocr-ukr"} <= set(packages)
    assert "tesseract-ocr-tha" not in packages


def test_without_tesseract_nothing_of_it_is_on_the_station(tmp_path: Path) -> None:
    file = profile_with(tmp_path, "languages: null\n")
    assert rendered(str(file)).engines[0].languages is None
    assert not [name for name in load_profile(str(file)).packages if "tesseract" in name]


def test_every_language_of_a_profile_is_of_a_script_that_the_station_knows() -> None:
    for data in TESSERACT_LANGUAGES.values():
        assert script_of(data).en


def test_the_languages_that_ship_are_tested_on_this_machine() -> None:
    wanted = load_profile("demo").tesseract_packages
    assert set(wanted) <= set(TEST_TOOLS.values())
