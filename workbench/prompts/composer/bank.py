"""The bank of clauses: what can be said about each term, which of it fits, and finding it again.

Knows no scene: facts, names and pronouns are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from workbench.prompts.composer.datafiles import text_of

__all__ = [
    "Cast",
    "Clause",
    "all_clauses",
    "clauses",
    "clauses_of",
    "fill",
    "find",
    "lowered",
    "pattern",
    "recognise",
]

_SLOT: Final = re.compile(
    r"\{(?P<name>\w+)(?::(?P<own>[^/}]+)/(?P<owns>[^}]+))?\}|\[(?P<one>[^|\]]+)\|(?P<many>[^\]]+)\]"
    r"|<(?P<there>[^|>]+)\|(?P<theres>[^>]+)>"
)

_WITHOUT_APOSTROPHE: Final = frozenset({"the two", "the group", "the subject", "the scene"})


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
    place_many: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """One way to say one term: the facts it needs and its text with slots."""

    slot: str
    key: str
    needs: tuple[tuple[str, ...], ...]
    text: str
    needle: str
    """Its longest literal stretch, in lower case: what to look for before its pattern."""

    def fits(self, facts: frozenset[str]) -> bool:
        """Tell whether every need of this clause holds among ``facts``."""
        return all(any(_holds(need, facts) for need in either) for either in self.needs)


def _holds(need: str, facts: frozenset[str]) -> bool:
    return need[1:] not in facts if need.startswith("!") else need in facts


@cache
def all_clauses() -> Mapping[tuple[str, str], tuple[Clause, ...]]:
    """Return every clause, by slot and key."""
    bank: dict[tuple[str, str], list[Clause]] = {}
    slot, key = "", ""
    for line in text_of("bank.txt").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            slot, _, key = line.strip("[]").partition(" ")
            continue
        needs, _, text = line.partition("|")
        either = tuple(tuple(need.split("/")) for need in needs.split())
        text = text.strip()
        needle = max(_SLOT.sub("\0", text).split("\0"), key=len).lower()
        bank.setdefault((slot, key), []).append(Clause(slot, key, either, text, needle))
    return {where: tuple(found) for where, found in bank.items()}


def clauses(slot: str, key: str, facts: frozenset[str]) -> tuple[Clause, ...]:
    """Return the clauses for ``key`` in ``slot`` that fit ``facts``, in the file's order."""
    return tuple(c for c in all_clauses().get((slot, key), ()) if c.fits(facts))


@cache
def clauses_of(slot: str) -> tuple[Clause, ...]:
    """Return every clause of ``slot``, whatever its term."""
    return tuple(c for (s, _), found in all_clauses().items() if s == slot for c in found)


def fill(clause: Clause, cast: Cast) -> str:
    """Return the clause's text with names, pronouns and agreement filled in."""

    def put(match: re.Match[str]) -> str:
        if match["own"]:
            return _owned(match["owns"] if cast.many else match["own"], cast)
        if match["name"] == "subj":
            return cast.short or cast.subj
        if match["name"]:
            return str(getattr(cast, match["name"]))
        if match["there"]:
            return match["theres"] if cast.place_many else match["there"]
        return match["many"] if cast.many else match["one"]

    return _SLOT.sub(put, clause.text)


def _owned(things: str, cast: Cast) -> str:
    """Return "the dog's coat", or "the coats of the two" for a name that takes no apostrophe."""
    name = cast.short or cast.subj
    if name in _WITHOUT_APOSTROPHE or " of " in name or " and " in name or not name[-1].isalpha():
        return f"the {things} of {name}"
    ending = "'" if cast.many and name.endswith("s") else "'s"
    return f"{name}{ending} {things}"


@cache
def pattern(clause: Clause) -> re.Pattern[str]:
    """Return what finds the clause in a text, whatever its slots were filled with."""
    out, at = [], 0
    for match in _SLOT.finditer(clause.text):
        out.append(re.escape(clause.text[at : match.start()]))
        out.append(
            r"[^\s.;][^.;]{0,89}?"
            if match["name"]
            else f"(?:{'|'.join(map(re.escape, filter(None, match.groups())))})"
        )
        at = match.end()
    out.append(re.escape(clause.text[at:]) or r"(?=[.,;!?]|\Z)")
    return re.compile("".join(out), re.IGNORECASE)


def recognise(sentence: str) -> dict[str, str] | None:
    """Return key by slot when ``sentence`` consists of clauses of the bank alone, else None."""
    left = sentence.strip().rstrip(".!")
    low = left.lower()
    found: dict[str, str] = {}
    for several in all_clauses().values():
        for clause in several:
            if clause.needle not in low:
                continue
            match = pattern(clause).search(left)
            if match is not None:
                found.setdefault(clause.slot, clause.key)
                left = f"{left[: match.start()]}{left[match.end() :]}".strip(" ,")
                low = left.lower()
    return found if found and not left else None


def find(clause: Clause, text: str) -> re.Match[str] | None:
    """Return where ``text`` says the clause, whatever its slots were filled with, or None."""
    return pattern(clause).search(text) if clause.needle in lowered(text) else None


@lru_cache(maxsize=64)
def lowered(text: str) -> str:
    """Return ``text`` in lower case; a text is looked through for hundreds of clauses in turn."""
    return text.lower()
