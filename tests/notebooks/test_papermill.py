"""papermill runs of batch.ipynb, as a shell script would start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live_server import ROOT, end_supervisor


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def _papermill(outputs: Path, target: Path, **parameters: Any) -> subprocess.CompletedProcess[str]:
    yaml = json.dumps(parameters)
    return subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/batch.ipynb", str(target), "-y", yaml],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_OUTPUTS": str(outputs)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_run_leaves_its_videos_in_one_zip(outputs: Path, tmp_path: Path) -> None:
    archive = tmp_path / "videos.zip"
    run = _papermill(
        outputs,
        tmp_path / "out.ipynb",
        prompts=["a red kite"],
        variations=3,
        num_frames=9,
        archive=str(archive),
    )
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(archive) as found:
        assert sum(name.endswith(".mp4") for name in found.namelist()) == 3


def test_a_bad_parameter_makes_the_run_fail_before_anything_is_rendered(
    outputs: Path, tmp_path: Path
) -> None:
    run = _papermill(outputs, tmp_path / "out.ipynb", prompts=["x"], variations=2, engine="nobody")
    assert run.returncode != 0
    assert "no engine 'nobody'" in run.stderr
    assert not list(outputs.glob("b_*"))
