"""Plan: every step's key, whether it is there already, and if not, why.

Pure but for reading files: nothing is built, mounted or downloaded here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from builder import forecast
from builder.cache import Cache
from builder.errors import ProfileError
from builder.forecast import Disk
from builder.gpu.compatibility import cuda_need, is_older
from builder.inputs.fetch import missing
from builder.inputs.lock import Lock, what_is_asked
from builder.inputs.store import Store
from builder.profile import Profile
from builder.reasons import why
from builder.steps.debian import base_step, boot_step, station_step
from builder.steps.graphics import driver_steps, driver_version, model_steps
from builder.steps.step import Step
from builder.steps.wheels import wheel_steps


@dataclass(frozen=True)
class Plan:
    """What a build will do. Sizes in bytes, times in seconds; `sizes`: of each step's result."""

    profile: Profile
    lock: Lock
    steps: tuple[Step, ...]
    to_do: tuple[str, ...]
    reasons: dict[str, str]
    download_bytes: int
    iso_bytes: int
    disk: Disk
    seconds: float
    sizes: dict[str, int]
    notes: list[str] = field(default_factory=list)

    @property
    def layers(self) -> list[Step]:
        """The steps whose images go on the medium, bottom first."""
        return [step for step in self.steps if step.is_layer]

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def make_plan(profile: Profile, lock: Lock, cache: Cache) -> Plan:
    """The plan for `profile` as `lock` pins it, against what `cache` holds."""
    check_driver(profile, lock)
    steps = make_steps(profile, lock, Store(cache.store))
    to_do = tuple(step.name for step in steps if not step.is_done(cache))
    reasons = {step.name: why(step, cache) for step in steps if step.name in to_do}
    absent = missing(Store(cache.store), lock.inputs)
    sizes = {step.name: forecast.result_bytes(step, cache) for step in steps}
    iso_bytes = forecast.ISO_BYTES + sum(size for name, size in sizes.items() if name != "modules")
    download = sum(item.size for item in absent)
    doing = [step for step in steps if step.name in to_do]
    return Plan(
        profile=profile,
        lock=lock,
        steps=steps,
        to_do=to_do,
        reasons=reasons,
        download_bytes=download,
        iso_bytes=iso_bytes,
        disk=forecast.disk(doing, sizes, download=download, iso=iso_bytes),
        seconds=forecast.seconds(doing, cache, download=download, iso=iso_bytes),
        sizes=sizes,
        notes=_notes(profile, lock),
    )


def _notes(profile: Profile, lock: Lock) -> list[str]:
    """What a reader of the plan should know besides."""
    notes = []
    if lock.asked != what_is_asked(profile):
        notes.append("the profile asks for other packages than its lock holds: a build locks anew, and this changes")
    if profile.model and not profile.model.synthetic and lock.model is None:
        notes.append(f"{profile.model.title} is not locked yet: its layer is planned once its files are known")
    if profile.model and profile.model.encrypted:
        notes.append("the model layer is encrypted with a random key: no two builds of it are alike")
    if profile.driver and profile.driver.certificate is None:
        notes.append("modules are signed by a key thrown away after the build: no two builds of them are alike")
    if profile.driver and profile.driver.runfile and lock.runfile is None:
        notes.append(f"{profile.driver.runfile} is not locked yet")
    return notes


def make_steps(profile: Profile, lock: Lock, store: Store) -> tuple[Step, ...]:
    """Every step in the order of the build, in which the layers among them stack, bottom first."""
    base = base_step(profile, lock, store)
    return (
        base,
        *driver_steps(profile, lock, store, base),
        *wheel_steps(profile, lock, store),
        *model_steps(profile, lock, store),
        station_step(profile, lock, store),
        boot_step(profile, lock, store, base),
    )


def check_driver(profile: Profile, lock: Lock) -> None:
    """Raises ProfileError where the wheels need a newer driver than the profile has, or a driver at all."""
    need = cuda_need(lock.wheels)
    if need is None:
        return
    asked = f"{need.wheel.label} is for CUDA {need.major}, which needs NVIDIA driver {need.driver} or later"
    if profile.driver is None:
        raise ProfileError(f"{asked}; profile {profile.name} has no driver", hint="give it a `driver:`")
    have = driver_version(profile.driver, lock)
    if is_older(have, need.driver):
        raise ProfileError(
            f"{asked}; profile {profile.name} has driver {have}",
            hint="take wheels of an older CUDA, or a newer driver by `driver: {runfile: ..., version: ...}`",
        )
