"""What of this machine and of the builder itself is in a key: tools whose output ships, and code."""

from __future__ import annotations

import re
import shutil
from functools import cache as memoise

from builder.keys import ROOT, code_hash, files_below
from builder.run import output

_ASK = {"mksquashfs": "-version", "xorriso": "-version"}
_STEP_CODE = ("builder/sandbox.py", "builder/namespaces.py", "builder/layers/tree.py")
_LAYER_CODE = (*_STEP_CODE, "builder/image.py", "builder/verity.py")


def layer_code(*modules: str) -> dict[str, str]:
    """Hashes over the source of a layer's own `modules` and of what packs every layer, so that a plan can name one."""
    return _hashes(*modules, *_LAYER_CODE)


def step_code(*modules: str) -> dict[str, str]:
    """Hashes over the source of a step that packs no layer."""
    return _hashes(*modules, *_STEP_CODE, "builder/layers/scratch.py")


def _hashes(*modules: str) -> dict[str, str]:
    files = [file for module in modules for file in files_below(ROOT / module)]
    return {str(name): code_hash(str(name)) for name in (file.relative_to(ROOT) for file in files)}


def told(tool: str) -> str:
    """What a tool says of its version; "" where it is not there. Asked once: mmdebstrap takes a tenth of a second."""
    program = shutil.which(tool)
    return _ask(program, _ASK.get(tool, "--version")) if program else ""


@memoise
def _ask(program: str, option: str) -> str:
    return output(["sh", "-c", '"$0" "$1" 2>&1 || true', program, option])


def tool_version(name: str) -> str:
    """The version line of a tool whose output lies in a layer."""
    text = told(name)
    return re.sub(r"\s+", " ", text.splitlines()[0]) if text else name
