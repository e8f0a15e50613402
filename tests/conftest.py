"""Defaults of every test: the scorer runs at normal priority, even on a busy machine."""

from __future__ import annotations

import os
import signal

# A shell that starts the suite in the background has it ignore SIGINT, and so would every process
# that a test interrupts: start all of them as a terminal does.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Standing back behind everything else, as it does by default, it would wait for the whole suite.
os.environ.setdefault("WORKBENCH_SCORES_NICENESS", "0")
