"""Tokens that an operator's own service signs (JWT, RFC 7519), checked as RFC 8725 asks: one algorithm, that
of the configuration, and every claim that bounds a token is wanted.

Imported only where there are tokens: the cryptography behind them takes its time.
"""

from __future__ import annotations

from pathlib import Path

import jwt

from runtime.config import TokenConfig
from runtime.keys.grants import Grant, TokenRefused
from runtime.keys.ledger import Ledger
from runtime.keys.ring import Scope

_CLAIMS = ["exp", "nbf", "iss", "aud", "jti"]
_LONGEST_BYTES = 8192
_LONGEST_NAME = 64
_LEAST_SECRET_BYTES = 32
_SCOPES: tuple[Scope, ...] = ("ocr", "admin")


class Tokens:
    """`beside`: the file of keys. Raises OSError or ValueError if the operator's key cannot be used."""

    def __init__(self, config: TokenConfig, beside: Path) -> None:
        self._config = config
        self.out_of_time = 0
        """Tokens refused as not yet or no longer valid."""
        self._ledger = Ledger(beside)
        self._key = config.public_key.encode() if config.public_key is not None else _read(config)
        if config.algorithm == "HS256" and len(self._key) < _LEAST_SECRET_BYTES:
            raise ValueError(f"a secret for HS256 has at least {_LEAST_SECRET_BYTES} bytes")
        try:
            jwt.get_algorithm_by_name(config.algorithm).prepare_key(self._key)
        except jwt.InvalidKeyError as error:
            raise ValueError(f"the key is none for {config.algorithm}") from error

    def grant(self, token: str) -> Grant:
        """Raises TokenRefused."""
        config = self._config
        if len(token) > _LONGEST_BYTES:
            raise TokenRefused("It is too long.", forged=True)
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[config.algorithm],
                audience=config.audience,
                issuer=config.issuer,
                leeway=config.skew_s,
                options={"require": _CLAIMS},
            )
        except jwt.ExpiredSignatureError:
            self.out_of_time += 1
            raise TokenRefused("It has expired, by this station's clock.") from None
        except jwt.ImmatureSignatureError:
            self.out_of_time += 1
            raise TokenRefused("It is not valid yet, by this station's clock.") from None
        except (jwt.InvalidIssuerError, jwt.InvalidAudienceError):
            raise TokenRefused("It is for another service, or from another issuer.") from None
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefused(f"It lacks the claim {error.claim}.") from None
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise TokenRefused("It is unknown or revoked.", forged=True) from None
        return self._checked(claims)

    def _checked(self, claims: dict[str, object]) -> Grant:
        config = self._config
        jti, expires, begins = claims["jti"], claims["exp"], claims["nbf"]
        subject = claims.get("sub", config.issuer)
        if not (isinstance(jti, str) and isinstance(subject, str) and 0 < len(jti) <= _LONGEST_BYTES):
            raise TokenRefused("Its claims jti and sub must be text.")
        try:
            until = float(expires)  # type: ignore[arg-type]
            lives_s = until - float(begins)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise TokenRefused("Its claims exp and nbf must be numbers.") from None
        if not lives_s <= config.longest_s:
            raise TokenRefused(f"It may be valid for {config.longest_s} s at most.")
        if self._ledger.is_revoked(jti):
            raise TokenRefused("It is unknown or revoked.")
        if config.single_use and not self._ledger.spend(jti, until + config.skew_s):
            raise TokenRefused("It was used before.")
        named = claims.get("scope", "")
        scopes = tuple(scope for scope in _SCOPES if scope in (named.split() if isinstance(named, str) else ()))
        return Grant(f"jwt:{subject[:_LONGEST_NAME]}", scopes)


def _read(config: TokenConfig) -> bytes:
    assert config.key is not None
    return config.key.read_bytes().strip()
