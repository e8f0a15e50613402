"""Written words in a scene: a sign that says OPEN, a banner with a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workbench.engines.animatic.script import Actor
from workbench.scene import Scene

__all__ = ["lettered"]

_SAID: Final = re.compile(
    r"\b(?:say(?:s|ing)?|read(?:s|ing)?|spell(?:s|ing)?|written|lettered|labelled|steht|super:?)"
    r" (?:\w+ ){0,1}?(?:[\"“'‘]([^\"”'’]{1,40})[\"”'’]|([A-ZÄÖÜ0-9][A-ZÄÖÜ0-9 '&!?-]*[A-ZÄÖÜ0-9!?]))"
)
"""A verb of writing, and the words in quotes or capitals."""
_BOARDS: Final = frozenset({"sign", "flag", "sheet", "card", "letter", "painting", "shopfront"})
"""Figures that carry writing."""
_BOARD: Final = "signboard"


def lettered(actors: Sequence[Actor], scene: Scene) -> tuple[Actor, ...]:
    """Return ``actors`` with the written words of ``scene`` on a board, if any."""
    words = _written(scene)
    if not words:
        return tuple(actors)
    look = (("letters", words),)
    bearer = next((actor for actor in actors if actor.figure in _BOARDS), None)
    if bearer is None:
        return (*actors, Actor(_BOARD, "sign", look=look))
    board = replace(bearer, figure=_BOARD, count=1, gait="rest", look=look, later=())
    return tuple(board if actor is bearer else actor for actor in actors)


def _written(scene: Scene) -> str:
    looks = (look.text for entity in scene.cast for look in entity.looks)
    for text in (scene.action, scene.subject_details, *scene.details, scene.subject, *looks):
        if found := _SAID.search(text):
            return str(found[1] or found[2]).strip()
    return ""
