"""Which scripts the page needs from the start: told to the browser at once, it asks for all of them together.

Otherwise it would learn of each from the one that imports it, one round after the other.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from runtime.kiosk.catalogue import PAGES

_FIRST = ("js/main.js", "js/paint.js")
_IMPORT = re.compile(r"""^(?:import|export)\s(?:[^"';]*?\sfrom\s)?["'](\.[^"']+)["']""", re.MULTILINE)


@cache
def needed() -> tuple[str, ...]:
    """Addresses of every script that `main.js` imports, itself and by way of others; not what it loads later."""
    root = PAGES / "static"
    waiting, found = [root / name for name in _FIRST], set[Path]()
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.add(script)
            imported = _IMPORT.findall(script.read_text(encoding="utf-8"))
            waiting += [(script.parent / name).resolve() for name in imported]
    return tuple(sorted(f"/static/{script.relative_to(root)}" for script in found))
