"""Renders a recipe again, outside the job manager."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.registry import create_engine
from workbench.rendering import Progress, Recipe
from workbench.settings import Settings

__all__ = ["render_again"]


def render_again(
    recipe: Recipe,
    output: Path,
    settings: Settings,
    *,
    device: str = "cpu",
    report: Callable[[Progress], None] = lambda _: None,
) -> Rendered:
    """Render ``recipe`` to ``output`` and return the result.

    A deterministic engine reproduces the original frame for frame. Raises ``InvalidRequest`` if the
    engine is missing or refuses the request, and ``RenderError``.
    """
    engine = create_engine(recipe.request.engine, settings)
    whole = recipe.model_copy(update={"request": engine.complete(recipe.request), "outcome": None})
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".rerun-") as folder:
        engine.load(whole.request, device, report)
        try:
            made = engine.render(RenderTask(whole, Path(folder), report, lambda: False))
        finally:
            engine.unload()
        (Path(folder) / "video.mp4").replace(output)
    return made
