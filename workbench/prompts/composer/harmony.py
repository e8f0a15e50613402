"""Keeps a scene free of contradictions: what was requested stays, the rest gives way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from workbench.prompts.composer.datafiles import load
from workbench.scene import Origin, Scene

__all__ = ["clashes", "harmonize"]


@dataclass(frozen=True, slots=True)
class _Rule:
    """If ``field`` is one of ``values``, ``other`` may not be one of ``bars`` (None: any)."""

    field: str
    values: frozenset[str]
    other: str
    bars: frozenset[str] | None
    is_soft: bool

    def is_broken_by(self, scene: Scene) -> bool:
        """Tell whether ``scene`` holds what this rule bars."""
        if getattr(scene, self.field) not in self.values:
            return False
        value = getattr(scene, self.other)
        return bool(value) and (self.bars is None or value in self.bars)


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            rule["field"],
            frozenset(rule["values"]),
            rule["other"],
            None if rule["bars"] == ["*"] else frozenset(rule["bars"]),
            rule.get("soft", False),
        )
        for rule in load("conflicts")["rule"]
    )


def clashes(scene: Scene) -> tuple[tuple[str, str], ...]:
    """Return the pairs of fields of ``scene`` that contradict each other."""
    return tuple((rule.field, rule.other) for rule in _rules() if rule.is_broken_by(scene))


def harmonize(scene: Scene, changed: Collection[str]) -> Scene:
    """Return ``scene`` without values that contradict the ``changed`` fields.

    Changed and locked fields stay; a field that gives way is emptied.
    """
    settled = set(changed)
    waiting = list(settled)
    while waiting:
        name = waiting.pop()
        for rule in _rules():
            if rule.field != name or rule.other in settled or not _must_yield(scene, rule):
                continue
            scene = scene.edit({rule.other: ""}, origin=Origin.INFERRED)
            settled.add(rule.other)
    return scene


def _must_yield(scene: Scene, rule: _Rule) -> bool:
    if not rule.is_broken_by(scene):
        return False
    origin = scene.origin(rule.other)
    return origin is Origin.INFERRED if rule.is_soft else origin is not Origin.LOCKED
