"""What the driver's sources need for a kernel that is newer than they are.

Debian's stable kernels take changes of inner interfaces with their fixes; the driver's packages in
Debian's stable release are not always built anew for them. Each change here is one that NVIDIA's later
versions make as well.
"""

from __future__ import annotations

import re
from pathlib import Path

_RESIZE_WITH_EXCLUSIONS = re.compile(r"\bpci_resize_resource\([^)]*,[^)]*,[^)]*,[^)]*\)")
_RESIZE_CALL = re.compile(r"\bpci_resize_resource\((\s*[^,()]+,\s*[^,()]+,\s*[^,()]+)\)")


def adapt(sources: Path, headers: list[Path]) -> list[str]:
    """Change the C files below `sources` to fit the kernel whose header folders are `headers`; say what was changed.

    pci_resize_resource: a fourth argument came, the BARs to be left alone. None is, as before.
    """
    declared = [folder / "include/linux/pci.h" for folder in headers]
    if not any(_RESIZE_WITH_EXCLUSIONS.search(file.read_text()) for file in declared if file.is_file()):
        return []
    changes = []
    for file in sorted(sources.rglob("*.c")):
        before = file.read_text(errors="surrogateescape")
        after = _RESIZE_CALL.sub(r"pci_resize_resource(\1, 0)", before)
        if after != before:
            file.write_text(after, errors="surrogateescape")
            changes.append(f"{file.relative_to(sources)}: pci_resize_resource takes the BARs to be left alone")
    return changes
