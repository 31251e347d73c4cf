"""A page that was read, as JSON and back: what a vault's history holds of it, and what outlives the gateway."""

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
            shown=picture,
            edits=Edits.restored(_EDITS.validate_python(found["edits"])),
            id=page_id,
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a page's record") from error


def dumped_want(want: Want) -> Any:
    """As JSON knows it."""
    return _WANT.dump_python(want, mode="json")


def loaded_want(kept: Any) -> Want:
    """Raises ValueError if damaged."""
    return _WANT.validate_python(kept)


def dumped_recognised(recognised: Recognised) -> str:
    """ASCII: a text may hold signs that UTF-8 cannot."""
    return json.dumps(_RECOGNISED.dump_python(recognised, mode="json"))


def loaded_recognised(kept: str) -> Recognised:
    """Raises ValueError if damaged."""
    return _RECOGNISED.validate_python(json.loads(kept))


def dumped_edits(edits: Edits) -> str:
    """Those that hold, those that were undone, and the revision."""
    both = [_EDITS.dump_python(each, mode="json") for each in (edits.log, edits.undone)]
    return json.dumps([*both, edits.revision])


def loaded_edits(kept: str) -> Edits:
    """Raises ValueError if damaged."""
    done, undone, revision = json.loads(kept)
    edits = Edits.restored(_EDITS.validate_python(done), _EDITS.validate_python(undone))
    edits.revision = int(revision)
    return edits
