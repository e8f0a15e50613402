"""Rules as data: forms with slots, compiled once and matched against each part of a request.

Each matching form yields a match with filled slots and a score; the caller chooses among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from workbench.prompts.intents.context import Context
from workbench.prompts.intents.slots import SLOTS, Filled
from workbench.prompts.intents.words import data

__all__ = ["LONGEST_PART", "Match", "Rule", "matches", "rules"]

_LONGEST_FIRST: Final = 7
LONGEST_PART: Final = 220
"""Maximum characters of a part; longer ones match no form."""
_SLOT: Final = re.compile(r"\{([a-z]+)(?::([a-z]+))?\}")
_MACRO: Final = re.compile(r"(?<!\?P)<([a-z]+)>")


@dataclass(frozen=True, slots=True)
class _Form:
    text: str
    slots: Mapping[str, str]
    """The slot kind of each slot group, by group name."""

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the matches of the form with ``text``, the shortest first slot first."""
        found = _pattern(self.text, 0).fullmatch(text)
        if found is None:
            return
        yield found
        if len(self.slots) > 1:
            for words in range(2, min(len(text.split()), _LONGEST_FIRST)):
                longer = _pattern(self.text, words).fullmatch(text)
                if longer is not None:
                    yield longer


@cache
def _pattern(text: str, words: int) -> re.Pattern[str]:
    """Compile a form whose first slot takes ``words`` words; 0 leaves that open."""
    if words:
        several = rf"(?:\S+\s+){{{words - 1}}}\S+?)"
        text = text.replace(".+?)", several, 1)
    return re.compile(text, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """The forms of one intent."""

    intent: str
    score: float
    forms: tuple[_Form, ...]
    parameters: Mapping[str, Any]
    """Further keys of the rule, such as ``value``, ``factor`` or ``topic``."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matches a part of a request."""

    rule: Rule
    slots: Mapping[str, Filled]
    groups: Mapping[str, str]
    """The named groups that are not slots."""
    score: float

    def value(self, name: str) -> Any:
        """Return the value of the slot ``name``; None if the form has no such slot."""
        filled = self.slots.get(name)
        return None if filled is None else filled.value

    def text(self, name: str) -> str:
        """Return the words of the slot ``name``; empty if the form has no such slot."""
        filled = self.slots.get(name)
        return "" if filled is None else filled.text


@cache
def rules(name: str) -> tuple[Rule, ...]:
    """Return the rules of the data file ``name``, in order."""
    loaded = data(name)
    macros = {key: f"(?:{text})" for key, text in loaded.get("macros", {}).items()}
    kind = "question" if "question" in loaded else "rule"
    return tuple(
        Rule(
            intent=str(table.get("intent", "question")),
            score=float(table.get("score", 0.97)),
            forms=tuple(_compiled(form, macros) for form in table["forms"]),
            parameters={k: v for k, v in table.items() if k not in {"intent", "score", "forms"}},
        )
        for table in loaded[kind]
    )


def _compiled(form: str, macros: Mapping[str, str]) -> _Form:
    text = form
    while _MACRO.search(text):
        text = _MACRO.sub(lambda m: macros[m[1]], text)
    slots: dict[str, str] = {}

    def group(match: re.Match[str]) -> str:
        name = match[2] or match[1]
        while name in slots:
            name += "x"
        slots[name] = match[1]
        return f"(?P<{name}>.+?)"

    # Groups of a form are non-capturing unless they have a name.
    text = re.sub(r"\((?!\?)", "(?:", text)
    text = _SLOT.sub(group, text)
    return _Form(text, slots)


def matches(text: str, name: str, context: Context) -> Iterator[Match]:
    """Yield a match for every rule of ``name`` that matches all of ``text``."""
    if len(text) > LONGEST_PART:
        return
    cached: dict[tuple[str, str], Filled | None] = {}
    for rule in rules(name):
        for form in rule.forms:
            for found in form.matches(text):
                match = _filled(rule, form, found, context, cached)
                if match is not None:
                    yield match
                    break


def _filled(
    rule: Rule,
    form: _Form,
    found: re.Match[str],
    context: Context,
    cached: dict[tuple[str, str], Filled | None],
) -> Match | None:
    slots: dict[str, Filled] = {}
    score = rule.score
    for name, kind in form.slots.items():
        words = found[name]
        if words is None:
            continue
        filled = _slot(kind, words, context, cached)
        if filled is None:
            return None
        slots[name] = filled
        score *= filled.score
    groups = {k: v for k, v in found.groupdict().items() if v is not None and k not in form.slots}
    groups["whole"] = found[0]
    return Match(rule, slots, groups, score)


def _slot(
    kind: str, words: str, context: Context, cached: dict[tuple[str, str], Filled | None]
) -> Filled | None:
    key = (kind, words)
    if key not in cached:
        cached[key] = SLOTS[kind](words, context)
    return cached[key]
