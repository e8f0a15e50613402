"""Takes back what one entry changed and keeps all later changes. Stateless.

Later entries are replayed without it: by their actions, or field by field if they have none.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.actions.model import GoBack, SetRender
from workbench.actions.render_settings import RenderSettings
from workbench.errors import InvalidRequest
from workbench.prompts.enacting import Enacted, enact
from workbench.prompts.markers import strip_marker
from workbench.prompts.model import Entry
from workbench.prompts.writer import rewrite_prompt, scene_of
from workbench.scene import SCENE_FIELDS, Origin, Scene

__all__ = ["without"]


def without(
    undone: Entry, before: Entry, later: Sequence[Entry]
) -> tuple[str, Scene, RenderSettings]:
    """Return text, scene and settings of the last of ``later`` as if ``undone`` had not happened.

    ``before`` is the parent of ``undone``; ``later`` are the entries from it to the present one,
    oldest first. Changes to what no longer exists are dropped.
    """
    here = later[-1] if later else undone
    settings = _settings_without(undone, before, here)
    if all(one.actions and not _goes_back(one) for one in later):
        done = Enacted(strip_marker(before.prompt), before.scene)
        for one in later:
            done = _again(one, done)
        return done.prompt, done.scene, settings
    return *_fields_without(undone, before, here), settings


def _again(entry: Entry, done: Enacted) -> Enacted:
    try:
        return enact(done.prompt, done.scene, entry.actions, scene_of=scene_of)
    except InvalidRequest:  # some action fails without it: apply the rest
        pass
    for action in entry.actions:
        try:
            done = enact(done.prompt, done.scene, (action,), scene_of=scene_of)
        except InvalidRequest:  # its target no longer exists
            continue
    return done


def _fields_without(undone: Entry, before: Entry, here: Entry) -> tuple[str, Scene]:
    """Return the present text and scene with the fields that ``undone`` set restored."""
    back = {
        name: getattr(before.scene, name)
        for name in SCENE_FIELDS
        if getattr(before.scene, name) != getattr(undone.scene, name)
        and getattr(here.scene, name) == getattr(undone.scene, name)
        and not here.scene.is_locked(name)
    }
    scene = here.scene.edit(back, origin=Origin.EDITED)
    return rewrite_prompt(here.prompt, here.scene, scene), scene


def _settings_without(undone: Entry, before: Entry, here: Entry) -> RenderSettings:
    """Return the present settings with those that ``undone`` set restored."""
    if not any(isinstance(action, SetRender) for action in undone.actions):
        return here.settings
    was, became = before.settings.model_dump(), undone.settings.model_dump()
    now = here.settings.model_dump()
    back = {k: was[k] for k in was if was[k] != became[k] and now[k] == became[k]}
    return RenderSettings(**{**now, **back})


def _goes_back(entry: Entry) -> bool:
    return any(isinstance(action, GoBack) for action in entry.actions)
