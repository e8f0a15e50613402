"""Estimates when waiting jobs start and running ones end, from earlier jobs of equal cost."""

from __future__ import annotations

import heapq
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Final

__all__ = ["Forecast"]

_HORIZON: Final = 5_000
"""Number of waiting jobs that get an estimate."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Positions and start times of waiting jobs, as of ``made_at`` (seconds since 1970)."""

    made_at: float
    seconds: Mapping[tuple[str, str], float]
    """Seconds by cost key and kind of device."""
    places: Mapping[str, tuple[int, float | None]]
    """Jobs ahead, and seconds until the start, by job id."""

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Forecast:
        """Estimate from the index as it is now."""
        now = time.time()
        seconds = {
            (key, kind): value
            for key, kind, value in connection.execute(
                "SELECT cost_key, device_kind, seconds FROM durations"
            )
        }
        free = {
            "gpu": _free_times(connection, "cuda", seconds, now),
            "cpu": _free_times(connection, "cpu", seconds, now),
        }
        free["slow"] = free["cpu"]
        if not free["gpu"]:
            free["gpu"] = free["cpu"]
        places: dict[str, tuple[int, float | None]] = {}
        for queue, times in free.items():
            kind = "cuda" if queue == "gpu" and times is not free["cpu"] else "cpu"
            rows = connection.execute(
                "SELECT job_id, cost_key FROM jobs WHERE state = 'queued' AND queue = ? "
                "ORDER BY priority DESC, turn, seq LIMIT ?",
                (queue, _HORIZON),
            )
            known = bool(times)
            for ahead, (job_id, cost_key) in enumerate(rows):
                took = seconds.get((cost_key, kind))
                starts = known and isfinite(times[0])
                places[job_id] = ahead, (times[0] if starts else None)
                known = known and took is not None
                if known and took is not None:
                    heapq.heapreplace(times, times[0] + took)
        return cls(now, seconds, places)

    def place(self, job_id: str, now: float) -> tuple[int | None, float | None]:
        """Return how many jobs are ahead of a waiting one, and seconds until it starts."""
        if job_id not in self.places:
            return None, None
        ahead, wait_s = self.places[job_id]
        return ahead, None if wait_s is None else max(0.0, wait_s - (now - self.made_at))

    def remaining_s(
        self, cost_key: str, device: str | None, row: sqlite3.Row, now: float
    ) -> float | None:
        """Return the remaining seconds of a running job; None if unknown."""
        if row["started_at"] is None or device is None:
            return None
        elapsed = max(0.0, now - float(row["started_at"]))
        took = self.seconds.get((cost_key, device.partition(":")[0]))
        done = float(row["progress"]) / 100.0
        by_history = None if took is None else max(0.0, took - elapsed)
        by_pace = elapsed * (1.0 - done) / done if done > 0.05 else None
        if by_history is None or by_pace is None:
            return by_pace if by_history is None else by_history
        return by_history * (1.0 - done) + by_pace * done


def _free_times(
    connection: sqlite3.Connection,
    kind: str,
    seconds: Mapping[tuple[str, str], float],
    now: float,
) -> list[float]:
    """Return the seconds until each device of ``kind`` is free, as a heap."""
    rows = connection.execute(
        "SELECT devices.name, jobs.cost_key, jobs.started_at FROM devices "
        "LEFT JOIN jobs ON jobs.job_id = devices.job_id AND jobs.state = 'running' "
        "WHERE devices.state NOT IN ('paused', 'lost', 'held') AND devices.name LIKE ? || ':%'",
        (kind,),
    )
    times = [
        0.0 if started is None else max(0.0, seconds.get((cost_key, kind), inf) - (now - started))
        for _, cost_key, started in rows
    ]
    heapq.heapify(times)
    return times
