"""The result of reading a text: its scene, the source of each value, and what was not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.lexicon.tagging import Token
from workbench.lexicon.terms import Term
from workbench.prompts.reading.clauses import Clause
from workbench.scene import Scene

__all__ = ["Reading", "Said"]


@dataclass(frozen=True, slots=True)
class Said:
    """One value and its source in the text, at ``start:end``."""

    start: int
    end: int
    field: str
    """A scene field; "cast" for an entity, "beats" for a beat."""
    value: str
    entity: str = ""
    beat: str = ""
    sureness: float = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A text and what was read from it."""

    text: str
    """The text after cleaning and spelling correction."""
    scene: Scene
    """The scene; every field's provenance is ``said``."""
    said: tuple[Said, ...] = ()
    tokens: Sequence[Token] = ()
    clauses: Sequence[Clause] = ()
    terms: Sequence[Term] = ()
    actors: tuple[tuple[str, ...], ...] = ()
    """The entity ids of each clause's actors."""
    unread: tuple[str, ...] = ()
    """Words that were not read; the text keeps them."""
    slips: tuple[tuple[str, str], ...] = ()
    """Misspellings, each with its correction."""
    language: str = ""
    """The language's English name; empty for English."""
    known: tuple[tuple[str, str], ...] = field(default=())
    """For a text in another language: the words that were read, each with its English."""

    def said_of(self, name: str) -> tuple[Said, ...]:
        """Return the values of a field, in text order."""
        return tuple(one for one in self.said if one.field == name)
