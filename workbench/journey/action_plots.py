"""A plot of a robot's actions as SVG text: one line for each number, over the steps."""

from __future__ import annotations

import html
from typing import Final

from workbench.control import ActionSequence, embodiments

__all__ = ["action_plot"]

_WIDTH, _HEIGHT, _LEFT, _ROW = 640, 120, 52, 150
_COLOURS: Final = (
    "#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2",
    "#b279a2", "#ff9da6", "#9d755d", "#eeca3b",
)  # fmt: skip
_PARTS: Final = {
    "pose": (("translation", 3), ("rotation", 6)),
    "gripper": (("gripper", 1),),
    "fingertips": (("fingertips", 15),),
}


def action_plot(actions: ActionSequence) -> str:
    """Return one row of lines for each part of the body: translation, rotation, gripper and so on."""
    array = actions.array
    steps, width = array.shape
    blocks = embodiments()[actions.embodiment].blocks
    parts = [part for block in blocks for part in _PARTS[block]] or [("action", width)]
    rows, first = [], 0
    for place, (name, count) in enumerate(parts):
        values = array[:, first : first + count]
        rows.append(_row(f"{name} {first}–{first + count - 1}", values.T.tolist(), place * _ROW))
        first += count
    title = f"{steps} actions of {actions.embodiment}"
    height = len(parts) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" role="img" aria-label="{html.escape(title)}" '
        f'font-family="sans-serif" font-size="11">{"".join(rows)}</svg>'
    )


def _row(name: str, lines: list[list[float]], top: int) -> str:
    every = [value for line in lines for value in line]
    low, high = min(every), max(every)
    span = (high - low) or 1.0
    steps = max(1, len(lines[0]) - 1)

    def point(step: int, value: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - 8) * step / steps
        y = top + 22 + (_HEIGHT - 10) * (high - value) / span
        return f"{x:.1f},{y:.1f}"

    drawn = "".join(
        f'<polyline fill="none" stroke="{_COLOURS[index % len(_COLOURS)]}" points="'
        f'{" ".join(point(step, value) for step, value in enumerate(line))}"/>'
        for index, line in enumerate(lines)
    )
    return (
        f'<text x="0" y="{top + 12}" font-weight="bold" fill="currentColor">{html.escape(name)}</text>'
        f'<text x="{_LEFT - 6}" y="{top + 26}" text-anchor="end" fill="currentColor">{high:.3g}</text>'
        f'<text x="{_LEFT - 6}" y="{top + 22 + _HEIGHT - 8}" text-anchor="end" '
        f'fill="currentColor">{low:.3g}</text>{drawn}'
    )
