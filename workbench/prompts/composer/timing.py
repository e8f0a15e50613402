"""Takes off a clause what says when, in which weather and in which light. Keeps who does what where."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.terms import Term, find_terms, word_list

__all__ = ["timeless"]

_WHEN: Final = frozenset({"time_of_day", "weather", "lighting", "pace"})
_WHEN_PREPOSITIONS: Final = (
    "in|at|on|during|under|through|by|with|from|amid|amidst|against|into|before|after|beneath|"
    "throughout|until|below|of"
)
_WHEN_TAIL: Final = re.compile(
    r"(?:\s+(?:sky|skies|day|night|evening|morning|afternoon|light|season|hours?|weather|time|"
    r"sun))*(?=$|[\s,.])",
    re.IGNORECASE,
)
_WHEN_HEAD: Final = re.compile(
    rf"(?:^|\s)(?:{_WHEN_PREPOSITIONS})\s+(?:an?\s+|the\s+)?"
    rf"(?:(?!(?:{_WHEN_PREPOSITIONS})\b)[\w'\-]+\s+(?:and\s+)?){{0,2}}?$",
    re.IGNORECASE,
)
_OWN_PREPOSITION: Final = re.compile(
    r"(?:in|at|under|from|with|by|through|during|lit|backlit|into|on|as|around)\b"
)
_ENDS_PHRASE: Final = re.compile(
    rf"(?:{_WHEN_PREPOSITIONS}|and|as|while|over|near|along|across|\w+ing)\b|[,.]", re.IGNORECASE
)


def timeless(main: str) -> str:
    """Return the main clause without the phrases that say when, in which weather and light."""
    text = main
    spans = _when_spans(main)
    for start, end in reversed(spans):
        text = f"{text[:start]} {text[end:]}"
    seasons = "|".join(sorted(word_list("seasons")))
    text = re.sub(
        rf"\s(?:in|during|at)\s+(?:the\s+)?(?:early\s+|late\s+)?(?:{seasons})(?:\s+season)?(?=$|[\s,])",
        " ",
        text,
        flags=re.IGNORECASE,
    )
    if spans:
        text = re.sub(r"\s+(?:in|on)\s+the\s+background$", "", text)
    text = re.sub(r"\s+at\s+(?:harvest|rush|lunch|dinner|bed|break)\s*(?:time|hour)\b", "", text)
    text = re.sub(r"\s+(?:and|with|in|at|on|under|during|while it|as it)\s*$", "", text)
    return re.sub(r"\s+", " ", text).strip(" ,")


def _when_spans(main: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for term in find_terms(main):
        span = _when_span(main, term) if term.field in _WHEN else None
        if span is None:
            continue
        if spans and span[0] <= spans[-1][1]:
            span = (spans.pop()[0], span[1])
        spans.append(span)
    return spans


def _when_span(main: str, term: Term) -> tuple[int, int] | None:
    """Return the extent of the phrase that says ``term`` as a circumstance, or None."""
    tail = _WHEN_TAIL.match(main[term.end :])
    end = term.end + (tail.end() if tail else 0)
    before, said = main[: term.start], main[term.start : term.end].lower()
    own = _OWN_PREPOSITION.match(said)
    after = main[end:].strip()
    if after and not own and not _ENDS_PHRASE.match(after):
        return None
    if own:
        return (term.start, end)
    head = _WHEN_HEAD.search(before)
    if head and head.start() > 0:
        return (head.start(), end)
    if before.split() and before.split()[-1].lower() in english("determiners"):
        return None
    loose = term.field == "time_of_day" or (term.field == "pace" and not said.endswith("ly"))
    return (term.start, end) if loose and before.strip() else None
