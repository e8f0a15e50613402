"""Uploads: bounded in number and in bytes, and none below the disk reserve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from workbench.errors import Busy, DiskFull
from workbench.jobs.client.inputs import Inputs
from workbench.jobs.paths import JobPaths
from workbench.settings import Settings


def _picture() -> bytes:
    done, data = cv2.imencode(".png", np.zeros((48, 80, 3), np.uint8))
    assert done
    return data.tobytes()


def _inputs(folder: Path, **limits: Any) -> Inputs:
    return Inputs(JobPaths(folder), Settings(outputs=folder, **limits))


def test_uploads_are_bounded_in_number(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, max_inputs=2)
    first = inputs.keep(_picture())
    inputs.keep(_picture())
    with pytest.raises(Busy, match="2 files"):
        inputs.keep(_picture())
    first.path.unlink()
    inputs.keep(_picture())


def test_uploads_are_bounded_in_bytes(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, max_inputs_bytes=1_024)
    with pytest.raises(Busy, match="0 files"):
        inputs.keep(_picture() + bytes(1_024))
    assert list(JobPaths(tmp_path).inputs.iterdir()) == []


def test_an_upload_that_would_use_the_disk_reserve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="reserve"):
        _inputs(tmp_path, disk_reserve_bytes=1 << 60).keep(_picture())
    assert list(JobPaths(tmp_path).inputs.iterdir()) == []
