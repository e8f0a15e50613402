"""Writes one scene as the text that a model family wants: paragraph, Wan, LTX or Cosmos form.

The prompt that the user sees is never replaced: what is made here goes to the model beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from workbench.lexicon.nouns import place_in
from workbench.lexicon.terms import word_list
from workbench.lexicon.words import sentence_case, sentences
from workbench.prompts.markers import strip_marker
from workbench.scene import Scene

__all__ = ["Form", "form_for", "text_for_model"]


class Form(StrEnum):
    """The form in which a model family was taught to read prompts."""

    PARAGRAPH = "paragraph"
    """The prompt as the user sees it, without marker: the default."""
    WAN = "wan"
    """Short tags first, then what happens."""
    LTX = "ltx"
    """One paragraph in the order of time: the action first, then looks, place, camera, light."""
    COSMOS = "cosmos"
    """A caption as JSON, one key for each aspect."""


_FAMILIES: Final[Mapping[str, Form]] = MappingProxyType(
    {"wan": Form.WAN, "skyreels": Form.WAN, "ltx": Form.LTX, "cosmos": Form.COSMOS}
)


def form_for(model: str) -> Form:
    """Return the form for a model by its hub name, folder or family name."""
    low = model.lower()
    return next((form for family, form in _FAMILIES.items() if family in low), Form.PARAGRAPH)


def text_for_model(prompt: str, scene: Scene, form: Form | str = Form.PARAGRAPH) -> str:
    """Return what to hand to the model for ``prompt`` and its ``scene``; never carries a marker.

    Raises ``ValueError`` for a form that does not exist.
    """
    return _WRITERS[Form(form)](strip_marker(prompt), scene)


def _paragraph(prompt: str, _scene: Scene) -> str:
    return prompt


def _wan(prompt: str, scene: Scene) -> str:
    tags = [
        scene.style,
        scene.shot_size,
        scene.camera_angle,
        scene.camera_movement,
        scene.time_of_day,
        scene.weather,
        scene.lighting,
        scene.color_palette,
        scene.pace,
    ]
    said = [tag for tag in tags if tag]
    what = [sentence_case(_what(scene)) or prompt, *(sentence_case(d) for d in scene.details)]
    return ". ".join([sentence_case(", ".join(said)), *what] if said else what).rstrip(".") + "."


def _ltx(prompt: str, scene: Scene) -> str:
    if not _what(scene):
        return prompt
    parts = [sentence_case(_what(scene))]
    parts += [sentence_case(d) for d in scene.details]
    when = [x for x in (_time(scene), scene.weather and f"the weather is {scene.weather}") if x]
    if when:
        parts.append(sentence_case(" and ".join(when)))
    camera = [
        x for x in (scene.shot_size, scene.camera_angle, scene.camera_movement, scene.lens) if x
    ]
    if camera:
        parts.append(f"The camera: {', '.join(camera)}")
    light = [x for x in (scene.lighting, scene.color_palette) if x]
    if light:
        parts.append(f"The light: {', '.join(light)}")
    look = [x for x in (scene.mood, scene.style, scene.pace) if x]
    if look:
        parts.append(
            f"The scene feels {look[0]}" + (f", {', '.join(look[1:])}" if look[1:] else "")
        )
    return ". ".join(part.rstrip(".") for part in parts) + "."


def _time(scene: Scene) -> str:
    return f"it is {scene.time_of_day}" if scene.time_of_day else ""


def _cosmos(prompt: str, scene: Scene) -> str:
    caption = {
        "caption": " ".join(sentences(prompt)),
        "subject": " ".join(x for x in (scene.subject, scene.subject_details) if x),
        "action": scene.action,
        "environment": scene.setting,
        "time_of_day": scene.time_of_day,
        "weather": scene.weather,
        "lighting": scene.lighting,
        "camera": ", ".join(
            x for x in (scene.shot_size, scene.camera_angle, scene.camera_movement, scene.lens) if x
        ),
        "style": ", ".join(x for x in (scene.style, scene.color_palette, scene.mood) if x),
        "motion": scene.pace,
        "details": list(scene.details),
    }
    return json.dumps({k: v for k, v in caption.items() if v}, ensure_ascii=False)


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
    {Form.PARAGRAPH: _paragraph, Form.WAN: _wan, Form.LTX: _ltx, Form.COSMOS: _cosmos}
)
