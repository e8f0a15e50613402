"""Defaults of every test and of the processes it starts, for a machine with more work than cores."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
LONGEST: Final = (
    "tests/jobs/cluster/test_cluster.py",
    "tests/server_extension/test_openapi.py",
    "tests/test_launch.py",
    "tests/prompts/test_first_contact.py",
    "tests/server_extension/test_departures.py",
    "tests/server_extension/test_faults.py",
    "tests/test_snippets.py",
    "tests/notebooks/test_papermill.py",
    "tests/notebooks/test_notebooks.py",
    "tests/jobs/test_faults.py",
    "tests/jobs/client/test_launch.py",
    "tests/jobs/cluster/test_by_hand.py",
    "tests/jobs/supervisor/test_scoring.py",
    "tests/research/test_best_of.py",
    "tests/research/test_runs.py",
    "tests/prompts/language_models/test_llama_tools.py",
    "tests/prompts/language_models/test_local_models.py",
    "tests/engines/diffusers/test_rollouts.py",
    "tests/engines/diffusers/test_rendering.py",
    "tests/engines/diffusers/test_led_families.py",
    "tests/engines/diffusers/test_families.py",
    "tests/engines/diffusers/test_actions.py",
    "tests/engines/diffusers/test_inputs.py",
    "tests/engines/diffusers/test_direction.py",
)
"""Files that take longest. Several run side by side: one of these, begun last, would end alone."""

# A suite started in the background by a shell ignores SIGINT, and so would every process
# that a test interrupts: restore the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

# At its default low priority it would wait for the whole suite.
os.environ.setdefault("WORKBENCH_SCORES_NICENESS", "0")

# Threads of torch and llama.cpp that wait for one another sleep: by default they keep the cores busy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# jsonschema loads a grammar at import, for seconds, that no test uses; it does without.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; ``--no-loadscope-reorder`` keeps that order."""
    place = {ROOT / name: number for number, name in enumerate(LONGEST)}
    assert all(path.exists() for path in place), "LONGEST names a file that is gone"
    items.sort(key=lambda item: place.get(item.path, len(place)))
