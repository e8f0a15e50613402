"""Takes the lead off a text: how it opens before what is filmed, such as "drone footage of"."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.terms import Term, find_terms, word_list
from workbench.lexicon.words import tokens

__all__ = ["take_lead", "without_terms"]

_LEADING_FIELDS: Final = frozenset({"shot_size", "camera_angle", "camera_movement", "pace"})
_LEAD: Final = re.compile(
    r"^(?P<lead>(?:in\s+)?(?:an?\s+|the\s+)?(?:[\w'’\-]+\s+){0,5}?"
    r"(?:shot|view|footage|video|clip|movie|film|image|photo|photograph|picture|scene|painting|"
    r"print|poster|drawing|sketch|illustration|tableau|time[\s-]?lapse|close[\s-]?up|macro|portrait|"
    r"animation|render(?:ing)?|panorama|watercolou?r|flyover|slo-mo)"
    r"(?:\s+(?:shot|view|footage|video|clip|print))?)"
    r"\s+(?P<joint>of|on|shows|frames|presents|follows|showing|featuring|capturing|from|where|in\s+which)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_JOINT: Final = re.compile(
    r"^(of|on|from|over|around|across|through|toward|towards|into|past|along|at)\s+(.+)$",
    re.IGNORECASE,
)
_LEAD_WORDS: Final = frozenset(
    [
        "overlooking",
        "exterior",
        "interior",
        "focus",
        "tableau",
        "tranquil",
        "aerial",
        "cropped",
        "high",
        "low",
        "wide",
    ]
)


def take_lead(segment: str) -> tuple[str, str, str]:
    """Return lead, joint and rest of ``segment``; lead and joint empty where there is none."""
    match = _LEAD.match(segment)
    if match and _is_lead(match["lead"], match["joint"].lower()):
        return match["lead"], match["joint"], match["rest"]
    if match:
        return "", "", segment
    terms = find_terms(segment)
    if not terms or terms[0].start or terms[0].field not in _LEADING_FIELDS:
        return "", "", segment
    rest = segment[terms[0].end :].strip()
    joined = _JOINT.match(rest)
    joint = joined[1] if joined else ""
    rest = joined[2] if joined else rest
    return (segment[: terms[0].end], joint, rest) if rest else ("", "", segment)


def _is_lead(lead: str, joint: str) -> bool:
    words = {t.lower() for t in tokens(without_terms(lead, find_terms(lead)))}
    plain = words <= (
        word_list("lead_nouns") | word_list("filler") | word_list("opinion") | _LEAD_WORDS
    )
    if not plain or (joint == "from" and not find_terms(lead)):
        return False
    return joint != "on" or bool(re.search(r"close|view|focus", lead, re.IGNORECASE))


def without_terms(text: str, terms: tuple[Term, ...]) -> str:
    """Return ``text`` without the phrases that say ``terms``."""
    out, at = [], 0
    for term in terms:
        out.append(text[at : term.start])
        at = term.end
    return " ".join([*out, text[at:]])
