"""Says in sentences how often a segment was made, and how far each take drifts."""

from __future__ import annotations

from workbench.rendering import DriftBounds, RolloutSegment, Take

__all__ = ["takes_told"]


def takes_told(segment: RolloutSegment) -> list[str]:
    """Return a sentence for each take of a finished segment, in the order in which they were made."""
    bounds = segment.bounds or DriftBounds()
    several = len(segment.takes) > 1
    told = []
    for number, take in enumerate(segment.takes, 1):
        name = f"Take {number} (seed {take.seed})" if several else "It"
        beyond = _beyond(take, bounds)
        drift = (
            f"light {take.exposure:+.2f}, colour {take.colour:.1f}, detail {take.sharpness:+.2f}"
        )
        told.append(
            f"{name} drifts too far: {beyond}."
            if beyond
            else f"{name} is within its bounds: {drift}."
        )
        if several and take.kept:
            least = "" if not beyond else ", as the one that drifts least"
            told[-1] = f"{told[-1][:-1]}; it is kept{least}."
    return told


def _beyond(take: Take, bounds: DriftBounds) -> str:
    """Return what of a take is beyond its bounds, in words; empty for nothing."""
    found = [
        f"{name} {value:.2f} (at most {most:g})"
        for name, value, most in (
            ("light", abs(take.exposure), bounds.exposure),
            ("colour", take.colour, bounds.colour),
            ("detail", abs(take.sharpness), bounds.sharpness),
        )
        if value > most
    ]
    if bounds.seam and take.seam:
        found.append("a jump where it begins")
    return ", ".join(found)
