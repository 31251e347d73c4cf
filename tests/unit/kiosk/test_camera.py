"""The document camera's interface: photographs in, pages out."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any, cast

import pytest
from PIL import Image, ImageFilter
from starlette.testclient import TestClient

from runtime.config import Limits, Listener, StationConfig
from runtime.kiosk.app import build_ui
from tests.pages.desks import on_desk
from tests.pages.render import render
from tests.unit.kiosk.stub_reader import StubReader

HERE = "http://127.0.0.1:7860"
OWN = {"Origin": HERE}


@pytest.fixture
def client() -> Iterator[TestClient]:
    anywhere = Listener(host="127.0.0.1", port=7860)
    limits = Limits(upload_bytes=4_000_000, queue_bytes=6_000_000)
    config = StationConfig(profile="test", version="0", ui=anywhere, api=anywhere, engines=[], limits=limits)
    reader = StubReader()
    with TestClient(build_ui(config, reader, on_painted=lambda: None), base_url=HERE) as opened:
        yield opened
    reader.cage.close()


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    return on_desk(render("slip").image, 10).image


def jpeg(picture: Image.Image) -> bytes:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=90)
    return held.getvalue()


def take(client: TestClient, photograph: bytes, **asked: Any) -> Any:
    return client.post("/kiosk/camera/shots", params=asked, content=photograph, headers=OWN)


def shots(client: TestClient) -> Any:
    return client.get("/kiosk/state").json()["camera"]["shots"]


def test_a_frame_is_answered_with_corners(client: TestClient, photograph: Image.Image) -> None:
    answer = client.post("/kiosk/camera/look", content=jpeg(photograph.resize((640, 480))), headers=OWN)
    assert len(answer.json()["corners"]) == 4


def test_what_is_taken_waits_is_turned_and_goes_to_be_read(client: TestClient, photograph: Image.Image) -> None:
    client.post("/kiosk/camera/open", headers=OWN)
    assert client.get("/kiosk/state").json()["screen"] == "camera"
    shot = take(client, jpeg(photograph)).json()["id"]
    taken = Image.open(io.BytesIO(client.get(f"/kiosk/camera/shots/{shot}/picture").content))
    assert taken.width > taken.height
    assert client.post(f"/kiosk/camera/shots/{shot}/change", json={"turn": 90}, headers=OWN).status_code == 204
    turned = Image.open(io.BytesIO(client.get(f"/kiosk/camera/shots/{shot}/picture").content))
    assert turned.height > turned.width
    assert client.post("/kiosk/camera/read", headers=OWN).status_code == 204
    state = client.get("/kiosk/state").json()
    assert state["screen"] in ("reading", "review")
    assert state["camera"]["shots"] == []
    assert client.get("/kiosk/pages").json()["pages"][0]["name"] == "camera-001.jpg"


def test_a_page_that_is_turned_and_cut_at_once_is_both(client: TestClient, photograph: Image.Image) -> None:
    """Two keys, one after the other, faster than a page is cut out."""
    camera = cast(Any, client.app).state.camera
    shot = take(client, jpeg(photograph)).json()["id"]

    async def both() -> None:
        await asyncio.gather(camera.change(shot, turn=90), camera.change(shot, cut="whole"))

    assert client.portal is not None
    client.portal.call(both)
    (changed,) = camera.shots
    assert (changed.cut, changed.clockwise, changed.revision) == ("whole", 90, 2)


def test_a_blurred_photograph_is_kept_only_if_a_person_took_it(client: TestClient, photograph: Image.Image) -> None:
    blurred = jpeg(photograph.filter(ImageFilter.GaussianBlur(4)))
    assert take(client, blurred, only_if_sharp=True).json()["id"] is None
    assert take(client, blurred).json()["id"] is not None
    assert [shot["sharp"] for shot in shots(client)] == [False]


def test_a_page_taken_again_keeps_its_place(client: TestClient, photograph: Image.Image) -> None:
    first, second = (take(client, jpeg(photograph)).json()["id"] for _ in range(2))
    again = take(client, jpeg(photograph), instead_of=first).json()["id"]
    assert [shot["id"] for shot in shots(client)] == [again, second]


def test_too_much_is_refused_and_nothing_is_lost(client: TestClient, photograph: Image.Image) -> None:
    assert take(client, b"\xff" * 5_000_000).json()["code"] == "file-too-large"
    assert take(client, b"no photograph").json()["code"] == "not-an-image"
    while (answer := take(client, jpeg(photograph))).status_code == 200:
        pass
    assert answer.json()["code"] == "queue-full"
    assert len(shots(client)) > 2


def test_there_is_nothing_to_read_before_a_page_is_taken(client: TestClient) -> None:
    assert client.post("/kiosk/camera/read", headers=OWN).json()["code"] == "bad-request"
    assert client.post("/kiosk/camera/shots/none/drop", headers=OWN).json()["code"] == "not-found"


def test_what_was_taken_is_forgotten_with_the_batch(client: TestClient, photograph: Image.Image) -> None:
    take(client, jpeg(photograph))
    assert client.get("/kiosk/state").json()["forgetting"]["pages"] == 1
    assert client.post("/kiosk/forget", headers=OWN).status_code == 204
    assert shots(client) == []
