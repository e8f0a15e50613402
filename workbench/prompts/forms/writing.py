"""Writes one scene in the form of a model family: paragraph, short, Wan, LTX or Cosmos.

The user's prompt stays; the text made here only goes to the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from workbench.lexicon.nouns import place_in
from workbench.lexicon.terms import word_list
from workbench.lexicon.words import sentence_case, sentences
from workbench.prompts.forms.cosmos import Shape, cosmos_caption
from workbench.prompts.markers import strip_marker
from workbench.scene import Scene

__all__ = ["Form", "text_for_model"]

_SHORT_WORDS: Final = 45


class Form(StrEnum):
    """The form of the prompts that a model family was trained on."""

    PARAGRAPH = "paragraph"
    """The prompt as the user sees it, without marker: the default."""
    SHORT = "short"
    """One sentence followed by the look, for text encoders limited to 77 tokens."""
    WAN = "wan"
    """Short tags first, then the prompt."""
    LTX = "ltx"
    """One chronological paragraph: action first, then looks, place, camera, light."""
    COSMOS = "cosmos"
    """Cosmos 3's caption as JSON, with every key of its training captions."""


def text_for_model(
    prompt: str,
    scene: Scene,
    form: Form | str = Form.PARAGRAPH,
    *,
    shape: Shape | None = None,
) -> str:
    """Return the text for the model from ``prompt`` and its ``scene``, without markers.

    ``shape`` is the size and length of the video, which a caption states. Raises ``ValueError`` for
    a form that does not exist.
    """
    text = strip_marker(prompt)
    chosen = Form(form)
    return (
        cosmos_caption(text, scene, shape)
        if chosen is Form.COSMOS
        else _WRITERS[chosen](text, scene)
    )


def _paragraph(prompt: str, _scene: Scene) -> str:
    return prompt


def _short(prompt: str, scene: Scene) -> str:
    """Return subject and look, in whole phrases up to the encoder's limit."""
    first = next(iter(sentences(prompt)), prompt).rstrip(".")
    what = _what(scene)
    begun = what if what and len(what.split()) <= len(first.split()) else first
    text = " ".join(begun.split()[:_SHORT_WORDS])
    for phrase in (*_tags(scene), scene.mood, *scene.details):
        longer = f"{text}, {phrase}"
        if phrase and phrase.lower() not in text.lower() and len(longer.split()) <= _SHORT_WORDS:
            text = longer
    return text


def _wan(prompt: str, scene: Scene) -> str:
    tags = [tag for tag in (*_tags(scene), scene.pace) if tag]
    body = prompt or _from_scene(scene)
    return f"{sentence_case(', '.join(tags))}. {body}" if tags else body


def _ltx(prompt: str, scene: Scene) -> str:
    """Return the prompt with camera and light appended if it does not name them."""
    parts = [prompt.rstrip(".")] if prompt else [_from_scene(scene).rstrip(".")]
    low = prompt.lower()
    camera = [scene.shot_size, scene.camera_angle, scene.camera_movement, scene.lens]
    light = [scene.time_of_day, scene.weather, scene.lighting, scene.color_palette]
    look = [scene.mood, scene.style, scene.pace]
    for name, terms in (("camera", camera), ("light", light), ("look", look)):
        fresh = [term for term in terms if term and term.lower() not in low]
        if fresh:
            parts.append(f"The {name}: {', '.join(fresh)}")
    return ". ".join(part for part in parts if part) + "."


def _from_scene(scene: Scene) -> str:
    """Return sentences for a scene without a prompt."""
    seen = [sentence_case(_what(scene)), *(sentence_case(detail) for detail in scene.details)]
    return ". ".join(part.rstrip(".") for part in seen if part) + "." if any(seen) else ""


def _tags(scene: Scene) -> tuple[str, ...]:
    return (
        scene.style, scene.shot_size, scene.camera_angle, scene.camera_movement, scene.time_of_day,
        scene.weather, scene.lighting, scene.color_palette,
    )  # fmt: skip


def _what(scene: Scene) -> str:
    setting = scene.setting
    if (
        not setting
        or setting in {scene.subject, scene.action}
        or setting.split(" ", 1)[-1] in scene.action
    ):
        where = ""
    elif setting.split(maxsplit=1)[0].lower() in word_list("prepositions"):
        where = setting
    else:
        place = place_in(setting)
        where = f"{place.prep if place else 'in'} {setting}"
    parts = (scene.subject or setting, scene.subject_details, scene.action, where)
    return " ".join(part for part in parts if part)


_WRITERS: Final[Mapping[Form, Callable[[str, Scene], str]]] = MappingProxyType(
    {Form.PARAGRAPH: _paragraph, Form.SHORT: _short, Form.WAN: _wan, Form.LTX: _ltx}
)
