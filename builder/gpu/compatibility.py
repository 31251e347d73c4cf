"""Which driver a set of wheels needs.

Minimum drivers for Linux from NVIDIA's CUDA Toolkit release notes, table "CUDA Toolkit and Minimum
Required Driver Version for CUDA Minor Version Compatibility": 12.x from 525.60.13, 13.x from 580.
Within a major version newer toolkits run on older drivers, but their PTX is not compiled there,
which is why `builder.gpu.fatbin` looks for machine code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from builder.inputs.lock import Wheel

MINIMUM_DRIVER = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}
_SUFFIX = re.compile(r"^nvidia-.*-cu(\d+)$")
_UNSUFFIXED = ("nvidia-cuda-runtime", "nvidia-cublas")
"""From CUDA 13 on the toolkit's wheels have no suffix, and their version says it."""


@dataclass(frozen=True)
class CudaNeed:
    """The newest CUDA major version among the wheels, and the wheel that says so."""

    major: int
    wheel: Wheel

    @property
    def driver(self) -> str:
        """The oldest driver that it runs on; a major version not known here counts as the newest known."""
        return MINIMUM_DRIVER.get(self.major, MINIMUM_DRIVER[max(MINIMUM_DRIVER)])


def cuda_need(wheels: Sequence[Wheel]) -> CudaNeed | None:
    """What the wheels need; None where none of them is of the CUDA toolkit."""
    found = [CudaNeed(major, wheel) for wheel in wheels if (major := _major(wheel)) is not None]
    return max(found, key=lambda need: need.major, default=None)


def _major(wheel: Wheel) -> int | None:
    suffix = _SUFFIX.match(wheel.project)
    if suffix:
        return int(suffix[1])
    return int(wheel.version.split(".")[0]) if wheel.project in _UNSUFFIXED else None


def is_older(driver: str, wanted: str) -> bool:
    """Whether driver version `driver` is older than `wanted`."""
    return _numbers(driver) < _numbers(wanted)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
