"""A candidate: one possible meaning of a part of a request, with its confidence."""

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
    """One possible meaning of a part of a request."""

    actions: tuple[Action, ...] = ()
    score: float = 0.0
    kept: tuple[str, ...] = ()
    """Fields that must stay unchanged."""
    help: str = ""
    """For a request that is understood but cannot be carried out: why, and what to say instead."""
    already: bool = False
    """Whether the prompt already says so."""
    intent: str = ""
    left: tuple[str, ...] = ()
    """Words that ask for something else and are to be read separately."""

    @property
    def says_nothing(self) -> bool:
        """Whether the candidate has no effect."""
        return not (self.actions or self.kept or self.help or self.already)


Intent = Callable[[Match, Context], Candidate | None]
"""Turns a match into a candidate; None if it makes no sense in the scene."""

Wish = Callable[[Clause, Context], Candidate | None]
"""Turns a parsed clause into a candidate; None if it makes no sense in the scene."""
