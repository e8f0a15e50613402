"""Requests to keep something: "keep the light", "everything else the same"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.slots import fields_meant
from workbench.prompts.intents.words import noun_in_text

__all__ = ["INTENTS", "fields_kept"]

_ALL: Final = re.compile(
    r"(?:the )?(?:rest|everything(?: else)?|all(?: else)?|others?|same|whole thing|scene|prompt|it)(?: of (?:it|the \w+))?",
    re.IGNORECASE,
)


def fields_kept(what: str, context: Context) -> tuple[str, ...] | None:
    """Return the fields that ``what`` names; none for all the rest; None where it names nothing."""
    if _ALL.fullmatch(what.strip()):
        return ()
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+or\s+", what)
    meant = [fields_meant(part, context) for part in parts]
    if all(meant):
        return tuple(dict.fromkeys(name for names in meant for name in names))
    is_named = len(what.split()) <= 3 and noun_in_text(what, context.prompt)
    return () if is_named else None


def _keep(match: Match, context: Context) -> Candidate | None:
    what = match.value("any")
    if what is None:
        return Candidate(score=match.score, already=True, intent="keep")
    kept = fields_kept(str(what), context)
    if kept is None:
        return None
    is_loose = not kept and not _ALL.fullmatch(str(what))
    score = match.score * (0.85 if is_loose else 1.0)
    return Candidate(score=score, kept=kept, already=not kept, intent="keep")


INTENTS: Final[Mapping[str, Intent]] = {"keep": _keep}
