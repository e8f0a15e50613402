"""Shifts a process's wall clock by the seconds in the file CLOCK_OFFSET, read at each call."""

from __future__ import annotations

import os
import time
from pathlib import Path

_true_time = time.time


def _shown_time() -> float:
    try:
        return _true_time() + float(Path(os.environ["CLOCK_OFFSET"]).read_text())
    except (OSError, KeyError, ValueError):
        return _true_time()


time.time = _shown_time
