"""The known client, a real engine and rendered documents: fields and values, and evidence for each."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from runtime.fields.squeezed import squeezed
from tests.integration.station import REPOSITORY, Station, running_station
from tests.pages.faults import mishandled
from tests.pages.forms import FORMS, form_page
from tests.pages.render import render


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with running_station(tmp_path_factory.mktemp("station")) as running:
        yield running


def jpeg(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=92)
    return held.getvalue()


def known_client(station: Station, data: bytes) -> dict[str, str]:
    """As scripts written for HunyuanOCR's service do it."""
    response = station.http.post("http://localhost:" + str(station.http.base_url.port) + "/ocr",
                                 files={"file": ("image.jpg", data, "image/jpeg")})  # fmt: skip
    return {field: value for field, value in response.json().items()}


@pytest.mark.parametrize("form", FORMS)
def test_a_documents_fields_are_read(station: Station, form: str) -> None:
    page = form_page(form, seed=4)
    read = known_client(station, jpeg(page.image))
    right = [key for key, value in page.fields.items() if squeezed(read.get(key, "")) == squeezed(value)]
    assert len(right) >= 0.85 * len(page.fields), (page.fields, read)
    assert set(read) <= set(page.fields)


@pytest.mark.parametrize("form", ["identity-card", "bank-slip", "vat-invoice"])
def test_a_mishandled_documents_numbers_are_right_or_said_to_be_wrong(station: Station, form: str) -> None:
    page = form_page(form, seed=5)
    data = jpeg(mishandled(page.image, seed=5))
    answer = station.http.post("/ocr", params={"detail": "full"}, files={"file": ("a.jpg", data)}).json()
    assert answer["form"]["form"] == form
    checked = 0
    for field in answer["form"]["fields"]:
        left, top, right, bottom = field["box_1000"]
        assert 0 <= left < right <= 1000 and 0 <= top < bottom <= 1000
        for verdict in field["checks"]:
            if verdict["state"] == "pass" and verdict["check"] in ("identity-number", "credit-code", "card-number"):
                assert squeezed(field["value"]) == squeezed(page.fields[field["key"]])
                checked += 1
    assert checked or form == "bank-slip"


def test_a_page_that_is_no_form_is_its_text(station: Station) -> None:
    assert set(known_client(station, jpeg(render("english").image))) == {"text"}


def test_a_folder_of_pages_with_truth_is_evaluated(station: Station, tmp_path: Path) -> None:
    card, page = form_page("identity-card", seed=4), render("english")
    card.image.save(tmp_path / "card.png")
    (tmp_path / "card.json").write_text(json.dumps(card.fields), encoding="utf-8")
    page.image.save(tmp_path / "page.png")
    (tmp_path / "page.txt").write_text(page.text, encoding="utf-8")
    (tmp_path / "stray.png").write_bytes(b"")
    words = [sys.executable, "-m", "runtime.evaluate", str(tmp_path), "--url", str(station.http.base_url)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["pages"] == 2 and figures["failed"] == 0
    assert figures["cer"] <= 0.02 and figures["field_f1"] >= 0.8
