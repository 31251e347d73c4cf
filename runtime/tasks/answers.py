"""From what the model wrote to a page's result, task by task."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from runtime.results import Caution, Finish, Generation, Line
from runtime.tasks.fields import fields
from runtime.tasks.repetition import without_repeated_tail
from runtime.tasks.spotting import Spotted, spotted
from runtime.tasks.tables import Table, tables
from runtime.tasks.task import Ask, Task


@dataclass(frozen=True)
class Token:
    """`start`: where its text begins in the answer. `logprob`: natural logarithm of its probability."""

    number: int
    start: int
    logprob: float


@dataclass(frozen=True)
class Answer:
    """What a model wrote. Where it does not tell its tokens one by one, `tokens` is empty."""

    text: str
    finish: Finish
    tokens: Sequence[Token] = ()
    prompt: str = ""


class Content(TypedDict):
    """The parts of a PageResult that come from the answer."""

    text: str
    lines: tuple[Line, ...]
    fields: dict[str, str] | None
    tables: tuple[Table, ...]
    warnings: tuple[Caution, ...]
    generation: Generation


def content(ask: Ask, answer: Answer, width: int, height: int) -> Content:
    """Read `answer` in the form of its task; `width`, `height`: the page's pixels. Never raises.

    What is not in that form is given as it came, with the warning "unparsed".
    """
    warnings: list[Caution] = [] if answer.finish == "complete" else [answer.finish]
    raw = without_repeated_tail(answer.text) if answer.finish == "repeating" else answer.text
    made = Content(
        text=raw.strip(),
        lines=(),
        fields=None,
        tables=(),
        warnings=(),
        generation=Generation(
            raw=raw,
            finish=answer.finish,
            tokens=len(answer.tokens),
            token_digest=_digest(answer.tokens),
            prompt=answer.prompt,
        ),
    )
    if ask.task is Task.SPOTTING:
        items, rest = spotted(raw)
        if rest and answer.finish == "complete":
            warnings.append("unparsed")
        if items:
            made["lines"] = tuple(
                Line(text=item.text, box=item.quad(width, height), score=_score(item, answer.tokens)) for item in items
            )
            made["text"] = "\n".join(item.text for item in items)
    elif ask.task is Task.FIELDS:
        found = fields(raw)
        if found is None:
            warnings.append("unparsed")
        else:
            made["fields"] = found.values
            made["text"] = "\n".join(f"{name}: {value}" for name, value in found.values.items())
            if found.repaired:
                warnings.append("repaired")
    elif ask.task in (Task.TABLE, Task.DOCUMENT):
        made["tables"] = tables(raw)
        if ask.task is Task.TABLE and not made["tables"]:
            warnings.append("unparsed")
    made["warnings"] = tuple(warnings)
    return made


def _score(item: Spotted, tokens: Sequence[Token]) -> float:
    """The geometric mean of the probabilities of its text's tokens; 1 where none are told.

    It says how sure the model was of its words, not how often it is right: it is not calibrated.
    """
    sure = [token.logprob for token in tokens if item.start <= token.start < item.end]
    return round(min(1.0, math.exp(sum(sure) / len(sure))), 4) if sure else 1.0


def _digest(tokens: Sequence[Token]) -> str:
    return hashlib.sha256(",".join(str(token.number) for token in tokens).encode()).hexdigest()[:16]
