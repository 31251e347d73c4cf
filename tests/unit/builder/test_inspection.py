"""What sets two sticks apart is named: packages, wheels, weights, settings, layers."""

from __future__ import annotations

from typing import Any

from builder.inspection import compare, largest, licence_counts


def about(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "packages": [{"name": "chromium", "version": "150", "sha256": "a" * 64, "licence": "BSD-3-Clause"}],
        "wheels": [{"project": "numpy", "version": "2.1", "sha256": "b" * 64, "site": "python", "licence": "BSD"}],
        "settings": {"engines": ["rapidocr"], "limits": {"queue_pages": 500}},
        "layers": [{"name": "base", "size": 100, "root_hash": "c" * 64, "cuts": ["documentation"]}],
        "sizes": {"base": {"bytes": 100, "largest": {"chromium": 60, "xorg": 20}}},
    }
    return {**base, **changes}


def test_nothing_changed_is_nothing_told() -> None:
    assert not any(compare(about(), about()).values())


def test_packages_up_down_and_away_are_named() -> None:
    newer = [
        {"name": "chromium", "version": "151", "sha256": "d" * 64, "licence": "BSD-3-Clause"},
        {"name": "firefox", "version": "1", "sha256": "e" * 64, "licence": "MPL-2.0"},
    ]
    found = compare(about(), about(packages=newer, wheels=[]))
    assert found["packages"].moved == {"chromium": ("150 (aaaaaaaaaaaa)", "151 (dddddddddddd)")}
    assert list(found["packages"].added) == ["firefox"] and list(found["wheels"].removed) == ["numpy"]


def test_other_bytes_under_the_same_version_are_a_change() -> None:
    same = [{"name": "chromium", "version": "150", "sha256": "f" * 64, "licence": "BSD-3-Clause"}]
    assert list(compare(about(), about(packages=same))["packages"].moved) == ["chromium"]


def test_settings_are_compared_one_by_one() -> None:
    other = {"engines": ["vllm", "rapidocr"], "limits": {"queue_pages": 100}}
    moved = compare(about(), about(settings=other))["settings"].moved
    assert moved == {"engines": ('["rapidocr"]', '["vllm", "rapidocr"]'), "limits.queue_pages": ("500", "100")}


def test_weights_that_were_not_there_before_are_named() -> None:
    facts = {"title": "M", "origin": "hub", "commit": "1", "synthetic": False, "licence": "own"}
    model = {**facts, "files": [{"name": "model.safetensors", "sha256": "1" * 64}]}
    assert "model.safetensors" in compare(about(), about(model=model))["model"].added


def test_what_takes_the_room_and_the_licences_are_counted() -> None:
    assert largest(about(), "base") == [("chromium", 60), ("xorg", 20)]
    assert licence_counts(about()) == [("BSD", 1), ("BSD-3-Clause", 1)]
