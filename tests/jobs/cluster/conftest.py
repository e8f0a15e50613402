"""Fixtures: one real cluster for a whole module, and an outputs/ folder on it for each test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.cluster.machines import Machines
from tests.jobs.shop import Shop


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A head and two nodes with a GPU each, none of which can see the folders of these tests."""
    with Machines(hidden=tmp_path_factory.getbasetemp()) as machines:
        machines.add("node-1", "node-2")
        yield machines


@pytest.fixture
def release() -> Iterator[Path]:
    """As for every job, but where the cluster's machines can see it."""
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        yield Path(folder, "release")


@pytest.fixture
def shop(machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """One outputs/ folder whose supervisor joins the cluster."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WORKBENCH_LEASES", str(tmp_path / "leases"))
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with Shop(tmp_path / "outputs") as shop:
        shop.use(cluster=machines.address, cluster_absence_s=120.0)
        yield shop
