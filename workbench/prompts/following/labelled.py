"""Labelled sentences for free values, such as "Mood: wistful.", and where sentences are added."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.words import sentence_case, sentences
from workbench.prompts.composer.editing import written
from workbench.prompts.composer.sayings import saying
from workbench.scene import Scene, canonical_term

__all__ = ["FREE_SENTENCES", "added", "is_free", "with_free_value"]

FREE_SENTENCES: Final = {
    "camera_movement": "Camera: {}.",
    "style": "In the style of {}.",
    "viewpoint": "Viewpoint: {}.",
    "lighting": "Lighting: {}.",
    "mood": "Mood: {}.",
    "color_palette": "Colours: {}.",
    "lens": "Lens: {}.",
    "shot_size": "Framing: {}.",
    "weather": "Weather: {}.",
    "time_of_day": "It is {}.",
    "pace": "Pace: {}.",
}
"""The sentence for a value in the user's own words, by field."""

_LABELLED: Final = re.compile(
    rf"(?:{'|'.join(t.split('{')[0].strip() for t in FREE_SENTENCES.values())}|Style:|Sound:|Shot on)\b"
)
"""A sentence for a value in the user's own words."""


def is_free(name: str, before: Scene, after: Scene) -> bool:
    """Tell whether a field changes to or from a value in the user's own words."""
    return any(
        value and canonical_term(name, value) is None
        for value in (getattr(before, name), getattr(after, name))
    )


def with_free_value(text: str, name: str, old: str, new: str) -> str:
    """Return ``text`` with the sentence of a value in the user's own words."""
    said = _free_sentence(name, old)
    if said and said in text:
        return " ".join(text.replace(said, _free_sentence(name, new)).split())
    if not new:
        return text
    base = text.rstrip()
    stop = "" if base.endswith((".", "!", "?")) else "."
    return f"{base}{stop} {_free_sentence(name, new)}"


def _free_sentence(name: str, value: str) -> str:
    if not value:
        return ""
    if name == "style" and value.lower().startswith("shot on "):
        return f"{sentence_case(value)}."
    if name == "style" and not value[:1].isupper() and not re.match(r"(?:an?|the)\s", value):
        return f"Style: {value}."
    return FREE_SENTENCES[name].format(value)


def added(text: str, sentence: str, scene: Scene) -> str:
    """Return ``text`` with ``sentence`` between the user's sentences and the composer's."""
    parts = sentences(text)
    if not sentence or not parts:
        return sentence or text
    composed = written(scene) | {saying(name, getattr(scene, name)) for name in FREE_SENTENCES}
    at = next(
        (n for n, one in enumerate(parts) if n and (one in composed or _LABELLED.match(one))),
        len(parts),
    )
    if not parts[at - 1].endswith((".", "!", "?", "。")):
        parts[at - 1] += "。" if sentence.endswith("。") else "."
    parts.insert(at, sentence)
    return " ".join(parts)
