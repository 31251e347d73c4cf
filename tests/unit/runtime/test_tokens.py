"""Signed tokens: nothing that bounds one may be missing, a revoked or spent one stays refused."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from starlette.testclient import TestClient

from runtime.config import AuthConfig, TokenConfig
from runtime.gateway.app import build_api
from runtime.gateway.reader import Reader
from runtime.keys.first import FirstKeys
from runtime.keys.grants import Grant, TokenRefused
from runtime.keys.ledger import Ledger
from runtime.keys.ring import KeyRing
from runtime.keys.tokens import Tokens
from runtime.kiosk.app import build_ui
from tests.unit.kiosk.stub_reader import StubReader
from tests.unit.runtime.test_api import assert_problem
from tests.unit.runtime.test_keys import bearer
from tests.unit.runtime.test_reader import station

SECRET = b"a secret of thirty-two bytes or more"
PRIVATE = Ed25519PrivateKey.generate()
PUBLIC = (
    PRIVATE.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def claims(**changed: object) -> dict[str, Any]:
    now = int(time.time())
    usual = {"exp": now + 600, "nbf": now, "iss": "registry", "aud": "inkstick", "jti": "1", "scope": "ocr"}
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def signed(**changed: object) -> str:
    return jwt.encode(claims(**changed), SECRET, "HS256")


def config(folder: Path, **changed: object) -> TokenConfig:
    (folder / "secret").write_bytes(SECRET + b"\n")
    usual: dict[str, Any] = {"algorithm": "HS256", "key": folder / "secret", "issuer": "registry"}
    return TokenConfig.model_validate({**usual, **changed})


def tokens(folder: Path, **changed: object) -> Tokens:
    return Tokens(config(folder, **changed), folder / "keys.json")


def refusal(held: Tokens, token: str) -> TokenRefused:
    with pytest.raises(TokenRefused) as caught:
        held.grant(token)
    return caught.value


def test_a_sound_token_grants_its_scopes_and_names_its_subject(tmp_path: Path) -> None:
    held = tokens(tmp_path)
    assert held.grant(signed(sub="front-desk", scope="ocr admin other")) == Grant("jwt:front-desk", ("ocr", "admin"))
    assert held.grant(signed(scope=None)) == Grant("jwt:registry", ())


def test_eddsa_by_the_public_key_alone(tmp_path: Path) -> None:
    held = tokens(tmp_path, algorithm="EdDSA", key=None, public_key=PUBLIC)
    assert held.grant(jwt.encode(claims(), PRIVATE, "EdDSA")).scopes == ("ocr",)
    assert refusal(held, jwt.encode(claims(), Ed25519PrivateKey.generate(), "EdDSA")).forged


@pytest.mark.parametrize("claim", ["exp", "nbf", "iss", "aud", "jti"])
def test_no_claim_may_be_missing(tmp_path: Path, claim: str) -> None:
    refused = refusal(tokens(tmp_path), signed(**{claim: None}))
    assert claim in refused.why and not refused.forged


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "another"},
        {"aud": "another"},
        {"exp": 1000},
        {"nbf": 4_000_000_000, "exp": 4_000_000_100},
        {"exp": 4_000_000_000},
        {"exp": float("inf")},
        {"jti": ""},
        {"jti": 7},
        {"sub": 7},
        {"exp": "soon"},
        {"nbf": "now"},
    ],
)
def test_a_claim_that_does_not_hold_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    refusal(tokens(tmp_path), signed(**changed))


@pytest.mark.parametrize(
    "token",
    [
        "a.b.c",
        "..",
        jwt.encode(claims(), b"x" * 40, "HS256"),
        jwt.encode(claims(), SECRET * 2, "HS512"),
        jwt.encode(claims(), "", "none"),
        "x" * 9000 + "..",
    ],
)
def test_what_the_operator_did_not_sign_counts_as_guessing(tmp_path: Path, token: str) -> None:
    assert refusal(tokens(tmp_path), token).forged


def test_a_public_key_is_no_secret(tmp_path: Path) -> None:
    """The old trick: HS256 with what everybody knows."""
    held = tokens(tmp_path, algorithm="EdDSA", key=None, public_key=PUBLIC)
    head, body, _ = signed().split(".")
    mark = jwt.utils.base64url_encode(hmac.digest(PUBLIC.encode(), f"{head}.{body}".encode(), hashlib.sha256))
    assert refusal(held, f"{head}.{body}.{mark.decode()}").forged


def test_clocks_without_a_network_may_differ(tmp_path: Path) -> None:
    now = int(time.time())
    late, early = signed(exp=now - 800, nbf=now - 900), signed(nbf=now + 800, exp=now + 1000)
    assert tokens(tmp_path).grant(late) and tokens(tmp_path).grant(early)
    exact = tokens(tmp_path, skew_s=0)
    assert not refusal(exact, late).forged and not refusal(exact, early).forged


def test_a_token_for_one_call_is_refused_the_second_time_after_a_restart_too(tmp_path: Path) -> None:
    assert tokens(tmp_path, single_use=True).grant(signed())
    assert "before" in refusal(tokens(tmp_path, single_use=True), signed()).why
    assert tokens(tmp_path, single_use=True).grant(signed(jti="2"))


def test_the_ledger_forgets_what_nobody_accepts_any_more(tmp_path: Path) -> None:
    now = 1000.0
    ledger = Ledger(tmp_path / "keys.json", lambda: now)
    assert ledger.spend("1", 1100.0) and not ledger.spend("1", 1100.0)
    ledger.revoke("2", 50.0)
    now = 1200.0
    assert ledger.spend("1", 1300.0)
    ledger.revoke("3", 50.0)
    assert ledger.is_revoked("3") and not ledger.is_revoked("2")


def test_a_token_that_is_revoked_stays_so_on_another_day(tmp_path: Path) -> None:
    now = 1000.0
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
    monday, tuesday = (Ledger(tmp_path / day / "keys.json", lambda: now) for day in ("monday", "tuesday"))
    monday.revoke("long", 500.0)
    monday.revoke("short", 50.0)
    tuesday.revoke("own", 500.0)
    assert tuesday.spend("spent", 2000.0)
    tuesday.take_in(monday.dumped())
    assert all(tuesday.is_revoked(each) for each in ("long", "short", "own"))
    tuesday.revoke("long", 900.0)
    tuesday.take_in(monday.dumped())  # the later of two times counts
    now = 1600.0
    tuesday.revoke("other", 50.0)
    assert tuesday.is_revoked("long") and not tuesday.is_revoked("short")
    assert json.loads(monday.dumped()) == [] and len(json.loads(tuesday.dumped())) == 2


def test_another_process_sees_what_the_vault_brought(tmp_path: Path) -> None:
    held = tokens(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    Ledger(other / "keys.json").revoke("1", 500.0)
    assert held.grant(signed(jti="1"))
    Ledger(tmp_path / "keys.json").take_in(Ledger(other / "keys.json").dumped())
    assert not refusal(held, signed(jti="1")).forged


@pytest.mark.parametrize("damaged", [b"", b"5", b"{}", b'[["no digest", 1]]', b'[["' + b"a" * 64 + b'", "x"]]'])
def test_a_damaged_list_of_revoked_tokens_is_refused_whole(tmp_path: Path, damaged: bytes) -> None:
    ledger = Ledger(tmp_path / "keys.json")
    ledger.revoke("1", 500.0)
    with pytest.raises(ValueError):
        ledger.take_in(damaged)
    assert ledger.is_revoked("1")


def test_a_key_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"short")
    with pytest.raises(ValueError, match="bytes"):
        tokens(tmp_path, key=tmp_path / "short")
    with pytest.raises(ValueError, match="EdDSA"):
        tokens(tmp_path, algorithm="EdDSA", key=None, public_key="no key")
    for wrong in ({"key": None}, {"public_key": PUBLIC}, {"key": None, "public_key": PUBLIC}):
        with pytest.raises(ValidationError):
            config(tmp_path, **wrong)


Trial = Callable[[httpx.AsyncClient, KeyRing], Awaitable[None]]


def run(folder: Path, trial: Trial) -> None:
    async def everything() -> None:
        path = folder / "keys.json"
        auth = AuthConfig(required=True, keys=path, tokens=config(folder))
        held = station(folder).model_copy(update={"auth": auth})
        async with asyncio.timeout(30), Reader(held) as reader:
            transport = httpx.ASGITransport(build_api(held, reader), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                await trial(client, KeyRing(path))

    asyncio.run(everything())


def test_tokens_and_keys_open_the_same_doors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def trial(client: httpx.AsyncClient, ring: KeyRing) -> None:
        assert ring.records() == ()
        token = signed(sub="desk")
        with caplog.at_level(logging.INFO):
            assert (await client.get("/v1/capacity", headers=bearer(token))).status_code == 200
        (line,) = (record.__dict__["fields"] for record in caplog.records if record.name == "runtime.requests")
        assert line["caller"] == "jwt:desk"
        assert_problem(await client.get("/metrics", headers=bearer(token)), 403, "key-too-little")
        assert (await client.get("/metrics", headers=bearer(signed(scope="admin")))).status_code == 200
        for _ in range(9):
            expired = await client.get("/v1/capacity", headers=bearer(signed(exp=1000, nbf=900)))
            assert_problem(expired, 401, "key-refused")
        assert (await client.get("/v1/capacity", headers=bearer(token))).status_code == 200
        for _ in range(6):
            assert_problem(await client.get("/v1/capacity", headers=bearer("a.b.c")), 401, "key-refused")
        assert_problem(await client.get("/v1/capacity", headers=bearer(token)), 429, "locked-out")

    run(tmp_path, trial)


def test_keys_are_made_and_revoked_with_the_scope_admin(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient, ring: KeyRing) -> None:
        admin = bearer(ring.make(("admin",))[1])
        made = await client.post("/v1/keys", headers=admin, json={"scopes": ["ocr"]})
        assert made.status_code == 201
        key = bearer(made.json()["key"])
        assert (await client.get("/v1/capacity", headers=key)).status_code == 200
        assert_problem(await client.get("/v1/keys", headers=key), 403, "key-too-little")
        listed = (await client.get("/v1/keys", headers=admin)).json()
        assert [each["scopes"] for each in listed] == [["admin"], ["ocr"]]
        assert "digest" not in listed[0] and "key" not in listed[0]
        assert (await client.delete(f"/v1/keys/{made.json()['id']}", headers=admin)).status_code == 204
        assert_problem(await client.get("/v1/capacity", headers=key), 401, "key-refused")
        assert_problem(await client.delete("/v1/keys/none", headers=admin), 404, "not-found")
        token = signed(jti="lost/1")
        assert (await client.get("/v1/capacity", headers=bearer(signed(jti="lost")))).status_code == 200
        assert (await client.delete("/v1/tokens/lost", headers=admin)).status_code == 204
        assert_problem(await client.get("/v1/capacity", headers=bearer(signed(jti="lost"))), 401, "key-refused")
        assert (await client.get("/v1/capacity", headers=bearer(token))).status_code == 200

    run(tmp_path, trial)


def test_first_keys_are_made_once_shown_once_and_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "keys.json"
    auth = AuthConfig(required=True, keys=path)
    with caplog.at_level(logging.DEBUG):
        lost = FirstKeys(auth)  # its gateway ends before anybody looked
        first = FirstKeys(auth)
        held = station(tmp_path).model_copy(update={"auth": auth})
        address = f"http://127.0.0.1:{held.ui.port}"
        page = build_ui(held, StubReader(), first_keys=first.show)
        with TestClient(page, base_url=address, client=("127.0.0.1", 5)) as here:
            assert_problem(here.post("/kiosk/keys/first"), 403, "foreign-page")
            shown = here.post("/kiosk/keys/first", headers={"origin": address}).json()
            assert here.post("/kiosk/keys/first", headers={"origin": address}).json() == []
        with TestClient(page, base_url=address, client=("192.0.2.1", 5)) as elsewhere:
            assert elsewhere.post("/kiosk/keys/first", headers={"origin": address}).status_code == 404
    assert [each["scope"] for each in shown] == ["ocr", "admin"]
    ring = KeyRing(path)
    for each in shown:
        assert ring.scopes_of(each["key"]) == (each["scope"],)
        assert each["key"] not in caplog.text and each["key"].removeprefix("ink_") not in path.read_text()
    assert not any(ring.find(each.key) for each in lost.show())
    assert FirstKeys(auth).show() == [] and len(ring.records()) == 2


def test_a_damaged_file_of_keys_makes_no_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("[{")
    assert FirstKeys(AuthConfig(required=True, keys=path)).show() == [] and path.read_text() == "[{"
    assert FirstKeys(AuthConfig()).show() == []
