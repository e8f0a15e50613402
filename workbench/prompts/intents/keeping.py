"""Intents to keep something: "keep the light", "everything else the same"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.slots import fields_meant
from workbench.prompts.intents.wording import plain
from workbench.prompts.intents.words import noun_in_text
from workbench.prompts.parsing.clauses import Clause

__all__ = ["WISHES", "fields_kept"]

_ALL: Final = re.compile(
    r"(?:the )?(?:rest|everything(?: else)?|all(?: else)?|others?|same|whole thing|scene|prompt|it)(?: of (?:it|the \w+))?",
    re.IGNORECASE,
)


def fields_kept(what: str, context: Context) -> tuple[str, ...] | None:
    """Return the fields that ``what`` names; empty for "the rest", None if it names nothing."""
    if _ALL.fullmatch(what.strip()):
        return ()
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+or\s+", what)
    meant = [fields_meant(part, context) for part in parts]
    if all(meant):
        return tuple(dict.fromkeys(name for names in meant for name in names))
    is_named = len(what.split()) <= 3 and noun_in_text(what, context.prompt)
    return () if is_named else None


def _keep(clause: Clause, context: Context) -> Candidate | None:
    """Keep the named fields; without a field there is nothing to protect."""
    kept = fields_kept(plain(clause.slot("what")), context) or ()
    return Candidate(score=clause.sureness, kept=kept, already=not kept, intent="keep")


WISHES: Final[Mapping[str, Wish]] = {"keep": _keep}
