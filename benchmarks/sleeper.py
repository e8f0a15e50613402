"""Engines that sleep and draw nothing, to measure the overhead around a render."""

from __future__ import annotations

import time

from tests.jobs.faulty import LightEngine
from workbench.engines.engine import Rendered, RenderTask
from workbench.errors import RenderCancelled

__all__ = ["SleepingEngine", "SleepingGpuEngine"]


class SleepingEngine(LightEngine):
    """Sleeps for the option ``sleep_s``, then writes the boxes of an mp4 without frames."""

    name = "sleep"

    def render(self, task: RenderTask) -> Rendered:
        """Sleep, check for cancellation, and write almost nothing."""
        until = time.monotonic() + float(task.recipe.request.options.get("sleep_s", 0))
        while (left := until - time.monotonic()) > 0:
            if task.cancelled():
                raise RenderCancelled("as asked")
            time.sleep(min(left, 0.1))
        return super().render(task)


class SleepingGpuEngine(SleepingEngine):
    """The same for a device declared as a GPU."""

    name = "sleep_gpu"
    needs_gpu = True
