"""Roles of entities without a figure: the camera, a garment, a body part, a machine's arm."""

from __future__ import annotations

import re
from typing import Final

from workbench.engines.animatic.appearance import is_look
from workbench.engines.animatic.naming import Noun
from workbench.engines.animatic.places import find_backdrop
from workbench.engines.animatic.tables import figures, gaits, lexicon
from workbench.lexicon.morphology import lemma
from workbench.lexicon.terms import subject_kind
from workbench.scene import Entity, EntityKind, Scene

__all__ = [
    "SHOWN_OTHERWISE",
    "is_filming",
    "is_modifier",
    "is_part",
    "is_robotics",
    "is_shown_otherwise",
    "is_worn_by_another",
]

_ROBOTICS: Final = re.compile(
    r"\b(?:robot|manipulat|gripper|end.?effector|bimanual|dual.arm|regrasp|dof)", re.IGNORECASE
)
"""Words that imply that an arm is a machine's."""
_NAMES: Final = re.compile(r"[^\W\d]{4,}$")
"""The form of a thing's name, unlike a unit or a number."""
SHOWN_OTHERWISE: Final = frozenset({EntityKind.BODY_PART, EntityKind.PHENOMENON, EntityKind.TEXT})
"""Kinds shown by a figure's looks, the weather or words."""


def is_filming(entity: Entity, scene: Scene) -> bool:
    """Tell whether an entity is the filming camera: nobody in the scene handles it."""
    if entity.noun != "camera" or len(scene.cast) == 1:
        return False
    return bool(scene.viewpoint) or all(e.kind is not EntityKind.PERSON for e in scene.cast)


def is_worn_by_another(entity: Entity, scene: Scene) -> bool:
    """Tell whether an entity is a garment named in somebody else's looks."""
    return is_look(entity.phrase) and any(
        entity.phrase in look.text for e in scene.cast if e is not entity for look in e.looks
    )


def is_robotics(scene: Scene) -> bool:
    """Tell whether a scene without a robot is about robotics, so that arms are machines'."""
    said = (scene.subject, scene.subject_details, scene.action, scene.setting, *scene.details)
    if any(entity.kind is EntityKind.ROBOT for entity in scene.cast):
        # Its arms are drawn with the robot.
        return False
    return any(_ROBOTICS.search(text) for text in said)


def is_part(entity: Entity) -> bool:
    """Tell whether an entity's name is a body part."""
    return entity.phrase.lower() in lexicon()["body"]["words"]


def is_shown_otherwise(entity: Entity) -> bool:
    """Tell whether an entity needs no figure: owner, place, weather or words show it."""
    if entity.kind in SHOWN_OTHERWISE or is_part(entity) or find_backdrop(entity.name):
        return True
    if not entity.phrase or entity.noun in lexicon()["idle"]["nouns"]:
        return True
    if entity.noun in lexicon()["body"]["owned"]:
        return True
    if is_look(entity.phrase) or is_look(entity.noun):
        return True
    if not entity.is_lead and entity.kind is EntityKind.OTHER and not _NAMES.match(entity.noun):
        return True
    # Without kind and article it is probably no thing: "surprised", "autumn".
    is_thing = entity.kind is not EntityKind.OTHER or bool(entity.determiner)
    return not entity.is_lead and not is_thing


def is_modifier(noun: Noun, entity: Entity) -> bool:
    """Tell whether ``noun`` is only a modifier: in "tea picker's hands" no tea is visible.

    An animal before a trade is no modifier: a fox tailor is a fox.
    """
    spec = figures()[noun.key]
    is_thing = spec["form"] == "drawing" and spec.get("kind") not in gaits()
    head = {lemma(word, "NOUN") for word in noun.words.split()} | set(noun.words.split())
    body = lexicon()["body"]
    is_known = subject_kind(entity.noun) or entity.noun in {*body["words"], *body["owned"]}
    if not is_thing or not is_known or entity.noun in head:
        return False
    before = entity.name.lower().partition(noun.words)[0]
    return " of " not in before and entity.noun not in before.split()
