"""What can be seen of a scene, each sentence with the values that it stands on. Invents nothing.

The sentences are data (``data/evidence``): a rule speaks only where all that it names is in the scene.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.prompts.composer.facts import LIVELY, Facts, Focus
from workbench.prompts.composer.rules import rules_for
from workbench.scene import EntityKind, Scene

__all__ = ["FRAMED", "Support", "framing", "supports"]

FRAMED: Final = ("shot_size", "camera_movement")
"""Fields that a framing sets."""
_ORDER: Final = ("view", "event", "trace", "look", "place", "air", "light", "finish")
_FIRST: Final = ("view", "light", "air", "event", "trace", "look", "finish", "place")
"""What is kept first where there is room for some only."""
_AT_MOST: Final = {"event": 2}
_LEAST_FIT: Final = {"event": 24, "look": 13}
"""The evidence that a sentence needs: a verb with who does it, a noun in its own role."""
_MOST: Final = 2
_ROOM_WORDS: Final = 95


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that the composer adds, and what of the scene it stands on."""

    text: str
    kind: str
    """What it shows: event, trace (what an event leaves around it), look, place, air, light, view, finish or
    frame."""
    evidence: tuple[str, ...]
    """The fields, and the ids of entities and beats, that it stands on."""
    values: tuple[tuple[str, str], ...] = ()
    """Fields that it says and that nobody had said: shot size, camera movement."""


def supports(
    scene: Scene,
    *,
    most: int = _MOST,
    room_words: int = _ROOM_WORDS,
    kinds: Collection[str] = _ORDER,
) -> tuple[Support, ...]:
    """Return what can be seen of ``scene``, in the order of a prompt.

    There are at most ``most`` sentences of ``room_words`` words together, of ``kinds`` alone; what
    happens comes first.
    """
    facts = Facts(scene)
    asked = [kind for kind in _ORDER if kind in kinds]
    found = list({one.text: one for kind in asked for one in _of_kind(facts, kind)}.values())
    chosen: list[Support] = []
    for one in sorted(found, key=lambda one: _FIRST.index(one.kind)):
        words = len(one.text.split())
        if len(chosen) < most and words <= room_words:
            room_words -= words
            chosen.append(one)
    return tuple(one for one in found if one in chosen)


def _of_kind(facts: Facts, kind: str) -> Iterator[Support]:
    told: set[str] = set()
    for focus in _foci(facts, kind):
        one = _best(facts, kind, focus)
        if one and one.text not in told and len(told) < _AT_MOST.get(kind, 1):
            told.add(one.text)
            yield one


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
    """Tell whether nothing is said that its usual look may contradict: an act, clothes, being asleep."""
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


def framing(scene: Scene) -> Support | None:
    """Return how the scene is framed and why; None where the user said it, or no reason is known.

    Where the first who acts is not the one that the picture is about, it is left open whom to follow.
    """
    if scene.shot_size or scene.camera_angle or scene.camera_movement or scene.viewpoint:
        return None
    facts = Facts(scene, with_attempts=True)
    acts = [b for b in scene.beats if not b.text.startswith("not ")]
    alive = [b for b in acts if (e := scene.entity(b.actor)) and e.kind in LIVELY]
    first = next(iter(alive or acts), None)
    lead = next(iter(facts.leads), None)
    if first and lead and first.actor and first.actor != lead.id:
        return None
    return _best(facts, "frame", Focus(beat=first) if first else Focus(entity=lead))
