"""What SANE's status means to the person at the scanner."""

from __future__ import annotations

from runtime.problems import Problem, ProblemKind

SCANNER_JAMMED = ProblemKind("scanner-jammed", 409, "The paper is jammed in the scanner", "扫描仪卡纸")
SCANNER_EMPTY = ProblemKind("scanner-empty", 409, "The document feeder is empty", "进纸器中没有纸")
SCANNER_COVER_OPEN = ProblemKind("scanner-cover-open", 409, "The scanner's cover is open", "扫描仪的盖子没有盖好")
SCANNER_BUSY = ProblemKind("scanner-busy", 409, "The scanner is busy", "扫描仪正忙")
SCANNER_GONE = ProblemKind("scanner-gone", 410, "The scanner does not answer", "扫描仪没有响应")
SCANNER_FAILED = ProblemKind("scanner-failed", 502, "The scanner reported an error", "扫描仪报告了错误")
SCANNERS_DOWN = ProblemKind("scanners-unavailable", 503, "Scanners are not available now", "扫描服务暂不可用")

KINDS = {
    kind.code: kind
    for kind in (
        SCANNER_JAMMED,
        SCANNER_EMPTY,
        SCANNER_COVER_OPEN,
        SCANNER_BUSY,
        SCANNER_GONE,
        SCANNER_FAILED,
        SCANNERS_DOWN,
    )
}

_MEANINGS = (
    ("Document feeder jammed", SCANNER_JAMMED, "Take the paper out and lay it in again. Finished pages are kept."),
    ("Document feeder out of documents", SCANNER_EMPTY, "Lay paper into the feeder, or choose the flatbed."),
    ("Scanner cover is open", SCANNER_COVER_OPEN, "Close the cover."),
    ("Device busy", SCANNER_BUSY, "Wait until it has finished, or switch it off and on."),
    ("open of device", SCANNER_GONE, "Check its cable and that it is switched on."),
    ("no SANE devices found", SCANNER_GONE, "Check its cable and that it is switched on."),
)
"""Parts of what scanimage prints (sane_strstatus in SANE's libsanei, in English whatever the locale)."""


def meaning(printed: str) -> Problem:
    """The Problem for scanimage's standard error."""
    for words, kind, remedy in _MEANINGS:
        if words in printed:
            return Problem(kind, remedy)
    return Problem(SCANNER_FAILED, "Switch the scanner off and on, and scan again.")
