"""A candidate: what one rule takes a part of a request to mean, and how surely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.actions.model import Action
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.rules import Match
from workbench.prompts.parsing.clauses import Clause

__all__ = ["Candidate", "Intent", "Wish"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading of a part."""

    actions: tuple[Action, ...] = ()
    score: float = 0.0
    kept: tuple[str, ...] = ()
    """Fields that the request wants unchanged."""
    help: str = ""
    """Where it was understood but cannot be done: why, and what would help."""
    already: bool = False
    """Whether what it asks is true already."""
    intent: str = ""
    left: tuple[str, ...] = ()
    """Words beside it that ask for something else, which is to be read as a wish of its own."""

    @property
    def says_nothing(self) -> bool:
        """Whether nothing follows from it."""
        return not (self.actions or self.kept or self.help or self.already)


Intent = Callable[[Match, Context], Candidate | None]
"""Turns a match into a candidate; None where the match makes no sense in this scene."""

Wish = Callable[[Clause, Context], Candidate | None]
"""Turns a clause that the parser has found into a candidate; None where it makes no sense here."""
