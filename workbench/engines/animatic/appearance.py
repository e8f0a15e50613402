"""A person's stated looks as painter keys: hair, clothes, face."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.figures.drawing import colours
from workbench.engines.animatic.places import plain
from workbench.engines.animatic.tables import lexicon
from workbench.engines.animatic.words import colour_names
from workbench.scene import Aspect, Entity

__all__ = ["appearance_of", "is_look", "stated_colour"]

_FACE: Final = frozenset(
    {"face", "eyes", "eye", "sweat", "tears", "smile", "forehead", "moustache"}
)
_NEAR: Final = 3
"""Maximum number of words between a colour and its garment or hair."""


def appearance_of(said: str) -> tuple[tuple[str, Any], ...]:
    """Return a person's looks stated in ``said``, as pairs of painter keys and values."""
    words = plain(said).split()
    table = lexicon()["appearance"]
    found: dict[str, Any] = {}
    for at, word in enumerate(words):
        for garment, keys in _garments().items():
            if word in {garment, f"{garment}s"}:
                found |= {key: value for key, value in keys.items() if key != "colours"}
                colour = _colour_before(words, at)
                if colour is not None and "colours" in keys:
                    found[keys["colours"]] = colour
    for sign, keys in table["signs"].items():
        if re.search(rf"\b{re.escape(sign)}", " ".join(words)):
            found |= keys
    return tuple(sorted(found.items()))


def is_look(phrase: str) -> bool:
    """Tell whether ``phrase`` is worn or part of a face, so that it is painted on its owner."""
    words = plain(phrase).split()
    last = words[-1] if words else ""
    return last in _garments() or last.removesuffix("s") in _garments() or last in _FACE


def stated_colour(entity: Entity, figure: str) -> Colour | None:
    """Return the stated colour of ``entity`` as a whole."""
    del figure
    texts = [look.text for look in entity.looks if look.aspect is Aspect.COLOUR]
    texts += [look.text for look in entity.looks if look.aspect is not Aspect.COLOUR]
    for text in texts:
        for word in plain(text).split():
            if word in colour_names():
                return colours()[colour_names()[word]]
    return None


@cache
def _garments() -> dict[str, dict[str, Any]]:
    """Return garment → the painter's keys that it sets."""
    return {
        word: {key: value for key, value in entry.items() if key != "words"}
        for entry in lexicon()["appearance"]["garments"]
        for word in entry["words"]
    }


def _colour_before(words: list[str], at: int) -> Colour | None:
    for word in reversed(words[max(0, at - _NEAR) : at]):
        if word in {"and", "with", "in"}:
            return None
        if word in colour_names():
            return colours()[colour_names()[word]]
    return None
