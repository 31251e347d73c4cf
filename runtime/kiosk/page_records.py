"""A page that was read, as JSON and back: what a vault's history holds of it."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from runtime.gateway.recognition import Recognised, Want
from runtime.kiosk.documents import Document
from runtime.kiosk.edits import Edit, Edits
from runtime.kiosk.pages import Page, Status

_WANT = TypeAdapter(Want)
_RECOGNISED = TypeAdapter(Recognised)
_EDITS = TypeAdapter(tuple[Edit, ...])
_DOCUMENT = ("name", "origin", "path", "stick_uuid", "wanted", "sheets")


def dumped(page: Page) -> bytes:
    """Of a page that was read; its picture lies beside it, and its file's password is kept nowhere."""
    assert page.recognised is not None
    record = {
        "document": {name: getattr(page.document, name) for name in _DOCUMENT},
        "place": page.place,
        "member": page.member,
        "want": _WANT.dump_python(page.want, mode="json"),
        "recognised": _RECOGNISED.dump_python(page.recognised, mode="json"),
        "edits": _EDITS.dump_python(page.edits.log, mode="json"),
    }
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogateescape")


def loaded(page_id: str, record: bytes, picture: bytes | None, documents: dict[str, Document]) -> Page:
    """The page as it was. Pages of one document share it by way of `documents`. Raises ValueError if damaged."""
    try:
        found: dict[str, Any] = json.loads(record.decode("utf-8", "surrogateescape"))
        key = json.dumps(found["document"])
        document = documents.setdefault(key, Document(**found["document"]))
        return Page(
            document,
            int(found["place"]),
            _WANT.validate_python(found["want"]),
            str(found["member"]),
            Status.READ,
            _RECOGNISED.validate_python(found["recognised"]),
            picture=picture,
            edits=Edits.restored(_EDITS.validate_python(found["edits"])),
            id=page_id,
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a page's record") from error
