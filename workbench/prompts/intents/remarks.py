"""Detects remarks on a result, which must not enter a prompt."""

from __future__ import annotations

import re
from typing import Final

from workbench.prompts.intents.words import data

__all__ = ["AS_VERSIONS", "VERSIONS", "remark_help"]

_BE: Final = r"(?:is|are|was|were|looks?|looked|feels?|felt|seems?|reads?|works?|worked|'s)"
_HOW: Final = r"(?: (?:much|way|far|a bit|a little|really|so|just|kind of|still|now|the|very|all))*"
_TOO: Final = re.compile(
    r"\b(?:(?P<who>(?:the |his |her |its |their |that |this )?[\w'-]+) (?:is|are|was|looks?|feels?|moves?|goes|starts?|melts?) )?"
    r"(?:way |far |much |a bit |just )*too (?P<how>much|many|little|few|[\w-]+)\b"
    r"(?! (?:to (?!see|read|tell|notice|be)|for (?:him|her|it|them|the)\b))",
    re.IGNORECASE,
)
_AS_WELL: Final = re.compile(
    r"(?:and|but|so|with|in|on|at|the|an?|he|she|it|they|is|are|like|as|while|when|which|then|please|if|now|from|to|of|or)",
    re.IGNORECASE,
)
"""What follows a "too" that means "also"."""
_JUDGED: Final = re.compile(
    rf"\b{_BE}{_HOW} (?:better|best|worse|worst|nicer|creepy|weird|ugly|boring|wrong|silly|cheesy|fake|perfect|great|fine|approved|confusing|distracting|ok(?:ay)?)\b(?! (?:than|at|friends?|man|dressed))|"
    r"\b(?:than|like) (?:before|last time|earlier|now)\b|"
    r"\b(?:first|previous|last|second|earlier|original) (?:version|result|render)\b|"
    r"\b(?:can't|cannot|don't|do not) (?:remember|recall)\b|\b(?:whole story|i was wrong|it confounds|confounds)\b|"
    r"\b(?:does|do|really) (?:like|love)s? (?:the|it|this|that|how)\b|\bit(?:'s| is)? not (?:so|that) \w+$|"
    r"\b(?:goes|is) (?:in|for|on) (?:a|the|my|our) (?:\w+ )?(?:test|exam|class|lecture|client|ad|deck|paper)\b|\bthis is (?:the )?(?:uk|us|usa|europe)\b|"
    r"\b(?:won't|doesn't|does not|will not) (?:allow|want|approve|like)\b.*|^(?:whatsapp|instagram|tiktok|youtube|socials)\b|"
    r"^(?:don't|do not) (?!make|let|show|have|see|want)|^(?:not|no|same|dear|about|around|for (?:socials|reels|stories|instagram))\b(?! (?:one|body|the same)\b)(?!.*\b(?:is|are)\b)(?:\W+[\w'-]+){0,6}$|^(?:less|more)(?: of (?:it|that|them))?(?:$|[.,])|"
    r"^(?:only|just) (?:him|her|it|them|that|this)$|^(?:on|in|under|behind|at|to) \w+, not\b|\bnot (?:so|that) \w+(?:$|,)",
    re.IGNORECASE,
)


def remark_help(text: str, prompt: str) -> str:
    """Return what to say instead of a remark on the result; empty if ``text`` is not a remark.

    A remark complains, judges, compares or chats. Words of ``prompt`` are never a remark.
    """
    said = text.strip(" .,!?;:")
    if not said or said.lower() in prompt.lower():
        return ""
    too = next((m for m in _TOO.finditer(said) if not _AS_WELL.fullmatch(m["how"])), None)
    if too is not None and not re.search(r"\bthen\b", said[too.end() :], re.IGNORECASE):
        other = data("words")["opposite"].get(too["how"].lower())
        who = re.sub(r"^(?:that|this|it)$", "", too["who"] or "", flags=re.IGNORECASE).lower()
        wish = f"“{who + ' ' if who else ''}{other}”" if other else "“less of …” or “without …”"
        return f"“{said}” says what is wrong and stays out of the prompt. Say what should be seen instead, such as {wish}."
    if _JUDGED.search(said):
        return (
            f"“{said}” says nothing that can be seen, so it stays out of the prompt. "
            "Say what should be seen instead, or “undo”."
        )
    return ""


VERSIONS: Final = re.compile(
    r"\b(?:as|in) (?:another|a second|a separate|a new|an extra) (?:version|prompt|entry)\b|\b(?:a|one) (?:second|separate|new) version\b|"
    r"\bkeep (?:the|that) (?:first|old|original|other|previous|[\w-]+ one)\b.*\b(?:too|both|as well|compare)\b|"
    r"\bdon't (?:throw away|lose|delete) the [\w-]+ (?:one|version)\b|\bi want both\b|\bkeep both\b|"
    r"\b(?:as|in) \d+:\d+ and (?:as |in )?\d+:\d+",
    re.IGNORECASE,
)
"""A request for a second version beside the current one."""
AS_VERSIONS: Final = (
    "Every change makes a new version, and the one before stays in the history. Ask for one change alone, "
    "such as “in winter” or “vertical”; “render both” then renders the last two. Nothing was changed yet."
)
"""The help for a request for a second version."""
