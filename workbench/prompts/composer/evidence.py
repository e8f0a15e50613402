"""Sentences on what a scene shows, each with the values that support it. Invents nothing.

The sentences are data (``data/evidence``): a rule applies only if the scene has all it names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.prompts.composer.facts import LIVELY, Facts, Focus, facts_of
from workbench.prompts.composer.rules import rules_for
from workbench.scene import EntityKind, Scene

__all__ = ["FRAMED", "Support", "framing", "supports"]

FRAMED: Final = ("shot_size", "camera_movement")
"""Fields that a framing sets."""
_ORDER: Final = ("view", "event", "trace", "look", "place", "air", "light", "finish")
_FIRST: Final = ("view", "light", "air", "event", "trace", "look", "finish", "place")
"""Priority of kinds when not all sentences fit."""
_AT_MOST: Final = {"event": 2}
_LEAST_FIT: Final = {"event": 24, "look": 13}
"""Minimum fit of a sentence: a verb with its actor, a noun in its own role."""
_MOST: Final = 2
_ROOM_WORDS: Final = 95


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that the composer adds, and the values of the scene that support it."""

    text: str
    kind: str
    """What it shows: event, trace (what an event leaves around it), look, place, air, light, view,
    finish or frame."""
    evidence: tuple[str, ...]
    """The fields, and the ids of entities and beats, that support it."""
    values: tuple[tuple[str, str], ...] = ()
    """Fields that it sets and the user did not: shot size, camera movement."""


def supports(
    scene: Scene,
    *,
    most: int = _MOST,
    room_words: int = _ROOM_WORDS,
    kinds: Collection[str] = _ORDER,
) -> tuple[Support, ...]:
    """Return sentences on what ``scene`` shows, in the order of a prompt.

    At most ``most`` sentences, ``room_words`` words together, of ``kinds`` only; events come first.
    """
    asked = [kind for kind in _ORDER if kind in kinds]
    found = list({one.text: one for kind in asked for one in _of_kind(scene, kind)}.values())
    chosen: list[Support] = []
    for one in sorted(found, key=lambda one: _FIRST.index(one.kind)):
        words = len(one.text.split())
        if len(chosen) < most and words <= room_words:
            room_words -= words
            chosen.append(one)
    return tuple(one for one in found if one in chosen)


@lru_cache(maxsize=1_024)
def _of_kind(scene: Scene, kind: str) -> tuple[Support, ...]:
    """Return the sentences of a kind; a request looks at the same few scenes again and again."""
    facts = facts_of(scene)
    told: dict[str, Support] = {}
    for focus in _foci(facts, kind):
        if len(told) < _AT_MOST.get(kind, 1) and (one := _best(facts, kind, focus)):
            told.setdefault(one.text, one)
    return tuple(told.values())


def _foci(facts: Facts, kind: str) -> Iterator[Focus]:
    beats = facts.scene.beats
    if kind in {"event", "trace"}:
        yield from (Focus(beat=beat) for beat in beats)
    elif kind == "look" and _is_plain(facts):
        yield from (
            Focus(entity=e) for e in facts.scene.cast if e.is_lead and e.kind is not EntityKind.TEXT
        )
    if kind not in {"event", "trace"} and (kind != "look" or _is_plain(facts)):
        yield Focus()


def _is_plain(facts: Facts) -> bool:
    """Tell whether nothing said may contradict the usual look: an act, clothes, being asleep."""
    looks = [look for entity in facts.leads for look in entity.looks]
    told = any(one.place == "after" and not one.text.startswith(("a ", "an ")) for one in looks)
    return not (facts.scene.beats or told or english("stilled") & facts.words.keys())


def _best(facts: Facts, kind: str, focus: Focus) -> Support | None:
    best: Support | None = None
    weight = _LEAST_FIT.get(kind, 1) - 1
    for rule in rules_for(kind, facts.by_word(focus)):
        is_unnamed = "{place}" in rule.text and not facts.scene.setting
        if is_unnamed or any(getattr(facts.scene, name) for name, _ in rule.values):
            continue
        fit, stands_on = facts.holds(rule, focus)
        if fit > weight and not facts.is_barred(rule.text):
            weight = fit
            values = tuple(one for one in rule.values if one[0] in FRAMED)
            best = Support(facts.filled(rule.text, focus), kind, stands_on, values)
    return best


@lru_cache(maxsize=128)
def framing(scene: Scene) -> Support | None:
    """Return a framing and its evidence; None where the user gave one, or nothing suggests one.

    Where the first actor is not the lead, the framing does not say whom the camera follows.
    """
    if scene.shot_size or scene.camera_angle or scene.camera_movement or scene.viewpoint:
        return None
    facts = facts_of(scene, with_attempts=True)
    acts = [b for b in scene.beats if not b.text.startswith("not ")]
    alive = [b for b in acts if (e := scene.entity(b.actor)) and e.kind in LIVELY]
    first = next(iter(alive or acts), None)
    lead = next(iter(facts.leads), None)
    if first and lead and first.actor and first.actor != lead.id:
        return None
    return _best(facts, "frame", Focus(beat=first) if first else Focus(entity=lead))
