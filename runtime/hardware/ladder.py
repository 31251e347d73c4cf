"""From facts to a decision: which engines of the ladder this machine can run, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from runtime.hardware.facts import Facts, Gpu

Part = Literal["start", "standby", "refused"]
GIGABYTE = 1_000_000_000

_WRONG_KEY = ("key was rejected", "required key not available", "lockdown", "operation not permitted")
_TOO_NEW = ("is not supported by the", "not supported by the nvidia")
_LEGACY = ("legacy",)


@dataclass(frozen=True)
class Needs:
    """What an engine asks of the machine; nothing, unless the profile says so. `capability`: the least, 80
    for sm_80."""

    name: str
    card: bool = False
    capability: int = 0
    vram_bytes: int = 0
    ram_bytes: int = 0
    model: bool = False


@dataclass(frozen=True)
class Trouble:
    """One thing that keeps engines from running. `code` never changes once published; its title, cause and
    remedy are in runtime/pages/messages. `detail` is for whoever mends it: names and figures, no language."""

    code: str
    detail: str
    engines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """`parts`: every engine of the ladder. One engine that needs the card is started, the next ones wait for
    it to fail: two would share the card's memory. Those that need no card are always started."""

    parts: dict[str, Part] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()

    def as_json(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The report for the gateway: see runtime/gateway/hardware.py, which reads it."""
        return {"parts": self.parts, "troubles": [asdict(each) for each in self.troubles], "facts": facts}


def judge(facts: Facts, ladder: Sequence[Needs]) -> Verdict:
    """Decide. Every engine that is refused is named by at least one trouble."""
    found: dict[str, dict[str, str]] = {}
    for engine in ladder:
        for code, detail in _against(facts, engine):
            found.setdefault(code, {})[engine.name] = detail
    refused = {name for details in found.values() for name in details}
    parts: dict[str, Part] = {}
    card_taken = False
    for engine in ladder:
        if engine.name in refused:
            parts[engine.name] = "refused"
        elif engine.card and card_taken:
            parts[engine.name] = "standby"
        else:
            parts[engine.name] = "start"
            card_taken = card_taken or engine.card
    troubles = tuple(
        Trouble(code, "; ".join(filter(None, dict.fromkeys(details.values()))), tuple(details))
        for code, details in found.items()
    )
    return Verdict(parts, troubles)


def _against(facts: Facts, engine: Needs) -> list[tuple[str, str]]:
    """What keeps `engine` from running here, the first cause of each kind."""
    reasons = []
    if engine.card:
        trouble = card_trouble(facts)
        if trouble is not None:
            reasons.append(trouble)
        elif (gpu := best(facts.gpus)).capability < engine.capability:
            reasons.append(("CARD-TOO-OLD", f"{gpu.name}: sm_{gpu.capability} < sm_{engine.capability}"))
        elif gpu.vram_bytes < engine.vram_bytes:
            has, wants = _gigabytes(gpu.vram_bytes), _gigabytes(engine.vram_bytes)
            reasons.append(("VRAM-TOO-SMALL", f"{gpu.name}: {has} < {wants}"))
    if facts.ram_bytes < engine.ram_bytes:
        reasons.append(("RAM-TOO-SMALL", f"{_gigabytes(facts.ram_bytes)} < {_gigabytes(engine.ram_bytes)}"))
    if engine.model and not facts.has_model:
        reasons.append(("MODEL-LOCKED", "") if facts.model_locked else ("MODEL-MISSING", "*.safetensors"))
    return reasons


def best(gpus: Sequence[Gpu]) -> Gpu:
    """The one card that the station reads with: the newest generation, then the most memory."""
    return max(gpus, key=lambda gpu: (gpu.capability, gpu.vram_bytes))


def card_trouble(facts: Facts) -> tuple[str, str] | None:
    """Code and detail of what is wrong with card or driver; None if the driver runs at least one card."""
    if not facts.cards:
        return "NO-NVIDIA-CARD", ""
    names = ", ".join(f"10de:{card.device}" for card in facts.cards)
    if facts.module_version is None:
        return _refused(facts, names)
    if facts.library_version not in (None, facts.module_version):
        return "DRIVER-MISMATCH", f"{facts.module_version} / {facts.library_version}"
    if not facts.gpus:
        if "version mismatch" in facts.query_error.lower():
            return "DRIVER-MISMATCH", f"{facts.module_version} / {facts.library_version}"
        return _unsupported(facts, names) or ("CARD-SILENT", f"{names}: {facts.query_error[:200]}")
    return None


def _refused(facts: Facts, names: str) -> tuple[str, str]:
    """The kernel has no driver: for its signature, for the card, or for a reason of its own."""
    said = facts.refusal.lower()
    if any(words in said for words in _WRONG_KEY) or any("lockdown" in line.lower() for line in facts.kernel_log):
        state = {True: "Secure Boot on", False: "Secure Boot off", None: "no UEFI"}[facts.secure_boot]
        return "MODULE-REFUSED", f"{state}; {facts.refusal[:200]}"
    return _unsupported(facts, names) or ("DRIVER-NOT-LOADED", f"{names}: {facts.refusal[:200]}")


def _unsupported(facts: Facts, names: str) -> tuple[str, str] | None:
    """NVIDIA numbers devices upwards, line after line: one that the driver does not know is newer than
    all that it knows, or was dropped from it."""
    log = " ".join(facts.kernel_log).lower()
    version = facts.library_version or facts.module_version or "?"
    detail = f"{names}; {version}"
    if any(words in log for words in _LEGACY):
        return "CARD-TOO-OLD", detail
    if any(words in log for words in _TOO_NEW):
        return "CARD-TOO-NEW", detail
    if not facts.supported or any(card.device in facts.supported for card in facts.cards):
        return None
    newest = max(int(device, 16) for device in facts.supported)
    newer = any(int(card.device, 16) > newest for card in facts.cards)
    return ("CARD-TOO-NEW" if newer else "CARD-TOO-OLD"), detail


def _gigabytes(count: int) -> str:
    return f"{count / GIGABYTE:.1f} GB"
