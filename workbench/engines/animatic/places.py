"""Words for places: the backdrop that a text names, and stated positions in the picture."""

from __future__ import annotations

import re
from collections.abc import Container
from functools import cache
from typing import Final

from workbench.engines.animatic.naming import named_in
from workbench.engines.animatic.script import Place
from workbench.engines.animatic.tables import lexicon
from workbench.scene import Entity

__all__ = ["find_backdrop", "place_of", "plain"]

_UPON: Final = re.compile(r"\b(?:on|onto|atop|on top of|in|inside|aboard)\b (.+)")


def plain(text: str) -> str:
    """Return ``text`` in lower case with single spaces."""
    return re.sub(r"[^a-z0-9é]+", " ", text.lower()).strip()


def find_backdrop(text: str, *, among: Container[str] | None = None) -> str:
    """Return the backdrop that ``text`` names, by its longest phrase, or ""."""
    spoken = f" {plain(text)} "
    found = [
        phrase
        for phrase, place in _places().items()
        if (f" {phrase} " in spoken or f" {phrase}s " in spoken)
        and (among is None or place in among)
    ]
    if not found:
        return ""
    return _places()[max(found, key=lambda phrase: (len(phrase.split()), len(phrase)))]


def place_of(entity: Entity) -> Place:
    """Return the stated position of ``entity`` in the picture."""
    spoken = f" {plain(entity.position)} "
    if not spoken.strip():
        return Place()
    said = {
        where
        for where, phrases in lexicon()["positions"].items()
        if any(f" {phrase} " in spoken for phrase in phrases)
    }
    side = ("right" in said) - ("left" in said)
    depth = next((where for where in ("far", "behind", "front") if where in said), "")
    upon = _UPON.search(spoken)
    under = named_in(upon[1]) if upon and not side and not depth else []
    return Place(side, depth, "above" in said, under[0].key if under else "")


@cache
def _places() -> dict[str, str]:
    return {plain(p): name for name, phrases in lexicon()["backdrops"].items() for p in phrases}
