"""World Model Workbench: explore what video and world models do with a prompt.

    import workbench as wb

    session = wb.enhance("dog running")
    batch = wb.render(session.variations(8)).wait()
    batch.zip("videos.zip")

``wb.Workbench()`` in a notebook cell shows the whole workbench.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.errors import WorkbenchError
    from workbench.journey import (
        Batch,
        LiveWorld,
        Prompt,
        Session,
        Video,
        World,
        devices,
        enhance,
        fetch_model,
        language_models,
        live,
        models,
        open_batch,
        open_session,
        open_video,
        open_world,
        render,
        start,
        storage,
    )
    from workbench.research.best_of import BestOf, best_of
    from workbench.research.designs import Span
    from workbench.research.experiments import Grid, grid
    from workbench.research.runs import Run, start_run
    from workbench.scene import Change, Scene
    from workbench.settings import Settings
    from workbench.studio import RenderParameters, Studio
    from workbench.widgets import Workbench

__all__ = [
    "Batch",
    "BestOf",
    "Change",
    "Grid",
    "LiveWorld",
    "Prompt",
    "RenderParameters",
    "Run",
    "Scene",
    "Session",
    "Settings",
    "Span",
    "Studio",
    "Video",
    "Workbench",
    "WorkbenchError",
    "World",
    "best_of",
    "devices",
    "enhance",
    "fetch_model",
    "grid",
    "language_models",
    "live",
    "models",
    "open_batch",
    "open_session",
    "open_video",
    "open_world",
    "render",
    "start",
    "start_run",
    "storage",
]

_HOMES = {
    **dict.fromkeys(("Change", "Scene"), "scene"),
    **dict.fromkeys(("RenderParameters", "Studio"), "studio"),
    **dict.fromkeys(("Grid", "grid"), "research.experiments"),
    **dict.fromkeys(("BestOf", "best_of"), "research.best_of"),
    **dict.fromkeys(("Run", "start_run"), "research.runs"),
    "Settings": "settings",
    "Span": "research.designs",
    "Workbench": "widgets",
    "WorkbenchError": "errors",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    home = import_module(f"workbench.{_HOMES.get(name, 'journey')}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
