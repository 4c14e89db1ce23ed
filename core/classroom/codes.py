"""The code of a poll: short enough to be read from a wall and typed, without signs that look like one another."""

from __future__ import annotations

import hmac
import secrets

ALPHABET = "346789ABCDEFGHJKMNPQRTUVWXY"
"""No 0 and O, 1, I and L, 2 and Z, 5 and S."""

LENGTH = 6
"""27⁶ are 390 million codes; guard.py says how many may be tried."""


def new() -> str:
    """A code nobody can foresee."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def tidied(typed: str) -> str:
    """A code as it was typed, as it is written: small letters, spaces and dashes do not matter."""
    return "".join(typed.split()).replace("-", "").upper()


def same(typed: str, code: str) -> bool:
    """Whether this code was typed; takes as long for any other of its length."""
    return hmac.compare_digest(tidied(typed).encode(), code.encode())
