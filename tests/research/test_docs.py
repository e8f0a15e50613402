"""docs/research.md runs block by block; docs/python.md is up to date."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.python_reference import TARGET, python_reference
from tests.live_server import ROOT, end_supervisor
from workbench.engines.probe import probe_video

PAGE = (ROOT / "docs" / "research.md").read_text("utf-8")


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def test_every_block_of_docs_research_runs_in_order(outputs: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    python = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    shell = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))
    environment = {
        **os.environ,
        "WORKBENCH_OUTPUTS": str(outputs),
        "NOTEBOOKS": str(ROOT / "notebooks"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    subprocess.run(
        [sys.executable, "-c", python], cwd=tmp_path, env=environment, check=True, timeout=600
    )
    assert probe_video(tmp_path / "grid.mp4").num_frames == 24
    assert (tmp_path / "grid.html").stat().st_size > 100_000
    (folder,) = (path.parent for path in (outputs / "runs").glob("*/results.json"))
    assert {"results.json", "results.parquet", "videos.zip"} <= {p.name for p in folder.iterdir()}
    commands = f"set -euo pipefail\nworkbench() {{ '{sys.executable}' -m workbench.cli \"$@\"; }}\n"
    commands += f"papermill() {{ '{sys.executable}' -m papermill \"$@\"; }}\n"
    told = subprocess.run(
        ["bash", "-c", commands + shell],
        cwd=tmp_path,
        env=environment,
        check=False,
        timeout=600,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert str(folder) in told.stdout
    assert '"motion"' in told.stdout
    assert (tmp_path / "out.ipynb").is_file()


def test_the_python_reference_is_up_to_date() -> None:
    assert TARGET.read_text("utf-8") == python_reference(), "run python -m docs.python_reference"


def test_every_score_is_documented_with_its_range() -> None:
    from workbench.measures.scores import SCORE_NAMES

    for name in SCORE_NAMES:
        assert re.search(rf"^\| `{name}` \| (0|−1|−70) – ", PAGE, re.MULTILINE), name
