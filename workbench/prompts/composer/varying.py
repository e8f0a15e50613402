"""Writes variations: each is one named idea, in the user's own words.

Ideas alternate by axis for a diverse set; when they run out, two are combined.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.lexicon.languages import is_foreign
from workbench.lexicon.morphology import lemmas
from workbench.lexicon.terms import find_terms
from workbench.lexicon.words import sentences, tokens
from workbench.prompts.composer.composer import NAME, rng_for
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.evidence import FRAMED, framing, supports
from workbench.prompts.composer.harmony import clashes, harmonize
from workbench.prompts.composer.ideas import (
    AXES,
    PREPOSITIONS,
    Idea,
    fields_of_axes,
    ideas_for,
    why_not,
)
from workbench.prompts.composer.sayings import saying
from workbench.prompts.model import Variation
from workbench.scene import Origin, Scene

__all__ = ["AXES", "fields_of_axes", "vary"]

_MOST_SUPPORTS: Final = 1
_ALL: Final = 99
_HEADING: Final = 60
"""Maximum characters before a colon that count as a heading."""
_STATES: Final = frozenset({"time_of_day", "weather"})
"""Fields with one value per scene; words for another value would contradict it."""
_ENDS: Final = re.compile(r"\s*(?:$|[.,;:!?]|(?:in|on|at|by|with|and|while|as|over|through)\b)")
"""What may follow a term used by itself, unlike the "night" of a "night market"."""
_BEFORE_TERM: Final = r"(?:at|in|during|under|on|with|by|through)"


@dataclass(slots=True)
class _Parent:
    """A prompt to vary, and its remaining ideas."""

    prompt: str
    scene: Scene
    ideas: Iterator[tuple[Idea, ...]]
    note: str = ""


def vary(
    parents: Sequence[tuple[str, Scene]],
    count: int,
    *,
    axes: Sequence[str] = (),
    hold: Sequence[str] = (),
    seed: int = 0,
    avoid: Collection[str] = (),
) -> list[Variation]:
    """Return ``count`` distinct variations, divided evenly among ``parents``.

    ``axes`` names axes or fields to vary; ``hold`` fields that stay. No text equals a parent's or
    one of ``avoid``. A variation without an idea says why in ``message``.
    """
    if not parents or count <= 0:
        return []
    rng = rng_for(seed, [p for p, _ in parents], tuple(axes), tuple(hold))
    plans = []
    for prompt, scene in parents:
        ideas = ideas_for(scene, axes, hold, rng)
        wanted = [axis for axis in axes if not any(_touches(idea, axis) for idea in ideas)]
        note = " ".join(why_not(axis, scene, hold) for axis in wanted)
        plans.append(_Parent(prompt, scene, _combined(ideas), note))
    taken = {p for p, _ in parents} | set(avoid)
    made: list[Variation] = []
    for number in range(count):
        parent = number % len(parents)
        one = _next(plans[parent], parent, taken)
        made.append(one)
        taken.add(one.prompt)
    return made


def _touches(idea: Idea, axis: str) -> bool:
    return idea.axis == axis or axis in idea.values


def _combined(ideas: Sequence[Idea]) -> Iterator[tuple[Idea, ...]]:
    """Yield each idea alone, then pairs and triples that set no field twice."""
    yield from ((idea,) for idea in ideas)
    for several in (2, 3):
        for joined in itertools.combinations(ideas, several):
            named = [name for idea in joined for name in idea.values]
            if len(set(named)) == len(named):
                yield joined


def _next(plan: _Parent, parent: int, taken: Collection[str]) -> Variation:
    for ideas in plan.ideas:
        values: dict[str, str] = {k: v for idea in ideas for k, v in idea.values.items()}
        free = {name: value for name, value in values.items() if not plan.scene.is_locked(name)}
        scene = plan.scene.edit(free, origin=Origin.INFERRED)
        scene = harmonize(scene, set(free))
        text = _written(plan, scene, ideas)
        clashing = set(clashes(scene)) - set(clashes(plan.scene))
        if text not in taken and scene != plan.scene and not clashing:
            return Variation(
                prompt=text,
                scene=scene,
                parent=parent,
                changes=plan.scene.changes_to(scene),
                provider=NAME,
                name=" · ".join(idea.name for idea in ideas),
                message=plan.note,
            )
    return _reworded(plan, parent, taken)


def _reworded(plan: _Parent, parent: int, taken: Collection[str]) -> Variation:
    """Return a paraphrase of the same scene, for when no idea is left."""
    openings: list[str] = load("ideas")["wordings"]["openings"]
    first, *rest = sentences(plan.prompt) or [plan.prompt]
    for number in itertools.count():
        words = openings[number % len(openings)]
        again = f", take {number // len(openings) + 1}" if number >= len(openings) else ""
        text = " ".join([f"{words}{again}: {_lowered(first)}", *rest])
        if text not in taken:
            reason = (
                plan.note or "No further idea is known for this scene: it is told in other words."
            )
            return Variation(
                prompt=text, scene=plan.scene, parent=parent, changes=(), provider=NAME,
                name="In other words", message=reason,
            )  # fmt: skip
    raise AssertionError("itertools.count ended")


def _written(plan: _Parent, scene: Scene, ideas: Sequence[Idea]) -> str:
    """Return the prompt of an idea: its lead, the user's own words, then what the idea shows."""
    changed = {name for idea in ideas for name in idea.values}
    own = _own_sentences(plan.prompt, plan.scene, changed)
    own = [_without_old(sentence, plan.scene, changed) for sentence in own]
    for idea in ideas:
        if idea.place:
            own = _moved(own, plan.scene.setting, idea.place)
    own = own if own[-1].endswith((".", "!", "?", "…", "。")) else [*own[:-1], f"{own[-1]}."]
    if is_foreign(plan.prompt):
        return " ".join([*own, *map(_directed, ideas)])
    said = [_directed(idea) for idea in ideas if idea.say]
    for lead in [idea.lead for idea in ideas if idea.lead and not idea.say]:
        own = [_after_heading(own[0], f"{lead},"), *own[1:]]
    fresh = [one for one in supports(scene, most=_ALL) if one.text not in plan.prompt]
    skipped = {"air", "light", "finish", "view"} if said else {"view"}
    fresh = [one for one in fresh if one.kind not in skipped or not changed & set(one.evidence)]
    seen = [one.text for one in fresh if changed & set(one.evidence)][:_MOST_SUPPORTS]
    return " ".join([*own, *said, *seen])


