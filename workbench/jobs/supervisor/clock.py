"""The time of day used by retention: a clock that jumps is trusted after a day.

Otherwise a wrong clock could remove every video as too old. Pure, except :func:`read_clocks`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from workbench.jobs.processes import boot_id

__all__ = ["Clocks", "Reckoning", "read_clocks", "reckon"]

_BELIEVED_AFTER_S = 86_400.0
_JUMP_S = 3_600.0
_LONGEST_OFF_S = 7 * 86_400.0
"""A machine that was off for longer must run for a day before its clock is trusted."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The machine's clocks at one moment."""

    boot_id: str
    uptime_s: float
    """Since the boot, sleep included."""
    wall_s: float
    """Since 1970."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The estimate when the clocks were last read."""

    clocks: Clocks
    believed_s: float
    """The time of day, since 1970."""
    steady_since_s: float
    """The uptime since which the time of day has advanced without a jump."""


def reckon(before: Reckoning | None, now: Clocks) -> Reckoning:
    """Return the new estimate of the time of day, given the clocks ``now``."""
    if before is None:
        return Reckoning(now, now.wall_s, now.uptime_s)
    last = before.clocks
    same_boot = last.boot_id == now.boot_id
    passed_s = now.uptime_s - last.uptime_s if same_boot else 0.0
    slack_s = _JUMP_S if same_boot else _LONGEST_OFF_S
    jumped = not same_boot or abs(now.wall_s - last.wall_s - passed_s) > _JUMP_S
    steady_since_s = now.uptime_s if jumped else before.steady_since_s
    expected_s = before.believed_s + passed_s
    fits = expected_s - _JUMP_S <= now.wall_s <= expected_s + slack_s
    if fits or now.uptime_s - steady_since_s > _BELIEVED_AFTER_S:
        return Reckoning(now, now.wall_s, steady_since_s)
    return Reckoning(now, expected_s, steady_since_s)


def read_clocks() -> Clocks:
    """Return the current clocks."""
    uptime = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Clocks(boot_id(), time.clock_gettime(uptime), time.time())
