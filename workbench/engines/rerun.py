"""Renders a recipe again, outside the job manager."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from workbench.engines.engine import ChangedFiles, Engine, Rendered, RenderTask
from workbench.engines.registry import create_engine
from workbench.errors import InvalidRequest
from workbench.rendering import Progress, Recipe, RenderRequest
from workbench.settings import Settings

__all__ = ["render_again"]

_GO_ON: Final = "With --any-weights the recipe is rendered anyway, as another video."


def render_again(
    recipe: Recipe,
    output: Path,
    settings: Settings,
    *,
    device: str = "cpu",
    any_weights: bool = False,
    report: Callable[[Progress], None] = lambda _: None,
) -> Rendered:
    """Render ``recipe`` to ``output`` and return the result.

    A deterministic engine reproduces the original frame for frame. Raises ``InvalidRequest`` if the
    engine is missing or refuses the request, or if a file that the recipe records is missing or
    has another content; with ``any_weights``, other contents are only reported. Raises
    ``RenderError``.
    """
    engine = create_engine(recipe.request.engine, settings)
    _check_files(engine, recipe.request, report, any_weights=any_weights)
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


def _check_files(
    engine: Engine,
    request: RenderRequest,
    report: Callable[[Progress], None],
    *,
    any_weights: bool,
) -> None:
    compare = getattr(engine, "changed_files", None)
    if compare is None:
        return
    found: ChangedFiles = compare(request)
    fatal = found.missing if any_weights else (*found.missing, *found.changed)
    if fatal:
        told = [one.problem for one in fatal]
        if found.changed and not any_weights:
            told.append(_GO_ON)
        raise InvalidRequest(" ".join(told), fatal)
    for one in found.changed:
        report(Progress("loading", message=one.problem))
