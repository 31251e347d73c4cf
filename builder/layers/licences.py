"""Which licences Debian's packages in a tree name, from their copyright files."""

from __future__ import annotations

import re
from pathlib import Path

_FIELD = re.compile(r"^License:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


def debian_licences(tree: Path) -> dict[str, str]:
    """Package -> short names from its machine-readable copyright file; else where the text stands."""
    found = {}
    for file in sorted((tree / "usr/share/doc").glob("*/copyright")):
        if not file.is_file():
            continue
        names = sorted(set(_FIELD.findall(file.read_text(errors="replace"))))
        found[file.parent.name] = ", ".join(names) or f"see /usr/share/doc/{file.parent.name}/copyright"
    return found
