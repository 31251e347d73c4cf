"""One file in the vault that follows something in memory: keys, figures, forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.vault import files


@dataclass
class KeptDocument:
    """Implements vault.Kept. `version` is cheap and differs whenever `dump` would; `take_in` gets what an earlier
    session wrote, and joins it with what this one has. `clear`: the vault was locked."""

    name: str
    version: Callable[[], object]
    dump: Callable[[], bytes]
    take_in: Callable[[bytes], None]
    clear: Callable[[], None] = lambda: None
    _written: object = None

    def opened(self, folder: Path) -> None:
        self._written = None
        content = files.read(folder / self.name)
        if content:
            self.take_in(content)

    def write(self, folder: Path) -> bool:
        version = self.version()
        if version == self._written:
            return False
        files.write(folder / self.name, self.dump())
        self._written = version
        return True

    def closed(self) -> None:
        self._written = None
        self.clear()
