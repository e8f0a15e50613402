"""Identifiers of jobs, batches and sessions: opaque, URL-safe, and sortable by time."""

from __future__ import annotations

import re
import secrets
import time
from enum import StrEnum
from typing import Final

__all__ = ["ID_PATTERN", "Kind", "id_pattern", "is_identifier", "new_identifier"]

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_TIME_DIGITS: Final = 10  # 50 bits of microseconds: 35 years
_RANDOM_DIGITS: Final = 10
_EPOCH_S: Final = 1_700_000_000  # counted from late 2023, so that 50 bits last until 2059


class Kind(StrEnum):
    """What an identifier names; the value is its first letter."""

    JOB = "j"
    BATCH = "b"
    SESSION = "s"
    INPUT = "i"


def id_pattern(*kinds: Kind) -> str:
    """Return the regular expression of identifiers of these kinds; by default, of any kind."""
    letters = "".join(kinds or Kind)
    return rf"^[{letters}]_[{_ALPHABET}]{{{_TIME_DIGITS + _RANDOM_DIGITS}}}$"


ID_PATTERN: Final = id_pattern()
"""Matches every identifier: ``j_`` job, ``b_`` batch, ``s_`` session, ``i_`` input."""

_PATTERN: Final = re.compile(ID_PATTERN[:-1] + r"\Z")


def new_identifier(kind: Kind) -> str:
    """Return a fresh identifier: microseconds since 2023, then 50 random bits."""
    micros = int(time.time() * 1_000_000) - _EPOCH_S * 1_000_000
    return f"{kind}_{_encode(micros, _TIME_DIGITS)}{_random(_RANDOM_DIGITS)}"


def is_identifier(text: str, kind: Kind | None = None) -> bool:
    """Tell whether ``text`` is a well-formed identifier, of ``kind`` if one is given."""
    return bool(_PATTERN.match(text)) and (kind is None or text[0] == kind)


def _encode(number: int, digits: int) -> str:
    out = []
    for _ in range(digits):
        number, digit = divmod(number, 32)
        out.append(_ALPHABET[digit])
    return "".join(reversed(out))


def _random(digits: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(digits))
