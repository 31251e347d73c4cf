"""The steps of the driver alone, run for a changed profile in a cache of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder.build import run_step
from builder.cache import Cache, exclusive
from builder.inputs.lock import Lock
from builder.plan import Plan, make_plan
from builder.profile import Profile


@dataclass(frozen=True)
class BuiltDriver:
    """Folders of the finished steps. `base` is the layer that the driver's lies on."""

    base: Path
    modules: Path
    layer: Path

    @property
    def image(self) -> Path:
        return self.layer / "image.squashfs"

    @property
    def about(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.modules / "modules.json").read_text())
        return found

    @property
    def listing(self) -> list[str]:
        """Lines of `unsquashfs -lls`, paths from the root."""
        argv = ["unsquashfs", "-lls", "-d", "", str(self.image)]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()

    def content(self, path: str) -> bytes:
        return subprocess.run(["unsquashfs", "-cat", self.image, path], check=True, capture_output=True).stdout


@dataclass(frozen=True)
class Workbench:
    """`room`: a folder for caches; `cache`: the usual one, whose downloads and base layer serve all."""

    room: Path
    cache: Cache
    _built: dict[str, BuiltDriver] = field(default_factory=dict)

    def driver(self, name: str, profile: Profile, lock: Lock) -> BuiltDriver:
        """Build base, modules and driver layer in the cache `name`; once for each name."""
        if name not in self._built:
            self._built[name] = self._build(name, profile, lock)
        return self._built[name]

    def _build(self, name: str, profile: Profile, lock: Lock) -> BuiltDriver:
        own = Cache(self.room / name)
        own.layers.mkdir(parents=True)
        (own.root / "store").symlink_to(self.cache.store)
        plan = make_plan(profile, lock, own)
        self._lend_base(plan, own)
        with exclusive(own):
            for step in ("base", "modules", "driver"):
                if not plan.step(step).is_done(own):
                    run_step(plan, plan.step(step), own)
        return BuiltDriver(*(plan.step(step).folder(own) for step in ("base", "modules", "driver")))

    def _lend_base(self, plan: Plan, own: Cache) -> None:
        base = plan.step("base")
        if base.is_done(self.cache):
            base.folder(own).symlink_to(base.folder(self.cache))
