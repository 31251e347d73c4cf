"""`/v1/keys`: keys made, listed and revoked by whoever has the scope `admin`; a station has no terminal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from runtime.config import AuthConfig
from runtime.gateway.problem_responses import PROBLEM_SCHEMA
from runtime.keys.ledger import Ledger, remembered_s
from runtime.keys.ring import KeyRing, Scope
from runtime.problems import NOT_FOUND, Problem

_REFUSALS: dict[int | str, dict[str, Any]] = {status: PROBLEM_SCHEMA for status in (400, 401, 403, 404, 422, 429)}


class Key(BaseModel):
    """`made_at`: seconds since 1970 by the station's clock."""

    id: str
    scopes: tuple[Scope, ...]
    made_at: float
    revoked: bool


class NewKey(Key):
    """`key` is told here alone; the station keeps a digest of it."""

    key: str


class KeyOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=2)]


def key_routes(auth: AuthConfig) -> APIRouter:
    """The routes of `/v1/keys` and `/v1/tokens`, for a station that wants keys."""
    assert auth.keys is not None
    ring, path = KeyRing(auth.keys), auth.keys
    router = APIRouter(prefix="/v1", tags=["Keys"], responses=_REFUSALS)

    @router.get("/keys", summary="All keys, without the keys themselves")
    def keys() -> list[Key]:
        return [Key(**record.model_dump(include=set(Key.model_fields))) for record in ring.records()]

    @router.post("/keys", summary="Make a key", status_code=201)
    def make(order: KeyOrder) -> NewKey:
        record, key = ring.make(tuple(dict.fromkeys(order.scopes)))
        return NewKey(**record.model_dump(include=set(Key.model_fields)), key=key)

    @router.delete("/keys/{key_id}", summary="Refuse a key from now on", status_code=204)
    def revoke(key_id: str) -> Response:
        if not ring.revoke(key_id):
            raise Problem(NOT_FOUND, "There is no such key.")
        return Response(status_code=204)

    @router.delete("/tokens/{jti}", summary="Refuse a token (JWT) from now on, by its jti", status_code=204)
    def revoke_token(jti: str) -> Response:
        if auth.tokens is None:
            raise Problem(NOT_FOUND, "This station accepts no tokens.")
        Ledger(path).revoke(jti, remembered_s(auth.tokens))
        return Response(status_code=204)

    return router
