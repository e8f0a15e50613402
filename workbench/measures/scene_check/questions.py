"""Makes questions about a video from its scene, each with its field.

Every question is phrased so that "yes" means the video shows what was requested.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final

from workbench.cast import Beat, Entity, numeral
from workbench.scene import Scene

__all__ = ["MOST_QUESTIONS", "Question", "questions_of"]

MOST_QUESTIONS: Final = 40
"""Maximum questions: cast and beats come first."""
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Question:
    """One requested element of the scene."""

    field: str
    """The scene field: ``subject``, ``subject_details``, ``action`` and ``cast`` for its entities,
    otherwise the field of text."""
    text: str
    """The question, answered by yes if the video shows it: "Are there two foxes?"."""
    wanted: str
    """What is requested, in a few words: "two foxes"."""


def questions_of(scene: Scene) -> tuple[Question, ...]:
    """Return the questions of ``scene``: cast, beats and their order, then the fields of text."""
    found: dict[str, Question] = {}
    for one in (*_of_cast(scene), *_of_beats(scene), *_of_fields(scene)):
        short = replace(one, text=one.text[:_LONGEST], wanted=one.wanted[:_LONGEST])
        found.setdefault(short.text, short)
    return tuple(found.values())[:MOST_QUESTIONS]


def _of_cast(scene: Scene) -> Iterator[Question]:
    for one in scene.cast:
        name = _bare(one)
        if not name:
            continue
        field = "subject" if one.is_lead else "cast"
        there = f"Is there {name}?" if one.count == 1 else f"Are there any {one.phrase}?"
        yield Question(field, there, name)
        if one.count is not None and one.count > 1:
            group = f"{numeral(one.count)} {one.phrase}"
            yield Question(field, f"Are there {group}?", f"exactly {group}")
        field = "subject_details" if one.is_lead else "cast"
        for look in one.looks:
            words = (one.phrase, look.text) if look.place == "after" else (look.text, one.phrase)
            yield Question(field, f"{_are(one)} {look.text}?", " ".join(words))
        if one.position:
            yield Question("cast", f"{_are(one)} {one.position}?", f"{name} {one.position}")


def _of_beats(scene: Scene) -> Iterator[Question]:
    for beat in scene.beats:
        told, actor = _told(beat, scene), scene.entity(beat.actor)
        if actor is None or beat.part:
            yield Question("action", f"Does this happen: {told}?", told)
        else:
            yield Question("action", f"{_are(actor)} {beat.text}?", told)
    for before, after in pairwise(scene.moments()):
        first, second = _told(before[-1], scene), _told(after[0], scene)
        text = f"Does this come first: {first}; and only then: {second}?"
        yield Question("action", text, f"{first}, then {second}")


def _of_fields(scene: Scene) -> Iterator[Question]:
    for field, words in _templates().items():
        value = getattr(scene, field)
        parts = value.split(",") if field == "negative_prompt" else value
        for part in (parts,) if isinstance(parts, str) else parts:
            if asked := part.strip():
                yield Question(
                    field, words["ask"].format(value=asked), words["want"].format(value=asked)
                )


@cache
def _templates() -> Mapping[str, Mapping[str, str]]:
    here = resources.files("workbench.measures.scene_check")
    found: dict[str, dict[str, str]] = tomllib.loads(
        here.joinpath("questions.toml").read_text("utf-8")
    )
    return found


def _are(entity: Entity) -> str:
    return f"{'Is' if entity.count == 1 else 'Are'} the {entity.phrase}"


def _bare(entity: Entity) -> str:
    """Return the entity's name without its looks, as used within a sentence."""
    return replace(entity, looks=(), position="", determiner=entity.determiner.lower()).name


def _told(beat: Beat, scene: Scene) -> str:
    actor = scene.entity(beat.actor)
    who = beat.part or (_bare(actor) if actor else "")
    return f"{who} {beat.text}".strip()
