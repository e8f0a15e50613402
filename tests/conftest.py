"""Defaults of every test: the scorer runs at normal priority, even on a busy machine."""

from __future__ import annotations

import os
import signal

# A suite started in the background by a shell ignores SIGINT, and so would every process
# that a test interrupts: restore the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

# At its default low priority it would wait for the whole suite.
os.environ.setdefault("WORKBENCH_SCORES_NICENESS", "0")
