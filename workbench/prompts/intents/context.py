"""The context of a request: scene, prompt, render settings, history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.actions.render_settings import RenderSettings
from workbench.prompts.model import Turn
from workbench.scene import Entity, Scene

__all__ = ["Context", "Landmark"]


@dataclass(frozen=True, slots=True)
class Landmark:
    """One entry of the session that a request can go back to."""

    index: int
    parent: int | None
    request: str
    scene: Scene
    is_variation: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The state that a request refers to."""

    scene: Scene
    prompt: str = ""
    settings_now: Callable[[], RenderSettings] = RenderSettings
    """Returns the render settings with the engine's defaults filled in; called only when needed."""
    turns: Sequence[Turn] = ()
    """Earlier requests, oldest first."""
    landmarks: Sequence[Landmark] = ()
    """The entries of the session, oldest first."""
    current: int | None = None
    """The index of the entry that the request is about."""
    focus: tuple[str, ...] = ()
    """Ids of the entities mentioned last, the latest first."""
    part: str = ""
    """Which member of the first entity in focus was mentioned: "the younger one"."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Models and engines by short name."""

    def leads(self) -> tuple[Entity, ...]:
        """Return the entities that the scene is about."""
        return tuple(one for one in self.scene.cast if one.is_lead and one.phrase)

    @property
    def settings(self) -> RenderSettings:
        """The render settings with the engine's defaults filled in."""
        return self.settings_now()

    @property
    def last(self) -> Turn | None:
        """The latest earlier request that changed something."""
        return next((turn for turn in reversed(self.turns) if turn.entry is not None), None)
