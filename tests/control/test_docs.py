"""The code in docs/worlds.md runs in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import ROOT, end_supervisor


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def test_the_code_in_docs_worlds_runs_in_order(outputs: Path, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "worlds.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 7
    environment = {
        **os.environ,
        "WORKBENCH_OUTPUTS": str(outputs),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    told = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=environment,
        check=False,
        timeout=300,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert "w-80,jw-40" in told.stdout
    assert "Not read: 'past dog'." in told.stdout
    assert "orbit left 20 degrees poses ()" in told.stdout


def test_docs_worlds_names_every_exported_name() -> None:
    import workbench.control

    text = (ROOT / "docs" / "worlds.md").read_text("utf-8")
    named = re.findall(r"`(path_\w+|read_\w+|parse_\w+)`", text)
    assert "path_from_words" in named
    for name in named:
        assert name in workbench.control.__all__, name
