"""Measures the drift of a clip's light, colour and detail from its first frame.

Sums the changes over the transitions of :mod:`workbench.measures.transitions`, on points that
neighbouring frames share: new content is not drift. Skips cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.measures.continuity import cuts
from workbench.measures.transitions import Transition, series

__all__ = ["Drift", "drift"]


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the last frame is from the first."""

    exposure: float
    """Luminance, as a logarithm to base 2: 1 is twice as bright, -1 half."""
    colour: float
    """Distance in a and b of CIELAB; about 2 is just visible."""
    sharpness: float
    """Energy of the gradients, as a logarithm to base 2, corrected for the drift of exposure."""
    curves: dict[str, tuple[float, ...]]
    """The values for every frame."""


def drift(steps: Sequence[Transition]) -> Drift:
    """Return the drift over ``steps``; nothing drifts in a clip of one frame."""
    kept = np.ones(len(steps))
    for frame in cuts(steps):
        kept[frame - 1] = 0
    exposure = _summed(series(steps, "exposure") * kept)
    shift = series(steps, "colour").reshape(-1, 2) * kept[:, None]
    colour = np.hypot(_summed(shift[:, 0]), _summed(shift[:, 1]))
    # Brighter light makes gradients steeper: their energy grows with its square.
    sharpness = _summed(series(steps, "sharpness") * kept) - 2 * exposure
    named = {"exposure": exposure, "colour": colour, "sharpness": sharpness}
    curves = {name: tuple(map(float, values)) for name, values in named.items()}
    return Drift(
        exposure=curves["exposure"][-1],
        colour=curves["colour"][-1],
        sharpness=curves["sharpness"][-1],
        curves=curves,
    )


def _summed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([[0.0], np.cumsum(values)])
