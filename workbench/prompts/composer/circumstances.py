"""Says a scene's circumstances as phrases: where, when and in which shot it is seen."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

from workbench.lexicon.datafiles import load as load_words
from workbench.lexicon.terms import word_list
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import Ground, words_of
from workbench.prompts.composer.naming import preposition
from workbench.scene import Scene

__all__ = ["scene_clause", "setting_phrase", "shot_phrase", "time_phrase"]

_ACROSS: Final = frozenset({"field", "beach", "desert", "snow", "lot"})
_THROUGH: Final = frozenset(
    {"forest", "city", "garden", "underwater", "space", "sky", "hall", "sea"}
)
_ALONG: Final = frozenset({"street", "road"})


def shot_phrase(scene: Scene, *, inferred_only: bool = False) -> str:
    """Return the shot's size and angle as one noun phrase: "low-angle wide shot"."""
    if inferred_only or not (scene.shot_size or scene.camera_angle):
        return ""
    words: Mapping[str, str] = load("completions")["angle_words"]
    angle = words.get(scene.camera_angle, scene.camera_angle)
    size = scene.shot_size or "shot"
    return f"{angle} {size}".strip()


def setting_phrase(scene: Scene, at: Ground, *, after: str = "") -> str:
    """Return where the scene is, with the preposition that fits the action; empty for nowhere.

    ``after`` is the clause before it: what runs through the snow runs in a forest, not through it.
    """
    setting = scene.setting
    name = re.sub(r"^(?:an?|the) ", "", setting)
    if (
        not setting
        or setting == scene.subject
        or re.search(rf"\b{re.escape(name)}\b", scene.action)
    ):
        return ""
    if after.lower().split()[-1:] == name.lower().split()[-1:]:  # "under a blue sky", in the sky
        return ""
    if setting.split()[0].lower() in word_list("prepositions"):
        return setting
    kind = at.place.kind if at.place else ""
    goes = not frozenset(scene.action.lower().split()[:1]) & words_of("on_the_spot")
    if "moving" in at.facts and "airborne" not in at.facts and goes:
        ways = {"across": _ACROSS, "through": _THROUGH, "along": _ALONG}
        way = next((word for word, kinds in ways.items() if kind in kinds), "")
        if way and way not in after.lower().split():
            return f"{way} {setting}"
    return f"{preposition(setting, at.place)} {setting}"


def time_phrase(scene: Scene, rng: random.Random) -> str:
    """Return the time of day as an adverbial: "at dusk"; empty where none is set."""
    phrases: Mapping[str, list[str]] = load_words("phrases")["time_phrases"]
    options = phrases.get(scene.time_of_day)
    return rng.choice(options) if options else ""


def scene_clause(scene: Scene, at: Ground) -> str:
    """Return subject, details, action and setting of ``scene`` as one noun phrase."""
    where = setting_phrase(scene, at)
    setting_name = scene.setting.split(" ", 1)[-1]
    if scene.setting and (
        scene.setting in scene.action or (len(setting_name) > 3 and setting_name in scene.action)
    ):
        where = ""
    return " ".join(
        x for x in (scene.subject or scene.setting, scene.subject_details, scene.action, where) if x
    )
