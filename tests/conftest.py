"""What holds for every test: who measures videos takes its share even where the machine is full."""

from __future__ import annotations

import os

# Standing back behind everything else, as it does by default, it would wait for the whole suite.
os.environ.setdefault("WORKBENCH_SCORES_NICENESS", "0")
