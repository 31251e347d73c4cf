"""What a key or a token is good for, or why it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.keys.ring import Scope


class TokenRefused(Exception):
    """`why` may be told. `forged`: it was not signed by the operator, which counts as guessing."""

    def __init__(self, why: str, *, forged: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.forged = forged


@dataclass(frozen=True)
class Grant:
    """Whose token it is, and what it is good for."""

    subject: str
    scopes: tuple[Scope, ...]


def looks_like_token(key: str) -> bool:
    """Three parts with dots between them; keys of the station have none."""
    return key.count(".") == 2
