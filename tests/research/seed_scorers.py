"""Two scorers that never agree: one prefers low seeds, the other high ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["Early", "Late"]


class Early:
    """Prefers the lowest seed."""

    name = "early"
    range = (-1000.0, 0.0)
    direction = "higher"

    def score(self, video: Path, recipe: dict[str, Any]) -> float:
        """Return the seed of the video's recipe, below zero."""
        assert video.is_file()
        return -float(recipe["request"]["seed"])


class Late(Early):
    """Prefers the highest seed."""

    name = "late"
    range = (0.0, 1000.0)

    def score(self, video: Path, recipe: dict[str, Any]) -> float:
        """Return the seed of the video's recipe."""
        return -super().score(video, recipe)
