"""The established terms of a scene's fields, and the lookup of a phrase's term."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

__all__ = ["camera_moves", "canonical_term", "terms", "vocabulary"]

_THEN: Final = re.compile(r"\s*(?:,\s*(?:and\s+)?then|\bthen\b|,\s*finally|;)\s*", re.IGNORECASE)


@cache
def vocabulary() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the established terms: field → term → other phrases for it, in the field's order."""
    text = Path(__file__).with_name("vocabulary.toml").read_text("utf-8")
    return MappingProxyType(
        {
            field: MappingProxyType({term: tuple(phrases) for term, phrases in table.items()})
            for field, table in tomllib.loads(text).items()
        }
    )


def terms(field: str) -> tuple[str, ...]:
    """Return the established terms of ``field``; none for a free-text field."""
    return tuple(vocabulary().get(field, {}))


def canonical_term(field: str, text: str) -> str | None:
    """Return the established term of ``field`` for the whole of ``text``, or None."""
    return _phrases(field).get(_normal(text))


def camera_moves(movement: str) -> tuple[str, ...]:
    """Return the moves of a ``camera_movement`` in order: "orbit, then dolly in" has two.

    Each is an established term if there is one, otherwise the words unchanged.
    """
    parts = (part.strip(" ,") for part in _THEN.split(movement))
    return tuple(canonical_term("camera_movement", part) or part for part in parts if part)


@cache
def _phrases(field: str) -> Mapping[str, str]:
    table = vocabulary().get(field, {})
    pairs: Iterable[tuple[str, str]] = (
        (phrase, term) for term, phrases in table.items() for phrase in (term, *phrases)
    )
    return {_normal(phrase): term for phrase, term in pairs}


def _normal(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text.strip().lower())
