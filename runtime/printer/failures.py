"""What goes wrong in printing, and what a printer waits for, in the words of this station."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from runtime.problems import ProblemKind

NO_PRINTER = ProblemKind("no-printer", 410, "There is no printer", "没有找到打印机")
PRINT_REFUSED = ProblemKind("print-refused", 502, "The printer does not take this", "打印机拒绝了这次打印")
PRINT_FAILED = ProblemKind("print-failed", 502, "The printer gave up", "打印机未能完成打印")
PRINT_CANCELLED = ProblemKind("print-cancelled", 409, "Printing was cancelled at the printer", "打印已在打印机上取消")
PRINTING_DOWN = ProblemKind("printing-unavailable", 503, "Printing is not available now", "打印服务暂不可用")
PRINTING_BUSY = ProblemKind("printing-busy", 409, "Something is being printed", "正在打印")

KINDS = {
    kind.code: kind
    for kind in (NO_PRINTER, PRINT_REFUSED, PRINT_FAILED, PRINT_CANCELLED, PRINTING_DOWN, PRINTING_BUSY)
}

Halt = Literal["away", "paper", "jam", "cover", "ink", "stopped", "attention"]
"""Why a printer does not go on; it does by itself once a person has seen to it."""
HALTS: tuple[Halt, ...] = get_args(Halt)

_REASONS: dict[str, Halt] = {
    "media-empty": "paper",
    "media-needed": "paper",
    "input-tray-missing": "paper",
    "media-jam": "jam",
    "cover-open": "cover",
    "door-open": "cover",
    "interlock-open": "cover",
    "toner-empty": "ink",
    "marker-supply-empty": "ink",
    "marker-waste-full": "ink",
    "developer-empty": "ink",
    "paused": "stopped",
    "moving-to-paused": "stopped",
    "stopping": "stopped",
    "shutdown": "stopped",
    "offline": "away",
    "connecting-to-device": "away",
    "timed-out": "away",
}
"""Keywords of printer-state-reasons (RFC 8011, 5.4.12; PWG 5100.9)."""
_SEVERITIES = ("-error", "-warning", "-report")


def halt(reasons: Iterable[str]) -> Halt | None:
    """Why the printer does not go on: of several reasons the one to see to first; None where it does."""
    found: set[Halt] = set()
    for reason in reasons:
        bare = next((reason.removesuffix(each) for each in _SEVERITIES if reason.endswith(each)), reason)
        if bare in _REASONS:
            found.add(_REASONS[bare])
        elif reason.endswith("-error"):
            found.add("attention")
    return next((each for each in HALTS if each in found), None)
