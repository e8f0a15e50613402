"""Measures the drift of a rollout segment, and the jump at its start."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engines.pixels import Image
from workbench.measures.clips import Clip
from workbench.measures.continuity import seam
from workbench.measures.drift import drift
from workbench.measures.transitions import transitions
from workbench.rendering import DriftBounds, Take

__all__ = ["SEAM_FRAMES", "excess", "measure_take"]

SEAM_FRAMES = 8
"""Frames before a segment with which its start is compared."""


def measure_take(before: Sequence[Image], frames: Sequence[Image], fps: float, seed: int) -> Take:
    """Return how far ``frames`` (RGB, ``uint8``) drift from the last frame ``before`` them.

    Without earlier frames, from their own first one; then there is no seam. See
    :mod:`workbench.measures.drift` for the units.
    """
    steps = transitions(Clip.of([*before, *frames], fps))
    own = drift(steps[max(0, len(before) - 1) :])
    jump = seam(steps, len(before)) if before else None
    return Take(
        seed=seed,
        exposure=round(own.exposure, 4),
        colour=round(own.colour, 4),
        sharpness=round(own.sharpness, 4),
        seam=jump.visible if jump else None,
    )


def excess(take: Take, bounds: DriftBounds) -> float:
    """Return the drift of ``take`` relative to its bounds; above 1 is too much."""
    shares = (
        abs(take.exposure) / bounds.exposure,
        take.colour / bounds.colour,
        abs(take.sharpness) / bounds.sharpness,
    )
    return max(shares) + (1.0 if bounds.seam and take.seam else 0.0)
