"""The real gateway, cage and engine under what strangers send: clear answers, no crash, nothing in the logs."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from runtime.keys.ring import KeyRing
from tests.integration.station import Station, running_station
from tests.pages.forms import form_page
from tests.pages.hostile import built, encoded, mutated, originals

_EXAMPLES = 25
_OPERATIONS = [
    "POST /ocr",
    "POST /v1/jobs",
    "GET /v1/jobs/{job}",
    "DELETE /v1/jobs/{job}",
    "GET /v1/jobs/{job}/result",
    "GET /v1/jobs/{job}/events",
    "POST /v1/chat/completions",
    "GET /v1/models",
    "GET /v1/capacity",
    "GET /v1/keys",
    "POST /v1/keys",
    "DELETE /v1/keys/{key_id}",
    "GET /livez",
    "GET /readyz",
    "GET /metrics",
]
_WITH_MUCH_TO_GET_WRONG = ("POST /ocr", "POST /v1/jobs", "POST /v1/chat/completions", "POST /v1/keys")
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
_SMALL = encoded(Image.new("L", (40, 24), 255), "PNG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("station")


@pytest.fixture(scope="module")
def station(folder: Path) -> Iterator[Station]:
    _, key = KeyRing(folder / "keys.json").make(("ocr", "admin"))
    more = {
        "auth": {"required": True, "keys": str(folder / "keys.json")},
        "rates": {"work": None, "calls": None},
        "logs": "json",
    }
    with running_station(folder, settings=more, decode_s=10, archive_bytes=64 << 20) as running:
        running.http.headers["authorization"] = f"Bearer {key}"
        yield running


@pytest.fixture(scope="module")
def interface(station: Station) -> schemathesis.BaseSchema:
    files = st.sampled_from([_SMALL, originals()["gif"], originals()["zip"], b"", b"%PDF-1.7"]) | st.binary(
        max_size=200
    )
    schemathesis.openapi.format("binary", files)
    return schemathesis.openapi.from_dict(station.http.get("/openapi.json").json())


def sent(data: bytes, name: str = "a.png") -> dict[str, tuple[str, bytes]]:
    return {"file": (name, data)}


def test_every_operation_is_tried(interface: schemathesis.BaseSchema) -> None:
    described = {f"{method.upper()} {path}" for path in interface for method in interface[path]}
    assert set(_OPERATIONS) <= described
    assert all(
        label.startswith(("GET /v1/", "POST /v1/", "DELETE /v1/tokens")) for label in described - {*_OPERATIONS}
    )


@pytest.mark.parametrize(
    ("label", "mode"),
    [(label, POSITIVE) for label in _OPERATIONS]
    + [(label, NEGATIVE) for label in _OPERATIONS if label in _WITH_MUCH_TO_GET_WRONG],
)
def test_made_up_requests_find_no_mistake_of_the_station(
    station: Station, interface: schemathesis.BaseSchema, label: str, mode: schemathesis.GenerationMode
) -> None:
    method, path = label.split()
    operation = interface[path][method]
    address = str(station.http.base_url).rstrip("/")
    headers = {"authorization": station.http.headers["authorization"]}

    @settings(
        max_examples=_EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def trial(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=address, headers=headers, timeout=60)
        assert answer.status_code not in (500, 502) and answer.status_code < 505, answer.text
        if answer.status_code >= 400 and path != "/v1/chat/completions":
            assert answer.headers["content-type"] == ["application/problem+json"], answer.headers
            assert answer.json()["code"]
        case.validate_response(answer, checks=[status_code_conformance, content_type_conformance])

    trial()


def test_the_addresses_of_a_real_job_bear_any_question(station: Station) -> None:
    job = station.http.post("/v1/jobs", files=sent(originals()["zip"])).json()
    assert "event: end" in station.http.get(job["events_url"]).text
    for form in ("json", "text", "docx", "xlsx", "pdf", "alto", "none", "\x00", "é" * 300):
        answer = station.http.get(job["result_url"], params={"format": form})
        assert answer.status_code in (200, 422), (form, answer.text)


def test_three_hundred_hostile_files_get_three_hundred_clear_answers(station: Station, folder: Path) -> None:
    """Through HTTP, queue, cage and engine; of what is sound after all a part of the first page is read."""
    processes = {module: station.pids(module) for module in ("gateway", "engine")}
    corpus = [*mutated(300, seed=20261122), *built().items()]
    codes: Counter[str] = Counter()
    kept = station.http.get("/v1/capacity").json()["bytes_held"]  # files of finished jobs, for their time
    for name, data in corpus:
        answer = station.http.post("/ocr?pages=1&region=0,0,1000,250&task=text", files=sent(data, f"{name}.png"))
        if answer.status_code == 200:
            assert isinstance(answer.json()["text"], str)
            codes["read"] += 1
            continue
        assert 400 <= answer.status_code < 500, (name, answer.text)
        problem = answer.json()
        assert problem["detail"] and problem["title_zh"], name
        codes[problem["code"]] += 1
    assert sum(codes.values()) >= 300 and len(codes) >= 8 and codes["read"] >= 20
    assert codes["decoder-crashed"] == codes["internal-error"] == 0
    assert {module: station.pids(module) for module in processes} == processes
    told = station.http.get("/v1/capacity").json()
    assert (told["jobs"], told["bytes_held"]) == (0, kept)


def test_no_log_holds_a_pages_text_or_a_files_name(station: Station, folder: Path) -> None:
    page = form_page("identity-card", seed=11)
    secrets = [value for value in page.fields.values() if len(value) > 1]
    name = "沈砚之-privat.png"
    data = encoded(page.image, "PNG")
    answer = station.http.post("/ocr?detail=full", files=sent(data, name))
    assert page.fields["公民身份号码"] in answer.text  # it was read indeed
    station.http.post("/ocr?stream=true", files=sent(data, name))
    station.http.post("/ocr", files=sent(b"no picture " + name.encode(), name))
    station.http.post("/ocr", files=sent(data, name), params={"keys": secrets[0], "task": "text"})
    station.http.post("/ocr", files=sent(data, name), params={"form": secrets[0]})
    parts = [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(data).decode()}}]
    station.http.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": parts}]})
    job = station.http.post("/v1/jobs", files=[("file", (name, data)), ("file", (name, b"?"))]).json()
    assert "event: end" in station.http.get(job["events_url"]).text
    assert page.fields["公民身份号码"] in station.http.get(job["result_url"]).text
    log = (folder / "log").read_text(errors="replace")
    key = station.http.headers["authorization"].removeprefix("Bearer ")
    assert [secret for secret in (*secrets, name, "privat", key) if secret in log] == []
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines() if '"runtime.requests"' in line]
    last = [line for line in lines if line["route"] == "/v1/jobs" and line["status"] == 202][-1]
    assert last["caller"].startswith("key:") and last["pages"] == 2 and last["method"] == "POST"
