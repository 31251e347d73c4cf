"""What integration tests share: the demo ISO, and a workshop to build in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.workshop import Workshop, make_workshop


@pytest.fixture(scope="session")
def iso() -> Path:
    """The demo ISO that `build.py test` built before it started the tests."""
    chosen = os.environ.get("INKSTICK_TEST_ISO")
    assert chosen, "run through `python3 build.py test --only integration`: it builds the ISO first"
    return Path(chosen)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = make_workshop(tmp_path_factory.mktemp("workshop"))
    yield made
    assert made.leftovers() == []
