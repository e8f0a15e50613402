"""Chooses where a scene happens: by what is done, by who or what is seen, by its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import lemma
from workbench.lexicon.nouns import head_of, place_in
from workbench.lexicon.terms import is_pair, place_named, subject_kind
from workbench.lexicon.words import tokens
from workbench.prompts.composer.casting import place_of
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import Ground
from workbench.scene import Scene

__all__ = ["settings_for"]

_NOT_ENTERED: Final = frozenset({"surface", "perch", "vehicle", "home", "work"})
"""Kinds of places that are worked on from outside: making a bed does not happen in one."""
_LED: Final = re.compile(r"^(?:with|at|on|for|to|up|out)\s+")


def settings_for(scene: Scene, at: Ground, _words: frozenset[str]) -> Sequence[str]:
    """Return where ``scene`` is likely to happen."""
    if scene.lighting == "studio lighting":
        return ("a plain studio",)
    if (inside := _place_acted_on(scene.action)) and at.kind != "hands":
        return (inside,)
    actions = [t for t in tokens(scene.action.lower()) if t not in english("determiners")]
    by_action = _by_word("settings_by_action")
    by_noun = _by_word("settings_by_noun")
    for i, word in enumerate(actions):
        pair = f"{word}_{actions[i + 1]}" if i + 1 < len(actions) else ""
        if pair in by_action:
            return by_action[pair]
    if at.kind in {"man", "woman", "person", "hands"} or scene.subject == "someone":
        for word in actions[:2]:
            if word in by_action:
                return by_action[word]
    if known := _by_subject(scene.subject, by_noun):
        return known
    thing = _head(_LED.sub("", scene.action.lower().partition(" ")[2]))
    if at.kind in {"man", "woman", "person"} and thing in by_noun:
        return by_noun[thing]
    if at.kind == "scenery" and not scene.action:
        return ()
    by_kind = load("completions")["settings_by_kind"]
    found: Sequence[str] = by_kind.get("person" if at.kind in {"man", "woman"} else at.kind, ())
    return found


def _by_subject(subject: str, by_noun: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return where those that are seen belong; empty where nobody knows.

    A chair does not fit where a glass may stand, but a glass fits where a chair stands.
    """
    known = [
        by_noun[name]
        for part in subject.lower().split(" and ")
        if (name := next((w for w in _names_in(tokens(part)) if w in by_noun), ""))
    ]
    return next(
        (found for found in known if found and not _is_surface(found[0])), known[0] if known else ()
    )


def _head(phrase: str) -> str:
    """Return what the head of ``phrase`` is known by, its singular: "the red kites" → "kite"."""
    words = [w for w in tokens(phrase) if w not in english("determiners")]
    head = head_of(phrase)
    own = words[: words.index(head) + 1] if head in words else []
    return (
        next(_names_in(own[-2:]), "")
        if len(own) > 1 and is_pair(own[-2], head)
        else lemma(head, "NOUN")
    )


def _is_surface(setting: str) -> bool:
    place = place_of(setting)
    return place is not None and place.kind == "surface"


def _names_in(nouns: Sequence[str]) -> Iterator[str]:
    """Return what ``nouns`` may be known by, the last first; a pair counts as one: "teddy bear"."""
    at = len(nouns) - 1
    while at >= 0:
        single = lemma(nouns[at], "NOUN")
        if at and is_pair(nouns[at - 1], nouns[at]):
            yield f"{nouns[at - 1]}-{single}"
            at -= 1
        else:
            yield nouns[at]
            yield single
        at -= 1


def _place_acted_on(action: str) -> str:
    """Return the place that the action is about: "exploring a coral reef" happens in one."""
    thing = action.partition(" ")[2]
    if place_named(thing) is not None and subject_kind(thing) is None:
        thing = with_article(thing)
    place = (
        place_in(thing)
        if thing.split()[:1] and thing.split()[0] in english("determiners")
        else None
    )
    is_room = head_of(thing).endswith("room")
    if place is None or (place.kind in _NOT_ENTERED and not is_room):
        return ""
    return "" if " " in re.sub(r"^(?:an?|the)\s+(?:\w+\s+)?", "", thing) else thing


@cache
def _by_word(name: str) -> Mapping[str, tuple[str, ...]]:
    return {word: tuple(v) for key, v in load("completions")[name].items() for word in key.split()}
