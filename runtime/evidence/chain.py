"""Writing a chain of records, one line of canonical JSON each."""

from __future__ import annotations

from typing import Any

from runtime.evidence.verify import CLOSING, FORMAT, NOTHING_BEFORE, OPENING, canonical, hash_of


class Chain:
    """Opened when made; `close` gives the file. What is put in: text, whole numbers, booleans, None, lists, dicts."""

    def __init__(self, **opening: Any) -> None:
        self._lines: list[bytes] = []
        self._previous = NOTHING_BEFORE
        self.add(OPENING, format=FORMAT, **opening)

    def add(self, kind: str, **content: Any) -> None:
        """One more record."""
        record = {**_writable(content), "type": kind, "number": len(self._lines), "previous": self._previous}
        self._previous = record["hash"] = hash_of(record)
        self._lines.append(canonical(record) + b"\n")

    def close(self, **closing: Any) -> bytes:
        """The whole file, its closing record the last."""
        self.add(CLOSING, records=len(self._lines) + 1, **closing)
        return b"".join(self._lines)

    @property
    def head(self) -> str:
        """The hash of the last record; after `close`, the one to note elsewhere."""
        return self._previous


def _writable(value: Any) -> Any:
    """`value` without lone surrogates, which no UTF-8 can hold: names on old sticks have them."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): _writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return value
