"""A storyboard engine that shows a preview past its middle, and lingers there for odd seeds."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import numpy as np

from workbench.engines.animatic.engine import AnimaticEngine
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.posters import jpeg
from workbench.errors import RenderCancelled
from workbench.rendering import Progress, RenderRequest

__all__ = ["PreviewingEngine"]

_STEPS: Final = 10
_SHOWN_AT: Final = 7
_WAITS_S: Final = 120.0
_FIRST_WITH_PICTURE: Final = 100


class PreviewingEngine(AnimaticEngine):
    """Draws as the storyboard engine does, but only after it has shown a preview.

    A draft with an odd seed goes on for two minutes, unless it is cancelled or there is the file that
    ``PREVIEWS_SEEN`` names; below 100 its preview is blank.
    """

    name = "previewing"

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return what the storyboard engine would, under this engine's name."""
        return super().complete(request).model_copy(update={"engine": self.name})

    def render(self, task: RenderTask) -> Rendered:
        """Show the preview, linger, then draw."""
        seed = task.recipe.request.seed or 0
        lingers = seed % 2 == 1 and (task.recipe.request.width or 0) < 96
        is_blank = lingers and seed < _FIRST_WITH_PICTURE
        grey = np.full((40, 64, 3), 90, np.uint8)
        picture = grey if is_blank else np.random.default_rng(seed).integers(0, 255, grey.shape)
        shown = jpeg(picture.astype(np.uint8), quality=80)
        task.report(Progress("denoising", _SHOWN_AT, _STEPS, preview=shown))
        limit = time.monotonic() + (_WAITS_S if lingers else 0)
        seen = Path(os.environ.get("PREVIEWS_SEEN", "/nowhere"))
        while time.monotonic() < limit and not seen.exists():
            if task.cancelled():
                raise RenderCancelled("The render was cancelled.")
            time.sleep(0.02)
        return super().render(task)
