"""Finds the entry of a session that words name: by number, by what it added, before or after it."""

from __future__ import annotations

import re
from typing import Final

from workbench.actions.model import GoBack, Step
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context, Landmark
from workbench.prompts.intents.words import lemma
from workbench.scene import Scene

__all__ = ["ORDINALS", "entry_named", "entry_numbered", "landmark_named", "place_of", "steps_back"]

ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip


def entry_named(text: str | None, context: Context) -> int | None:
    """Return the entry that ``text`` names, by index; None for the current one, -1 for no match."""
    low = (text or "").lower().strip()
    low = re.sub(r"^(?:the|card|version|variation|prompt|entry)\s+", "", low)
    low = re.sub(r"\s+(?:one|version|variation|card|prompt|video|take)$", "", low)
    if low in {"", "this", "that", "it", "current", "last", "latest", "one", "new"}:
        return None
    if low.isdigit():
        return entry_numbered(int(low), context)
    if low in ORDINALS:
        return entry_numbered(ORDINALS.index(low) + 1, context)
    found = landmark_named(low, context)
    return -1 if found is None else found.index


def entry_numbered(number: int, context: Context) -> int:
    """Return the entry of a 1-based number, first among the newest variations; -1 if none."""
    varied = [one for one in context.landmarks if one.is_variation]
    if varied:
        parent = varied[-1].parent
        cards = [parent, *(one.index for one in varied if one.parent == parent)]
        if 1 <= number <= len(cards):
            card = cards[number - 1]
            return -1 if card is None else card
    known = [one.index for one in context.landmarks]
    return known[number - 1] if 1 <= number <= len(known) else -1


def place_of(text: str | None, context: Context) -> int | None:
    """Return the entry that ``text`` names, by index; None for the current one, -1 for no match."""
    low = re.sub(r"^(?:the|my)\s+", "", (text or "").lower().strip())
    earlier = re.fullmatch(
        r"(?:(?:version|one|prompt|state|time) )?(?:from )?(?P<when>before|without|with) (?:the |we |i |adding )*(?P<what>.+)",
        low,
    )
    if earlier is not None and (found := landmark_named(earlier["what"], context)) is not None:
        is_with = earlier["when"] == "with" or found.parent is None
        return found.index if is_with else found.parent
    if low in {
        "original",
        "start",
        "beginning",
        "first",
        "first one",
        "first version",
        "original one",
    }:
        return context.landmarks[0].index if context.landmarks else -1
    if low in {
        "previous",
        "previous one",
        "before",
        "last one",
        "one before",
        "last version",
        "previous version",
    }:
        here = context.current
        return next(
            (
                o.parent if o.parent is not None else -1
                for o in context.landmarks
                if o.index == here
            ),
            -1,
        )
    return entry_named(low, context)


def landmark_named(what: str, context: Context) -> Landmark | None:
    """Return the newest entry that added ``what``, or None."""
    words = _stems(what) - {
        "the", "a", "an", "it", "we", "one", "version", "with", "had", "of", "in", "to", "have",
    }  # fmt: skip
    if not words:
        return None
    known = {one.index: one for one in context.landmarks}
    for one in reversed(context.landmarks):
        said = _stems(one.request)
        if one.parent is not None and words <= said:
            return one
    here = known.get(context.current) if context.current is not None else None
    if here is not None and not words <= _said(here.scene):
        for one in reversed(context.landmarks):
            if words <= _said(one.scene) and not one.is_variation:
                return one
    for one in reversed(context.landmarks):
        before = known.get(one.parent) if one.parent is not None else None
        if before is not None and words <= _said(one.scene) and not words <= _said(before.scene):
            return one
    return None


def _said(scene: Scene) -> set[str]:
    texts = [str(v) for v in scene.values().values()]
    texts += [e.text for e in scene.cast]
    return {stem for text in texts for stem in _stems(text)}


def _stems(text: str) -> set[str]:
    """Return the base forms of the words of ``text``: "raining" and "rain" are the same."""
    words = re.findall(r"[\w'-]+", text.lower())
    return {lemma(lemma(w, "NOUN"), "VERB") for w in words}


def steps_back(count: int, score: float, context: Context) -> Candidate:
    """Undo the last ``count`` steps, or as many as there are."""
    known = {one.index: one for one in context.landmarks}
    at = known.get(context.current) if context.current is not None else None
    for _ in range(count):
        at = known.get(at.parent) if at is not None and at.parent is not None else at
    to = Step.UNDO if at is None else at.index
    return Candidate((GoBack(to=to),), score, intent="go_back")
