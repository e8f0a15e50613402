"""Edits a prompt for a change of cast, beats or place, as little as possible.

All other text stays word for word. The composer edits sentences on light, weather, camera and mood.
"""

from __future__ import annotations

from typing import Final

from workbench.prompts.composer.editing import carry, refit
from workbench.prompts.following.beats import is_same, with_beat, without_beat
from workbench.prompts.following.departures import without_entity
from workbench.prompts.following.details import WRITTEN, with_details, with_written
from workbench.prompts.following.entities import with_entity
from workbench.prompts.following.labelled import FREE_SENTENCES, is_free, with_free_value
from workbench.prompts.following.newcomers import with_newcomers
from workbench.prompts.following.places import with_place
from workbench.prompts.following.spans import tidy
from workbench.scene import SCENE_FIELDS, Scene

__all__ = ["follow", "rewrite"]

_FOLLOWED: Final = frozenset(
    ["subject", "subject_details", "action", "setting", "details", "on_screen_text"]
)
"""The fields that this module edits; the composer edits the others."""


def rewrite(prompt: str, before: Scene, after: Scene) -> str:
    """Return ``prompt`` as it reads when its scene is ``after`` instead of ``before``."""
    free = [
        name
        for name in FREE_SENTENCES
        if getattr(before, name) != getattr(after, name) and is_free(name, before, after)
    ]
    told = {name: getattr(after, name) for name in SCENE_FIELDS if name not in _FOLLOWED}
    between = before.edit({**told, **dict.fromkeys(free, "")}, force=True)
    text = prompt if between == before else carry(prompt, before, between)
    text = text if between == after else refit(text, between, after)
    for name in free:
        text = with_free_value(text, name, getattr(before, name), getattr(after, name))
    return follow(text, between, after)


def follow(prompt: str, before: Scene, after: Scene) -> str:
    """Return ``prompt`` as it reads when cast, beats and place are those of ``after``."""
    text = prompt
    was = {entity.id: entity for entity in before.cast}
    now = {entity.id: entity for entity in after.cast}
    known = {beat.id: beat for beat in before.beats}
    kept_beats = {b.id for b in after.beats if b.id in known and is_same(known[b.id], b)}
    if before.setting != after.setting:
        text = with_place(text, before.setting, after.setting)
    for beat in after.beats:
        old = known.get(beat.id) if beat.id in kept_beats else None
        if old is not None and old != beat:
            text = with_beat(text, old, beat, after)
    gone = [entity for entity in before.cast if entity.id not in now]
    for beat in before.beats:
        if beat.id not in kept_beats and beat.actor not in {e.id for e in gone}:
            text = without_beat(text, beat, before)
    for entity in gone:
        text = without_entity(text, entity, before, after)
    for entity in after.cast:
        old_entity = was.get(entity.id)
        if old_entity is not None and old_entity != entity:
            text = with_entity(text, old_entity, entity, after)
    text = with_newcomers(text, before, after)
    if before.details != after.details:
        text = with_details(text, before.details, after.details)
    if before.on_screen_text != after.on_screen_text:
        text = with_written(text, before.on_screen_text, after.on_screen_text)
        if after.on_screen_text and (where := WRITTEN.search(text)) is not None:
            text = text.replace(where[0], "").replace(
                "can be read in the picture", f"can be read {where[1]}"
            )
    return tidy(text)
