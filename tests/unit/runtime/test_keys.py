"""API keys: none is kept, a revoked one is refused at once, guessing gets slow."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from runtime.config import AuthConfig
from runtime.gateway.app import build_api
from runtime.gateway.reader import Reader
from runtime.keys.mistakes import Mistakes
from runtime.keys.ring import KeyRing, Scope
from tests.integration.station import REPOSITORY
from tests.unit.runtime.test_api import assert_problem
from tests.unit.runtime.test_reader import station

Trial = Callable[[httpx.AsyncClient, KeyRing], Awaitable[None]]


def run(folder: Path, trial: Trial) -> None:
    async def everything() -> None:
        path = folder / "keys" / "keys.json"
        config = station(folder).model_copy(update={"auth": AuthConfig(required=True, keys=path)})
        async with asyncio.timeout(30), Reader(config) as reader:
            transport = httpx.ASGITransport(build_api(config, reader), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                await trial(client, KeyRing(path))

    asyncio.run(everything())


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_a_call_without_a_key_is_refused_and_health_is_open(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient, _: KeyRing) -> None:
        for answer in (await client.post("/ocr"), await client.get("/v1/capacity"), await client.get("/docs")):
            assert_problem(answer, 401, "key-wanted")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert (await client.get("/livez")).status_code == 200
        assert_problem(await client.get("/readyz"), 503, "engine-unavailable")

    run(tmp_path, trial)


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_good_key_opens_what_its_scope_allows_until_it_is_revoked(tmp_path: Path, header: str) -> None:
    async def trial(client: httpx.AsyncClient, ring: KeyRing) -> None:
        record, key = ring.make(("ocr",))
        headers = bearer(key) if header == "authorization" else {header: key}
        assert (await client.get("/v1/capacity", headers=headers)).status_code == 200
        assert_problem(await client.get("/metrics", headers=headers), 403, "key-too-little")
        _, admins = ring.make(("admin",))
        assert (await client.get("/metrics", headers=bearer(admins))).status_code == 200
        assert_problem(await client.get("/v1/capacity", headers=bearer(admins)), 403, "key-too-little")
        assert ring.revoke(record.id)
        assert_problem(await client.get("/v1/capacity", headers=headers), 401, "key-refused")
        assert not ring.revoke("none")

    run(tmp_path, trial)


def test_guessing_gets_slow_and_even_the_right_key_has_to_wait(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient, ring: KeyRing) -> None:
        _, key = ring.make(("ocr",))
        for _ in range(6):
            assert_problem(await client.get("/v1/capacity", headers=bearer("ink_wrong")), 401, "key-refused")
        locked = await client.get("/v1/capacity", headers=bearer(key))
        assert_problem(locked, 429, "locked-out")
        assert int(locked.headers["retry-after"]) >= 1

    run(tmp_path, trial)


def test_the_wait_doubles_up_to_a_limit_and_ends() -> None:
    now = 0.0
    mistakes = Mistakes(lambda: now)
    waits = []
    for _ in range(30):
        mistakes.add("a")
        waits.append(mistakes.wait_s("a"))
    assert waits[:8] == [0, 0, 0, 0, 0, 2, 4, 8] and waits[-1] == 900
    now = 901.0
    assert mistakes.wait_s("a") == 0 and mistakes.wait_s("b") == 0


def test_a_damaged_file_of_keys_lets_nobody_in(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient, ring: KeyRing) -> None:
        _, key = ring.make(("ocr",))
        (tmp_path / "keys" / "keys.json").write_text("[{")
        assert_problem(await client.get("/v1/capacity", headers=bearer(key)), 401, "key-refused")

    run(tmp_path, trial)


def test_the_key_itself_is_kept_nowhere_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    scopes: tuple[Scope, ...] = ("ocr", "admin")
    _, key = KeyRing(path).make(scopes)
    assert key.removeprefix("ink_") not in path.read_text() and len(key) > 40
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyRing(path).scopes_of(key) == scopes
    assert KeyRing(path).scopes_of(key[:-1]) is None and KeyRing(path).scopes_of("\ud800") is None


def test_keys_are_made_listed_and_revoked_on_the_terminal(tmp_path: Path) -> None:
    config = station(tmp_path).model_copy(update={"auth": AuthConfig(keys=tmp_path / "keys.json")})
    path = tmp_path / "station.json"
    path.write_text(config.model_dump_json())

    def keys(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "runtime.keys", "--config", str(path), *words]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    key_id, key = keys("make", "--scope", "ocr").stdout.split()
    assert KeyRing(tmp_path / "keys.json").scopes_of(key) == ("ocr",)
    assert key_id in keys("list").stdout and key not in keys("list").stdout
    assert keys("revoke", key_id).returncode == 0 and "revoked" in keys("list").stdout
    assert keys("revoke", "none").returncode == 1


def test_keys_are_required_only_where_they_can_be_kept() -> None:
    with pytest.raises(ValidationError):
        AuthConfig(required=True)
