"""A storyboard engine that judges requests as the real one does and draws almost nothing."""

from __future__ import annotations

from tests.jobs.faulty import write_video
from workbench.engines.animatic import AnimaticEngine
from workbench.engines.engine import Rendered, RenderTask


class BriefEngine(AnimaticEngine):
    """For tests of what a server answers: its renders cost nothing."""

    def render(self, task: RenderTask) -> Rendered:
        """Write four tiny frames, whatever was asked for."""
        request = task.recipe.request
        small = {"width": 64, "height": 64, "num_frames": 4, "fps": 8}
        write_video(task.folder / "video.mp4", request.model_copy(update=small))
        return Rendered(64, 64, 4, 8.0, {})
