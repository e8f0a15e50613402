"""An engine for tests: a textured picture that pans, and grows brighter or begins brighter by seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from workbench.engines.channels import LosslessVideo
from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.recipes import embeddable
from workbench.rendering import Progress, RenderRequest
from workbench.settings import Settings

WIDTH, HEIGHT, FRAMES, FPS = 208, 120, 16, 16


class DriftingEngine:
    """Options: ``drift``, by seed how much brighter the end is than the beginning (log2), and
    ``jump``, by seed how much brighter all of it is."""  # noqa: D205, D209

    name = "drifting"
    needs_gpu = False
    channels = ("frames",)

    def __init__(self, settings: Settings) -> None:
        pass

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` at the one size that it makes."""
        size = {"width": WIDTH, "height": HEIGHT, "num_frames": FRAMES, "fps": FPS}
        return request.model_copy(update={**size, "channels": ("frames",)})

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        """Do nothing."""

    def render(self, task: RenderTask) -> Rendered:
        """Pan over one texture, brighter as the seed says."""
        request = task.recipe.request
        start = request.options["rollout"]["start"]
        drift, jump = (_of_seed(request, name) for name in ("drift", "jump"))
        video, frames = task.folder / "video.mp4", task.folder / "frames.mkv"
        with (
            VideoWriter(video, WIDTH, HEIGHT, FPS, metadata=embeddable(task.recipe)) as writer,
            LosslessVideo(frames, "frames", WIDTH, HEIGHT, FPS) as lossless,
        ):
            for index in range(FRAMES):
                light = 2.0 ** (jump + drift * index / (FRAMES - 1))
                shown = _texture()[:, start + index : start + index + WIDTH] * light
                picture = np.clip(shown, 0, 255).astype(np.uint8)
                writer.write(picture)
                lossless.write(picture)
        return Rendered(WIDTH, HEIGHT, FRAMES, float(FPS), {})

    def unload(self) -> None:
        """Do nothing."""


def _of_seed(request: RenderRequest, name: str) -> float:
    given = request.options.get(name, {})
    return float(given.get(str(request.seed), given.get("else", 0.0)))


def _texture() -> Any:
    noise = np.random.default_rng(3).integers(0, 255, (HEIGHT, 600, 3), np.uint8)
    return 20 + cv2.GaussianBlur(noise, (0, 0), 3).astype(np.float32) * 0.5
