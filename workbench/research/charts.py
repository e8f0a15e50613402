"""Two plain charts as SVG text: bars, and dots by group. Every mean is shown with its n and spread.

Colours are inherited; needs no library.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Final

__all__ = ["bar_chart", "dot_chart"]

_LABEL: Final = 210
_PLOT: Final = 420
_RIGHT: Final = 190
_ROW: Final = 24
_TOP: Final = 30
_INK: Final = "#4c78a8"


def bar_chart(title: str, groups: Mapping[str, Sequence[float]], unit: str = "") -> str:
    """Return horizontal bars from zero, one for each group's mean; values must not be negative."""
    means = {name: fmean(values) for name, values in groups.items() if values}
    most = max(means.values(), default=0.0) or 1.0
    rows = []
    for i, (name, mean) in enumerate(means.items()):
        y = _TOP + i * _ROW
        width = _PLOT * mean / most
        rows.append(
            f'{_label(name, y)}<rect x="{_LABEL}" y="{y + 4}" width="{width:.1f}" '
            f'height="{_ROW - 8}" fill="{_INK}"/>{_figure(groups[name], unit, _LABEL + width, y)}'
        )
    return _chart(title, len(means), "".join(rows))


def dot_chart(title: str, groups: Mapping[str, Sequence[float]], unit: str = "") -> str:
    """Return one row of dots per group, with a line at the mean of two or more, and figures."""
    every = [value for values in groups.values() for value in values]
    low, high = (min(every), max(every)) if every else (0.0, 1.0)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return _LABEL + 6 + (_PLOT - 12) * (value - low) / span

    rows = []
    for i, (name, values) in enumerate(groups.items()):
        y = _TOP + i * _ROW
        middle = y + _ROW / 2
        dots = "".join(
            f'<circle cx="{x(v):.1f}" cy="{middle}" r="4" fill="{_INK}" fill-opacity=".55"/>'
            for v in values
        )
        line = ""
        if len(values) > 1:
            mean = fmean(values)
            line = (
                f'<line x1="{x(mean):.1f}" x2="{x(mean):.1f}" y1="{y + 3}" y2="{y + _ROW - 3}" '
                'stroke="currentColor" stroke-width="2"/>'
            )
        rows.append(_label(name, y) + dots + line + _figure(values, unit, _LABEL + _PLOT, y))
    return _chart(title, len(groups), "".join(rows))


def _chart(title: str, count: int, body: str) -> str:
    width, height = _LABEL + _PLOT + _RIGHT, _TOP + max(1, count) * _ROW + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'role="img" aria-label="{html.escape(title)}" font-family="sans-serif" font-size="12">'
        f'<text x="0" y="16" font-weight="bold" fill="currentColor">{html.escape(title)}</text>'
        f"{body}</svg>"
    )


def _label(name: str, y: float) -> str:
    shown = name if len(name) <= 34 else f"{name[:33]}…"
    return (
        f'<text x="{_LABEL - 8}" y="{y + _ROW / 2 + 4}" text-anchor="end" '
        f'fill="currentColor">{html.escape(shown)}</text>'
    )


def _figure(values: Sequence[float], unit: str, x: float, y: float) -> str:
    """Return mean, standard deviation and number as text; for a single value, the value."""
    count = len(values)
    spread = f" ± {stdev(values):.2g}" if count > 1 else ""
    told = f"{fmean(values):.3g}{spread} {unit}".rstrip() + f", n = {count}" if count else "n = 0"
    return f'<text x="{x + 6:.1f}" y="{y + _ROW / 2 + 4}" fill="currentColor">{html.escape(told)}</text>'
