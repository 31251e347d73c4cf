"""What a check says of a value."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Verdict(BaseModel):
    """`state`: "pass", "fail", or "unchecked" where the value does not hold what the check needs.

    `why` is one English sentence without the value in it: verdicts may be logged, values not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str
    state: Literal["pass", "fail", "unchecked"]
    why: str


def passed(check: str, why: str) -> Verdict:
    return Verdict(check=check, state="pass", why=why)


def failed(check: str, why: str) -> Verdict:
    return Verdict(check=check, state="fail", why=why)


def unchecked(check: str, why: str) -> Verdict:
    return Verdict(check=check, state="unchecked", why=why)
