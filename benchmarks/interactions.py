"""Times interactions with a page: from the input until its effect is drawn, and on the processor.

The input is real (CDP) and its time is that of the browser's own event. The processor time of the page's main
thread is what the browser counts (``Performance.getMetrics`` in thread ticks): other work on the machine changes
the clock's figure and not this one. A fixed piece of work for script, style and layout is timed beside every
interaction, so that the figures of two machines, or of two hours, can be compared.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from playwright.sync_api import Error, Page

from benchmarks.report import percentile

__all__ = ["Cost", "Interaction", "Probe", "print_timings"]

_SCRIPT: Final = Path(__file__).with_suffix(".js")
_LIMIT_MS: Final = 10_000
_REST_MS: Final = 250
"""Rest before an interaction, so that it is not charged with the one before."""
_ARM: Final = "([done, limit]) => probe.arm(new Function(`return (${done});`), limit)"
_METRICS: Final = {
    "processor": "TaskDuration",
    "script": "ScriptDuration",
    "style": "RecalcStyleDuration",
    "layout": "LayoutDuration",
}


@dataclass(frozen=True, slots=True)
class Interaction:
    """What is done, and how to tell (in JavaScript) that its effect is there."""

    name: str
    done: str
    click: str = ""
    """An expression for the element that is clicked."""
    key: str = ""
    """The key that is pressed."""
    call: Callable[[], object] | None = None
    """What is done elsewhere, in place of an input."""
    prepare: str = ""
    """Statements that run before it, untimed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an interaction took, in milliseconds: the first three by the clock, the others on the processor."""

    clock: float
    alone: float
    """Without the time that the fixed work, just before, waited for other work on the machine."""
    paint: float
    """To the next frame, as Interaction to Next Paint counts it; 0 below 16 ms."""
    processor: float
    script: float
    style: float
    layout: float


class Probe:
    """Measures on one page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._line = page.context.new_cdp_session(page)
        self._line.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.evaluate(f"() => {{ ({_SCRIPT.read_text('utf-8')})(); }}")
        self.fixed_work: list[tuple[float, float]] = []
        """Milliseconds of the fixed work by the clock and on the processor, each time."""

    def rounds(self, interactions: Sequence[Interaction], count: int) -> dict[str, list[Cost]]:
        """Measure all of them in order, ``count`` times."""
        found: dict[str, list[Cost]] = {one.name: [] for one in interactions}
        for _ in range(count):
            for one in interactions:
                found[one.name].append(self.measure(one))
        return found

    def measure(self, one: Interaction) -> Cost:
        """Carry out an interaction and return its cost; raises where its effect never comes."""
        page = self._page
        self._time_fixed_work()
        if one.prepare:
            page.evaluate(f"() => {{ {one.prepare} }}")
        if one.click:
            page.mouse.move(*page.evaluate(f"() => probe.aim({one.click})"))
        page.wait_for_timeout(_REST_MS)
        page.evaluate(_ARM, [one.done, _LIMIT_MS])
        before = self._metrics()
        self._act(one)
        try:
            told = page.evaluate("() => probe.result()")
        except Error as error:
            raise RuntimeError(one.name) from error
        after = self._metrics()
        spent = {name: 1e3 * (after[kind] - before[kind]) for name, kind in _METRICS.items()}
        work_clock, work = self.fixed_work[-1]
        alone = told["clock"] * min(1.0, work / work_clock)
        return Cost(clock=told["clock"], alone=alone, paint=told["paint"], **spent)

    def _act(self, one: Interaction) -> None:
        if one.call:
            self._page.evaluate("() => probe.begin()")
            one.call()
        elif one.key:
            self._page.keyboard.press(one.key)
        else:
            self._page.mouse.down()
            self._page.mouse.up()

    def _time_fixed_work(self) -> None:
        before = self._metrics()["TaskDuration"]
        clock = self._page.evaluate("() => probe.work()")
        self.fixed_work.append((clock, 1e3 * (self._metrics()["TaskDuration"] - before)))

    def _metrics(self) -> dict[str, float]:
        told = self._line.send("Performance.getMetrics")["metrics"]
        return {one["name"]: float(one["value"]) for one in told}


def print_timings(
    title: str,
    found: Mapping[str, Sequence[Cost]],
    fixed_work: Sequence[tuple[float, float]],
    target_ms: float,
) -> None:
    """Print a line for each interaction: medians, and how many times the fixed work it costs."""
    clock, work = (statistics.median(column) for column in zip(*fixed_work, strict=True))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    names = [one.name for one in fields(Cost)]
    print(
        f"## {title}\n\nLoad {load}. The fixed work: {clock:.0f} ms, {work:.0f} ms on the processor.\n"
    )
    print(f"| interaction, ms | {' | '.join(names)} | × fixed | worst | ≤ {target_ms:g} |")
    print("|---" * (len(names) + 4) + "|")
    for name, costs in found.items():
        medians = {one: statistics.median(getattr(cost, one) for cost in costs) for one in names}
        figures = [f"{value:.0f}" for value in medians.values()]
        figures += [
            f"{medians['processor'] / work:.2f}",
            f"{max(cost.clock for cost in costs):.0f}",
        ]
        verdict = "met" if medians["alone"] <= target_ms else "MISSED"
        print(f"| {name} | {' | '.join(figures)} | {verdict} |")
    clocks = [cost.clock for costs in found.values() for cost in costs]
    print(
        f"\nAll {len(clocks)}: p95 {percentile(clocks, 0.95):.0f} ms, worst {max(clocks):.0f} ms.\n"
    )
