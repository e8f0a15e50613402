"""What can be seen of a scene, each sentence with the values that it stands on. Invents nothing.

The sentences are data (``data/evidence``): a rule speaks only where all that it names is in the scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from workbench.prompts.composer.facts import Facts, Focus
from workbench.prompts.composer.rules import rules_for
from workbench.scene import EntityKind, Scene

__all__ = ["Support", "framing", "supports"]

_ORDER: Final = ("event", "trace", "look", "detail", "place", "air", "light", "view", "finish")
_FIRST: Final = ("event", "view", "trace", "air", "look", "place", "light", "finish", "detail")
"""What is kept first where there is room for some only."""
_AT_MOST: Final = {"event": 3, "look": 2}
_MOST: Final = 5
_ROOM_WORDS: Final = 95
_LITTLE: Final = 3
"""Sentences below which finer things are said as well."""


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that the composer adds, and what of the scene it stands on."""

    text: str
    kind: str
    """What it shows: event, trace (what an event leaves around it), look, detail, place, air, light, view,
    finish or frame."""
    evidence: tuple[str, ...]
    """The fields, and the ids of entities and beats, that it stands on."""
    values: tuple[tuple[str, str], ...] = ()
    """Fields that it says and that nobody had said: shot size, camera movement."""


def supports(
    scene: Scene, *, most: int = _MOST, room_words: int = _ROOM_WORDS
) -> tuple[Support, ...]:
    """Return what can be seen of ``scene``, in the order of a prompt.

    There are at most ``most`` sentences of ``room_words`` words together; what happens comes first.
    """
    facts = Facts(scene)
    by_text = {one.text: one for kind in _ORDER for one in _of_kind(facts, kind)}
    found = [one for one in by_text.values() if one.kind != "detail"]
    if len(found) < _LITTLE:
        found = list(by_text.values())
    chosen: list[Support] = []
    for one in sorted(found, key=lambda one: _urgency(one, found)):
        words = len(one.text.split())
        if len(chosen) < most and words <= room_words:
            room_words -= words
            chosen.append(one)
    return tuple(one for one in found if one in chosen)


def _urgency(one: Support, found: list[Support]) -> tuple[int, int]:
    """Return the place of a sentence in the queue: a second of its kind waits for the first of others."""
    same = [other for other in found if other.kind == one.kind]
    turn = same.index(one) if one.kind == "look" else 0
    return turn, _FIRST.index(one.kind)


def _of_kind(facts: Facts, kind: str) -> Iterator[Support]:
    told: set[str] = set()
    for focus in _foci(facts, kind):
        one = _best(facts, kind, focus)
        if one and one.text not in told and len(told) < _AT_MOST.get(kind, 1):
            told.add(one.text)
            yield one


def _foci(facts: Facts, kind: str) -> Iterator[Focus]:
    cast, beats = facts.scene.cast, facts.scene.beats
    if kind in {"event", "trace"}:
        yield from (Focus(beat=beat) for beat in beats)
    elif kind == "detail":
        yield from (Focus(beat=beat) for beat in beats[:1])
        yield from (Focus(entity=e) for e in facts.leads[:1] if not beats)
        return
    elif kind == "look":
        ordered = sorted(cast, key=lambda e: not e.is_lead)
        told = " ".join(beat.text for beat in beats)
        yield from (
            Focus(entity=e)
            for e in ordered
            if e.kind is not EntityKind.TEXT and f"like {e.name}" not in told
        )
    if kind not in {"event", "trace"}:
        yield Focus()


def _best(facts: Facts, kind: str, focus: Focus) -> Support | None:
    best: Support | None = None
    weight = 0
    for rule in rules_for(kind, facts.by_word(focus)):
        fit, stands_on = facts.holds(rule, focus)
        if fit > weight and not facts.is_barred(rule.text):
            weight = fit
            best = Support(facts.filled(rule.text, focus), kind, stands_on, rule.values)
    return best


def framing(scene: Scene) -> Support | None:
    """Return how the scene is framed and why; None where the user said it, or no reason is known."""
    if scene.shot_size or scene.camera_angle or scene.camera_movement or scene.viewpoint:
        return None
    facts = Facts(scene)
    first = next((b for b in scene.beats if not b.text.startswith("not ")), None)
    lead = next(iter(facts.leads), None)
    return _best(facts, "frame", Focus(beat=first) if first else Focus(entity=lead))
