"""The page tells the browser of its scripts before they are imported."""

from __future__ import annotations

from runtime.kiosk import catalogue, scripts


def test_every_script_that_is_imported_is_told_and_there() -> None:
    told = scripts.needed()
    assert {"/static/js/main.js", "/static/js/paint.js", "/static/js/screens/camera.js"} <= set(told)
    assert all((catalogue.PAGES / name.removeprefix("/")).is_file() for name in told)


def test_what_is_loaded_later_is_not_told() -> None:
    assert not [name for name in scripts.needed() if "vendor/" in name]
