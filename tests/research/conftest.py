"""A Studio over its own outputs/ folder; all it started ends with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import workbench as wb
from tests.live_server import end_supervisor

SMALL: Final[dict[str, Any]] = {"num_frames": 5, "width": 96, "height": 64, "fps": 24}
"""Render parameters of a video that takes no time."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wb.Studio]:
    folder = tmp_path_factory.mktemp("research") / "outputs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_OUTPUTS", str(folder))
        studio = wb.Studio(wb.Settings(outputs=folder))
        yield studio
        studio.close()
        end_supervisor(Path(folder))
