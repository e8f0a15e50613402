"""Reads a Scene into a Script: which figures, doing what, where, in which established terms."""

from __future__ import annotations

import re

from workbench.engines.animatic.cast import figures
from workbench.engines.animatic.script import Actor, Script
from workbench.scene import Scene, canonical_term, vocabulary

__all__ = ["read_scene"]


def find_term(field: str, text: str) -> str:
    """Return the established term of ``field`` that ``text`` says, or "" where there is none."""
    if not text:
        return ""
    if whole := canonical_term(field, text):
        return whole
    lowered = f" {re.sub(r'[^a-z0-9&]+', ' ', text.lower())} "
    best, found = 0, ""
    for term, phrases in vocabulary().get(field, {}).items():
        for phrase in (term, *phrases):
            plain = re.sub(r"[^a-z0-9&]+", " ", phrase.lower()).strip()
            if len(plain) > best and f" {plain} " in lowered:
                best, found = len(plain), term
    return found


def read_scene(scene: Scene, seed: int) -> Script:
    """Return the script of ``scene``."""
    words = re.findall(r"[a-z]+", f"{scene.subject} ".lower())
    actors = tuple(
        Actor(key, scene.subject, 2 if "two" in words else 1, _gait(key, scene.action))
        for key, spec in figures().items()
        if any(word in spec["words"] for word in words)
    )
    setting = scene.setting.lower()
    backdrop = "city street" if re.search(r"street|city|town", setting) else "meadow"
    fields = (
        "time_of_day",
        "weather",
        "lighting",
        "mood",
        "style",
        "color_palette",
        "shot_size",
        "camera_angle",
        "camera_movement",
        "lens",
        "pace",
    )
    terms = {name: find_term(name, getattr(scene, name)) for name in fields}
    return Script(actors=actors, backdrop=backdrop, seed=seed, setting_words=scene.setting, **terms)


def _gait(figure: str, action: str) -> str:
    for gait in ("run", "walk", "jump", "danc", "sit", "driv"):
        if gait in action:
            return {"danc": "dance", "driv": "drive"}.get(gait, gait)
    return "drive" if figure == "car" else "walk"
