"""Keys for programs, as the admin page shows them: the first ones once, all of them listed, any revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from runtime.admin.desk import Desk
from runtime.gateway.key_routes import Key, NewKey
from runtime.keys.first import ShownKey
from runtime.keys.ring import KeyRing, Scope
from runtime.media.failures import NOT_AVAILABLE
from runtime.problems import NOT_FOUND, Problem


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=2)]


def admin_key_routes(desk: Desk) -> APIRouter:
    """The same file of keys as /v1/keys of the REST interface."""
    router = APIRouter(prefix="/admin/keys", dependencies=[Depends(desk.door.require)])
    auth = desk.config.auth

    def ring() -> KeyRing:
        if not auth.required or auth.keys is None:
            raise Problem(NOT_AVAILABLE, "This station's REST interface asks for no keys.")
        return KeyRing(auth.keys)

    @router.get("")
    def keys() -> list[Key]:
        return [Key(**record.model_dump(include=set(Key.model_fields))) for record in ring().records()]

    @router.post("/first")
    def first() -> list[ShownKey]:
        """Those that nobody has seen; empty from then on."""
        return desk.first_keys()

    @router.post("", status_code=201)
    def make(order: _Order) -> NewKey:
        record, key = ring().make(tuple(dict.fromkeys(order.scopes)))
        return NewKey(**record.model_dump(include=set(Key.model_fields)), key=key)

    @router.delete("/{key_id}", status_code=204)
    def revoke(key_id: str) -> Response:
        if not ring().revoke(key_id):
            raise Problem(NOT_FOUND, "There is no such key.")
        return Response(status_code=204)

    return router
