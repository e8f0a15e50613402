"""Shared by the animatic tests: small renders and picture measurements."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.pixels import Image, to_rgb
from workbench.engines.registry import create_engine
from workbench.rendering import Progress, Recipe, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

SMALL = (256, 144)


def recipe_for(scene: Scene, *, engine: str = "animatic", **options: Any) -> Recipe:
    """Return a recipe whose request ``engine`` has completed."""
    request = RenderRequest(prompt="a test", scene=scene, engine=engine, **options)
    complete = create_engine(engine, Settings()).complete(request)
    return Recipe(job_id="job", created_at=datetime(2026, 1, 2, tzinfo=UTC), request=complete)


def render(
    folder: Path, scene: Scene, *, engine: str = "animatic", **options: Any
) -> tuple[Rendered, list[Progress]]:
    """Render with ``engine`` into ``folder``; return the outcome and its progress."""
    recipe = recipe_for(scene, engine=engine, **options)
    loaded = create_engine(engine, Settings())
    told: list[Progress] = []
    loaded.load(recipe.request, "cpu", told.append)
    return loaded.render(RenderTask(recipe, folder, told.append, lambda: False)), told


def film(
    scene: Scene, *, size: tuple[int, int] = SMALL, num_frames: int = 25, seed: int = 5
) -> Film:
    return Film(read_scene(scene, seed), size[0], size[1], num_frames, 24)


def frames(scene: Scene, *at: int, **options: Any) -> list[Image]:
    """Return RGB frames of the scene at the given indices, as floats."""
    made = film(scene, **options)
    return [to_rgb(made.frame(index).planes).astype(np.float32) for index in at]


def luma(rgb: Image) -> float:
    return float((rgb @ np.array([0.299, 0.587, 0.114])).mean())


def saturation(rgb: Image) -> float:
    return float((rgb.max(-1) - rgb.min(-1)).mean())


def difference(first: Image, second: Image) -> float:
    """Return the mean absolute difference of two pictures, 0 to 255."""
    return float(np.abs(first - second).mean())


def shift(first: Image, second: Image) -> tuple[float, float]:
    """Return the shift of ``second`` against ``first``: right and down, in pixels."""
    a, b = (cv2.cvtColor(image.astype(np.uint8), cv2.COLOR_RGB2GRAY) for image in (first, second))
    window = cv2.createHanningWindow((a.shape[1], a.shape[0]), cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(a.astype(np.float32), b.astype(np.float32), window)
    return right, down


def field(first: Image, second: Image) -> Image:
    """Return the optical flow from one picture to the other, in pixels: H×W×2."""
    a, b = (cv2.cvtColor(image.astype(np.uint8), cv2.COLOR_RGB2GRAY) for image in (first, second))
    start = np.zeros((*a.shape, 2), np.float32)
    return cv2.calcOpticalFlowFarneback(a, b, start, 0.5, 3, 15, 3, 5, 1.1, 0)


def flow(first: Image, second: Image) -> float:
    """Return the mean length of the optical flow between two pictures, in pixels."""
    moved = field(first, second)
    return float(np.hypot(moved[..., 0], moved[..., 1]).mean())


def expansion(first: Image, second: Image) -> float:
    """Return the picture's expansion about its centre; positive when approaching."""
    moved = field(first, second)
    y, x = np.mgrid[-1 : 1 : moved.shape[0] * 1j, -1 : 1 : moved.shape[1] * 1j]
    return float((moved[..., 0] * x + moved[..., 1] * y).mean())
