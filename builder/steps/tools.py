"""What of this machine and of the builder itself is in a key: tools whose output ships, and code."""

from __future__ import annotations

import re
from functools import cache as memoise

from builder.keys import code_hash
from builder.run import output

_TOOLS = {"mksquashfs": ["mksquashfs", "-version"], "mmdebstrap": ["mmdebstrap", "--version"]}
_LAYER_CODE = ("builder/image.py", "builder/verity.py", "builder/sandbox.py", "builder/layers/tree.py")


def layer_code(*modules: str) -> str:
    """A hash over the source of a layer's own `modules` and of what packs every layer."""
    return code_hash(*modules, *_LAYER_CODE)


def step_code(*modules: str) -> str:
    """A hash over the source of a step that packs no layer."""
    return code_hash(*modules, "builder/sandbox.py", "builder/layers/tree.py", "builder/layers/scratch.py")


@memoise
def tool_version(name: str) -> str:
    """The version line of a tool whose output lies in a layer."""
    text = output(["sh", "-c", '"$@" 2>&1 || true', "sh", *_TOOLS[name]])
    return re.sub(r"\s+", " ", text.splitlines()[0]) if text else name