def _directed(idea: Idea) -> str:
    """Return an idea as a sentence: camera or light first, then what is seen."""
    first, *rest = idea.say or (idea.place,)
    joined = f"{idea.lead}: {first[:1].lower()}{first[1:]}" if idea.lead else first
    told = joined if joined.count(":") < 2 else f"{idea.lead}. {first}"
    return " ".join([f"{told[:1].upper()}{told[1:]}", *rest])


def _after_heading(sentence: str, words: str) -> str:
    """Return ``sentence`` with ``words`` at its start, after a heading such as "Dashcam:"."""
    heading, colon, rest = sentence.partition(": ")
    if colon and len(heading) < _HEADING:
        return f"{heading}: {words[:1].lower()}{words[1:]} {_lowered(rest)}"
    return f"{words[:1].upper()}{words[1:]} {_lowered(sentence)}"


def _own_sentences(prompt: str, scene: Scene, changed: Collection[str]) -> list[str]:
    """Return the sentences of ``prompt`` that the composer did not add."""
    frame = framing(scene.edit(dict.fromkeys(FRAMED, ""), force=True))
    added = {one.text for one in supports(scene)} | ({frame.text} if frame else set())
    gone = {saying(name, str(getattr(scene, name))) for name in changed}
    return [s for s in sentences(prompt) if s not in added and s not in gone] or [prompt]


def _without_old(sentence: str, scene: Scene, changed: Collection[str]) -> str:
    """Return ``sentence`` without words that the idea replaces: "at noon" where it is night."""
    for term in reversed(find_terms(sentence)):
        is_old = term.field in _STATES & set(changed) and getattr(scene, term.field) == term.term
        if not is_old or not _ENDS.match(sentence[term.end :]):
            continue
        before = re.sub(
            rf"(?:,\s*)?(?:\b{_BEFORE_TERM}\s+)?(?:\b(?:an?|the)\s+)?$", "", sentence[: term.start]
        )
        cut = f"{before.rstrip()} {sentence[term.end :].lstrip()}".strip()
        cut = re.sub(r"\s+([.,;:!?])", r"\1", cut).lstrip(",;: ")
        sentence = f"{cut[:1].upper()}{cut[1:]}" if len(tokens(cut)) > 1 else sentence
    return sentence


def _moved(own: Sequence[str], old: str, place: str) -> list[str]:
    """Return the sentences with the old place replaced, or the new one added."""
    bare = re.sub(r"^(?:an?|the)\s+", "", old)
    if bare:
        pattern = re.compile(
            rf"(?:\b{PREPOSITIONS}\s+)?(?:\b(?:an?|the|some|her|his|their)\s+)?{re.escape(bare)}\b",
            re.IGNORECASE,
        )
        for at, sentence in enumerate(own):
            if match := pattern.search(sentence):
                new = place if match.start() else f"{place[:1].upper()}{place[1:]}"
                moved = f"{sentence[: match.start()]}{new}{sentence[match.end() :]}"
                return [*own[:at], moved, *own[at + 1 :]]
    first = own[0]
    stop = first[-1] if first[-1:] in ".!?" else "."
    if ":" in first or "," in first:
        return [_after_heading(first, f"{place},"), *own[1:]]
    return [f"{first.rstrip('.!?')} {place}{stop}", *own[1:]]


def _lowered(sentence: str) -> str:
    """Return ``sentence`` as it continues after a comma: only a name keeps its capital."""
    first = sentence.split(maxsplit=1)[0] if sentence else ""
    is_word = first.lower() in {"a", "an", "the", "two", "three", "my", "his", "her", "their", "one",
                                "in", "on", "at", "it", "they", "he", "she", "some", "someone",
                                "everyone"}  # fmt: skip
    known = is_word or (first[1:].islower() and bool(lemmas(first.lower())))
    return f"{sentence[:1].lower()}{sentence[1:]}" if known else sentence
