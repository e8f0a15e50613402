"""Tells a place that heads a clause from the clause: "misty forest, a deer drinking"."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.terms import place_named, subject_kind, word_list
from workbench.lexicon.words import bare
from workbench.prompts.composer.timing import timeless
from workbench.prompts.composer.verbs import is_animate, verb_start

__all__ = ["is_place_alone", "somebody_acts"]

_NOT_A_STAGE: Final = frozenset({"surface", "perch", "vehicle"})
_SOMEBODY: Final = frozenset({"someone", "somebody", "people", "everyone", "nobody"})


def is_place_alone(phrase: str) -> bool:
    """Tell whether ``phrase`` names a place and nothing else: "a misty forest", "kitchen scene"."""
    name = re.sub(r"\s+scene\Z", "", timeless(phrase.strip()), flags=re.IGNORECASE)
    words = [bare(w) for w in name.split()]
    if not words or len(words) > 4 or set(words) & (word_list("prepositions") | {"and", "or"}):
        return False
    place = place_named(words[-1])
    is_thing = subject_kind(words[-1]) is not None and name == timeless(phrase.strip())
    return place is not None and place.kind not in _NOT_A_STAGE and not is_thing


def somebody_acts(phrase: str) -> bool:
    """Tell whether ``phrase`` is a clause of its own about somebody: "a deer drinking"."""
    words = phrase.split()
    at, _ = verb_start(words)
    return at > 0 and (is_animate(words[:at]) or bare(words[0]) in _SOMEBODY)
