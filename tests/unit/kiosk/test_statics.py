"""The page's own files, from memory."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.testclient import TestClient

from runtime.gateway.problem_responses import answer_with_problems
from runtime.kiosk.catalogue import PAGES
from runtime.kiosk.statics import FIRST_STYLES, page_files

_ADMIN_S = {"admin"}


def _client() -> TestClient:
    app = FastAPI()
    answer_with_problems(app)
    app.mount("/static", page_files())
    return TestClient(app)


def test_one_stylesheet_holds_all_of_the_kiosk_s_in_their_order() -> None:
    folder = PAGES / "static/css"
    assert set(FIRST_STYLES) == {path.stem for path in folder.glob("*.css")} - _ADMIN_S
    answer = _client().get("/static/css/kiosk.css")
    assert answer.headers["content-type"].startswith("text/css")
    places = [answer.text.index((folder / f"{name}.css").read_text(encoding="utf-8")) for name in FIRST_STYLES]
    assert places == sorted(places)


def test_a_script_comes_as_it_lies_there_and_nothing_else_comes() -> None:
    client = _client()
    answer = client.get("/static/js/main.js")
    assert answer.content == (PAGES / "static/js/main.js").read_bytes()
    assert "javascript" in answer.headers["content-type"]
    for path in ("/static/js/none.js", "/static/../templates/kiosk.html", "/static/%2e%2e/templates/kiosk.html"):
        assert client.get(path).status_code == 404
    assert client.post("/static/js/main.js").status_code == 404
