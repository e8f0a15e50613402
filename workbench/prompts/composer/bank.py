"""The bank of clauses: what can be said about each term, which of it fits, and finding it again.

Knows no scene: facts, names and pronouns are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

__all__ = [
    "Cast",
    "Clause",
    "all_clauses",
    "clauses",
    "fill",
    "find",
    "keys",
    "pattern",
    "recognise",
]

_SLOT: Final = re.compile(r"\{(\w+)\}|\[([^|\]]+)\|([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Cast:
    """The names and pronouns that clauses are filled with."""

    subj: str
    it: str = "it"
    its: str = "its"
    him: str = "it"
    place: str = "the scene"
    there: str = "in the scene"
    """The place with the preposition for being there."""
    short: str = ""
    """The subject's name after its first mention."""
    many: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """One way to say one term: the facts it needs and its text with slots."""

    slot: str
    key: str
    needs: tuple[tuple[str, ...], ...]
    text: str

    def fits(self, facts: frozenset[str]) -> bool:
        """Tell whether every need of this clause holds among ``facts``."""
        return all(any(_holds(need, facts) for need in either) for either in self.needs)


def _holds(need: str, facts: frozenset[str]) -> bool:
    return need[1:] not in facts if need.startswith("!") else need in facts


@cache
def all_clauses() -> Mapping[tuple[str, str], tuple[Clause, ...]]:
    """Return every clause, by slot and key."""
    folder = resources.files("workbench.prompts.composer").joinpath("data")
    bank: dict[tuple[str, str], list[Clause]] = {}
    slot, key = "", ""
    for line in folder.joinpath("bank.txt").read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            slot, _, key = line.strip("[]").partition(" ")
            continue
        needs, _, text = line.partition("|")
        either = tuple(tuple(need.split("/")) for need in needs.split())
        bank.setdefault((slot, key), []).append(Clause(slot, key, either, text.strip()))
    return {where: tuple(found) for where, found in bank.items()}


def clauses(slot: str, key: str, facts: frozenset[str]) -> tuple[Clause, ...]:
    """Return the clauses for ``key`` in ``slot`` that fit ``facts``, in the file's order."""
    return tuple(c for c in all_clauses().get((slot, key), ()) if c.fits(facts))


def keys(slot: str) -> tuple[str, ...]:
    """Return the terms that ``slot`` has clauses for."""
    return tuple(key for s, key in all_clauses() if s == slot)


def fill(clause: Clause, cast: Cast) -> str:
    """Return the clause's text with names, pronouns and agreement filled in."""

    def put(match: re.Match[str]) -> str:
        if match[1] == "subj":
            return cast.short or cast.subj
        if match[1]:
            return str(getattr(cast, match[1]))
        return match[3] if cast.many else match[2]

    return _SLOT.sub(put, clause.text)


@cache
def pattern(clause: Clause) -> re.Pattern[str]:
    """Return what finds the clause in a text, whatever its slots were filled with."""
    out, at = [], 0
    for match in _SLOT.finditer(clause.text):
        out.append(re.escape(clause.text[at : match.start()]))
        out.append(
            r"[^\s.;][^.;]{0,89}?"
            if match[1]
            else f"(?:{re.escape(match[2])}|{re.escape(match[3])})"
        )
        at = match.end()
    out.append(re.escape(clause.text[at:]) or r"(?=[.,;!?]|\Z)")
    return re.compile("".join(out), re.IGNORECASE)


def recognise(sentence: str) -> dict[str, str] | None:
    """Return key by slot when ``sentence`` consists of clauses of the bank alone, else None."""
    left = sentence.strip().rstrip(".!")
    found: dict[str, str] = {}
    for (slot, key), several in all_clauses().items():
        for clause in several:
            match = find(clause, left)
            if match is not None:
                found.setdefault(slot, key)
                left = f"{left[: match.start()]}{left[match.end() :]}".strip(" ,")
    return found if found and not left else None


@cache
def _needle(clause: Clause) -> str:
    """Return the longest literal stretch of the clause, to look for before its pattern."""
    return max(_SLOT.sub("\0", clause.text).split("\0"), key=len).lower()


def find(clause: Clause, text: str) -> re.Match[str] | None:
    """Return where ``text`` says the clause, whatever its slots were filled with, or None."""
    if _needle(clause) not in text.lower():
        return None
    return pattern(clause).search(text)
