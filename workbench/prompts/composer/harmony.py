"""Keeps a scene free of contradictions after a change: what was asked stays, the rest gives way."""

from __future__ import annotations

import random
from collections.abc import Collection
from functools import cache
from typing import Any

from workbench.prompts.composer.completing import choices
from workbench.prompts.composer.datafiles import load
from workbench.scene import Origin, Scene

__all__ = ["clashes", "harmonize"]


@cache
def _rules() -> tuple[dict[str, Any], ...]:
    return tuple(load("conflicts")["rule"])


def clashes(scene: Scene) -> tuple[tuple[str, str], ...]:
    """Return the pairs of fields of ``scene`` that contradict each other."""
    return tuple(
        (rule["field"], rule["other"])
        for rule in _rules()
        if getattr(scene, rule["field"]) in rule["values"] and _barred(scene, rule)
    )


def _barred(scene: Scene, rule: dict[str, Any]) -> bool:
    value = getattr(scene, rule["other"])
    return bool(value) and (value in rule["bars"] or rule["bars"] == ["*"])


def harmonize(scene: Scene, changed: Collection[str], rng: random.Random) -> Scene:
    """Return ``scene`` with what contradicts the ``changed`` fields replaced or cleared.

    Changed and locked fields stay; a field that gives way gets a value that fits, as inferred.
    """
    for rule in _rules():
        name, other = rule["field"], rule["other"]
        if name not in changed or getattr(scene, name) not in rule["values"]:
            continue
        if other in changed or scene.is_locked(other) or not _barred(scene, rule):
            continue
        emptied = scene.edit({other: ""}, origin=Origin.INFERRED)
        options = [v for v in choices(other, emptied) if v not in rule["bars"]]
        if rule["bars"] == ["*"]:
            options = []
        value = rng.choice(options) if options else ""
        scene = emptied.edit({other: value}, origin=Origin.INFERRED) if value else emptied
    return scene
