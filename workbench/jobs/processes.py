"""Processes by identity, as pids are reused.

Knows pids, start times and boots; knows nothing of jobs.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import psutil

__all__ = [
    "Identity",
    "boot_id",
    "identify",
    "is_stopped",
    "kill_group",
    "same_process",
]

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_CLOCK_SLACK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Identity:
    """A process: its pid, its start and its boot.

    The start is in clock ticks since boot if /proc gives it: unlike a time of day, it does not
    change when the clock is set. Elsewhere it is in seconds since 1970.
    """

    pid: int
    started: float
    boot_id: str


@cache
def boot_id() -> str:
    """Return an id of this boot of the machine."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"boot-{psutil.boot_time():.0f}"


def _started(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            raise
        return psutil.Process(pid).create_time()
    return float(stat.rpartition(")")[2].split()[19])  # proc(5): field 22, starttime


def identify(pid: int) -> Identity | None:
    """Return the identity of the process that has ``pid`` now; None when there is none."""
    try:
        return Identity(pid, _started(pid), boot_id())
    except (psutil.Error, OSError):
        return None


def same_process(known: Identity) -> bool:
    """Tell whether the process ``known`` is still running, and not a zombie."""
    now = identify(known.pid)
    if now is None or now.boot_id != known.boot_id:
        return False
    if abs(now.started - known.started) > _CLOCK_SLACK_S:
        return False
    try:
        return bool(psutil.Process(known.pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def is_stopped(pid: int) -> bool:
    """Tell whether the process is stopped or gone."""
    try:
        return psutil.Process(pid).status() in {
            psutil.STATUS_STOPPED,
            psutil.STATUS_TRACING_STOP,
            psutil.STATUS_ZOMBIE,
            psutil.STATUS_DEAD,
        }
    except psutil.Error:
        return True


def kill_group(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal the process group that ``pid`` leads, and ``pid`` itself; silent when gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
