"""Fixtures: a separate outputs/ folder for each test, and no process left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.shop import Shop


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A file that is not there: what a render told to last ``until`` it exists waits for."""
    return tmp_path / "release"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """One outputs/ folder with its manager; all its processes end with the test."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WORKBENCH_LEASES", str(tmp_path / "leases"))
    with Shop(tmp_path / "outputs") as shop:
        yield shop
