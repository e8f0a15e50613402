"""What a request is understood against: the scene, the text, the render settings, what went before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.actions.model import Action
from workbench.actions.render_settings import RenderSettings
from workbench.scene import Entity, Scene

__all__ = ["Context", "Landmark", "Turn"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier request and the actions that it ended in."""

    request: str
    actions: tuple[Action, ...]
    entry: int | None = None
    """The entry that it made, if any."""


@dataclass(frozen=True, slots=True)
class Landmark:
    """One entry of the session that can be gone back to."""

    index: int
    parent: int | None
    request: str
    scene: Scene
    is_variation: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The state in which a request is understood."""

    scene: Scene
    prompt: str = ""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """The render settings with the engine's defaults filled in."""
    turns: Sequence[Turn] = ()
    """Earlier requests, oldest first."""
    landmarks: Sequence[Landmark] = ()
    """The entries of the session, oldest first."""
    current: int | None = None
    """The index of the entry that the request is about."""
    focus: tuple[str, ...] = ()
    """Ids of the entities spoken of last, the latest first."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Short names of models and engines that can be asked for, and what they stand for."""

    def leads(self) -> tuple[Entity, ...]:
        """Return the entities that the scene is about."""
        return tuple(one for one in self.scene.cast if one.is_lead and one.phrase)

    @property
    def last(self) -> Turn | None:
        """The latest earlier request that did something."""
        return next((turn for turn in reversed(self.turns) if turn.actions), None)
