"""``benchmarks.gpu`` runs: its tiny model goes through every row on a CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

ROOT: Final = Path(__file__).resolve().parents[3]
CLOSE_DB: Final = {"exact": 60, "mag": 40, "fp8": 40, "int8": 40, "gguf": 40}
"""Least PSNR against the reference: they are the same model, rounded or with a step left out."""


def test_every_row_of_the_gpu_benchmark_is_measured_on_the_tiny_model() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--tiny"],
        capture_output=True, text=True, timeout=800, check=False, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-4_000:]
    rows = [
        line.strip("| ").split(" | ") for line in run.stdout.splitlines() if line.startswith("| ")
    ]
    psnr = {row[0]: row[5] for row in rows}
    assert {"eager diffusers", "reference", "fast", "draft", "four-steps", *CLOSE_DB} <= psnr.keys()
    for name, least in CLOSE_DB.items():
        assert float(psnr[name]) >= least, run.stdout
    assert "gave up" not in run.stdout
    assert "fell back" not in run.stdout
