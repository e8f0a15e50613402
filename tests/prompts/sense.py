"""Checks of sense: words that a rewriting lost, and statements that contradict the user's.

Written apart from the composer on purpose: it shares no code and no lexicon with it but morphology.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import lemminflect

from workbench.prompts.model import Draft

_SMALL: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "and",
        "or",
        "in",
        "on",
        "at",
        "by",
        "for",
        "with",
        "from",
        "into",
        "onto",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "there",
        "their",
        "his",
        "her",
        "he",
        "she",
        "they",
        "them",
        "him",
        "up",
        "out",
        "off",
        "so",
        "but",
        "while",
        "than",
        "then",
        "i",
        "me",
        "we",
        "our",
        "you",
        "your",
        "not",
        "no",
        "do",
        "does",
        "did",
        "s",
        "t",
        "who",
        "which",
        "over",
        "under",
        "through",
    ]
)
_NIGHT: Final = r"\b(?:at night|night|midnight|nighttime|starry|moonlit)\b"
_DAYLIGHT: Final = r"\b(?:midday|noon|sunlight|sunlit|sunny|daylight|morning|afternoon|golden hour|sunrise|sunset)\b"
_INDOORS: Final = (
    r"\b(?:kitchen|bedroom|living room|bathroom|office|indoor|indoors|interior|classroom|studio|"
    r"hallway|basement|museum|gym|restaurant|shower room|meeting room|locker room)\b"
)
_OPEN_AIR: Final = (
    r"\b(?:meadow|horizon|clouds drift|the sky above|overcast sky|rain streaks|foam slides?|"
    r"tall grasses|seed heads|heat trembles|cloud shadows)\b"
)
_DRY: Final = r"\b(?:desert|dunes|savanna)\b"
_WATERY: Final = r"\b(?:waves?|swell|foam|plankton|tide|ripples spread)\b"
_SUNNY: Final = r"\b(?:sunny|clear sky|blue sky|sunshine)\b"
_WET: Final = r"\b(?:rain|downpour|drizzle|puddles|overcast|thunderstorm|fog closes)\b"
_UNDERWATER: Final = r"\b(?:under ?water|coral reef|seabed)\b"
_DUSTY: Final = r"\b(?:dust lifts|dust hangs|grass bends|breeze)\b"
_THINGS: Final = [
    "bowl",
    "cup",
    "vase",
    "chair",
    "table",
    "bench",
    "clock",
    "book",
    "bottle",
    "suitcase",
    "umbrella",
    "backpack",
    "banana",
    "apple",
    "orange",
    "carrot",
    "pizza",
    "cake",
    "donut",
    "sandwich",
    "refrigerator",
    "oven",
    "toaster",
    "toilet",
    "sink",
    "scissors",
]
_LIVELY: Final = r"(?:walks?|runs?|breathes?|blinks?|sleeps?|smiles?|looks up|gallops?|strides?)"
_CLASHES: Final = (
    ("night and daylight", _NIGHT, _DAYLIGHT),
    ("indoors and open air", _INDOORS, _OPEN_AIR),
    ("desert and waves", _DRY, _WATERY),
    ("sunshine and rain", _SUNNY, _WET),
    ("under water and dust", _UNDERWATER, _DUSTY),
    ("sleep and open eyes", r"\bsleeping\b", r"\beyes (?:stay|fixed|hardly)|\blooks? up\b"),
    ("frozen and moving", r"\bfrozen in time\b", r"\bslow motion|tracking shot\b"),
)


def lost_words(rough: str, enhanced: str) -> list[str]:
    """Return the content words of ``rough`` of which ``enhanced`` has no form."""
    have = {form for word in _words(enhanced) for form in _forms(word)}
    return [w for w in _words(rough) if w not in _SMALL and not _forms(w) & have]


def contradictions(rough: str, draft: Draft) -> list[str]:
    """Return what ``draft`` says against ``rough``, or against itself."""
    found = []
    asked, told = rough.lower(), draft.prompt.lower()
    for name, one, other in _CLASHES:
        if re.search(one, asked) and not re.search(other, asked) and re.search(other, told):
            found.append(name)
        if re.search(other, asked) and not re.search(one, asked) and re.search(one, told):
            found.append(f"{name} (reversed)")
    alive = [t for t in _THINGS if t in asked and re.search(rf"\bthe {t} {_LIVELY}\b", told)]
    return [*found, *(f"a living {thing}" for thing in alive)]


def _words(text: str) -> list[str]:
    return [w.lower() for w in re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)]


@cache
def _forms(word: str) -> frozenset[str]:
    forms = {word, *re.split(r"[-’']", word)}
    for part in tuple(forms):
        for bases in lemminflect.getAllLemmas(part).values():
            forms.update(bases)
        for pos in ("VERB", "NOUN"):
            if part.isascii() and part.isalpha():
                for bases in lemminflect.getAllLemmasOOV(part, pos).values():
                    forms.update(bases)
    forms.discard("s")
    forms.discard("")
    return frozenset(forms)
