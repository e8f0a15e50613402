"""What a text says: its scene, which words each value comes from, and what was not read."""

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
    """One value and the words of the text, ``start:end``, that it comes from."""

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
    """A text, read once."""

    text: str
    """The text as it was read: cleaned, its slips mended."""
    scene: Scene
    """What is said; every field's provenance is ``said``."""
    said: tuple[Said, ...] = ()
    tokens: Sequence[Token] = ()
    clauses: Sequence[Clause] = ()
    terms: Sequence[Term] = ()
    actors: tuple[tuple[str, ...], ...] = ()
    """For each clause, the ids of those who act in it."""
    unread: tuple[str, ...] = ()
    """Words that were not read: they are kept as they are."""
    slips: tuple[tuple[str, str], ...] = ()
    """Slips of spelling, each with what it was taken for."""
    language: str = ""
    """The language's English name where the text is not English."""
    known: tuple[tuple[str, str], ...] = field(default=())
    """Of a text in another language: words that were read, each with its English."""

    def said_of(self, name: str) -> tuple[Said, ...]:
        """Return what is said of a field, in the text's order."""
        return tuple(one for one in self.said if one.field == name)
