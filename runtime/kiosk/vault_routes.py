"""The vault's part of the page's interface. What is typed into it is neither logged nor kept here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, cast

import segno
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import Field, SecretStr

from runtime.admin.zones import zone_here
from runtime.kiosk.body import Body
from runtime.kiosk.current import DONE
from runtime.kiosk.keeping import Keeping
from runtime.kiosk.kept_forms import kept_forms
from runtime.kiosk.session import Session
from runtime.media.client import MediaClient
from runtime.problems import BAD_REQUEST, Problem
from runtime.vault.client import VaultClient
from runtime.vault.history import History
from runtime.vault.passphrase import MOST_CHARACTERS, recovery_key, strength
from runtime.vault.vault import Kept, Vault

router = APIRouter(prefix="/kiosk/vault")

_MOST_SHOWN = 200
Secret = Annotated[SecretStr, Field(max_length=MOST_CHARACTERS)]


class Try(Body):
    passphrase: Secret


class Make(Body):
    place: str
    passphrase: Secret
    recovery: bool = False


class Unlock(Body):
    vault: str
    passphrase: Secret


class Change(Body):
    passphrase: Secret
    new: Secret


class Erase(Body):
    vault: str


def _keeping(request: Request) -> Keeping:
    return cast(Keeping, request.app.state.keeping)


Now = Annotated[Keeping, Depends(_keeping)]


@router.post("/strength")
async def how_strong(body: Try) -> dict[str, Any]:
    return asdict(strength(body.passphrase.get_secret_value()))


@router.post("/make")
async def make(keeping: Now, body: Make) -> dict[str, Any]:
    """Answers the recovery key, once, and its QR code: nobody can ask for it again."""
    passphrase = body.passphrase.get_secret_value()
    _require_strong(passphrase)
    key = recovery_key() if body.recovery else None
    await keeping.vault.make(body.place, passphrase, key)
    return {"recovery": key, "squares": None if key is None else _qr(key)}


@router.post("/unlock")
async def unlock(keeping: Now, body: Unlock) -> Response:
    await keeping.vault.unlock(body.vault, body.passphrase.get_secret_value())
    return DONE


@router.post("/lock")
async def lock(keeping: Now) -> Response:
    await keeping.vault.lock()
    return DONE


@router.post("/change")
async def change(keeping: Now, body: Change) -> Response:
    new = body.new.get_secret_value()
    _require_strong(new)
    await keeping.vault.change(body.passphrase.get_secret_value(), new)
    return DONE


@router.post("/erase")
async def erase(keeping: Now, body: Erase) -> Response:
    await keeping.vault.erase(body.vault)
    return DONE


@router.get("/history")
async def history(keeping: Now, search: str = "") -> dict[str, Any]:
    found = keeping.history.batches(search)
    return {
        "revision": keeping.history.revision,
        "zone": zone_here(),
        "total": len(found),
        "batches": [
            {"id": batch.id, "at": batch.at, "pages": len(batch.pages), "names": batch.names[:3]}
            for batch in found[:_MOST_SHOWN]
        ],
    }


@router.post("/history/{batch}/open")
async def open_again(keeping: Now, batch: str) -> Response:
    await keeping.open_again(batch)
    return DONE


@router.delete("/history/{batch}")
async def delete(keeping: Now, batch: str) -> Response:
    keeping.delete(batch)
    return DONE


def _require_strong(passphrase: str) -> None:
    if not strength(passphrase).enough:
        raise Problem(BAD_REQUEST, "Choose a stronger passphrase.")


def _qr(text: str) -> list[str]:
    """Its rows, "1" for a dark square."""
    return ["".join(str(int(dark)) for dark in row) for row in segno.make(text, error="m").matrix]


def plug(app: FastAPI, session: Session, media: MediaClient | None, kept: Sequence[Kept]) -> None:
    """`kept`: what lives in the vault beside the history, while one is open."""
    history, forms = History(), kept_forms(session.choice.store)
    vault = Vault(None if media is None else VaultClient(media), session.changed, (history, forms, *kept))
    app.state.keeping = Keeping(session, vault, history)
    session.plug(app.state.keeping)
    app.include_router(router)
