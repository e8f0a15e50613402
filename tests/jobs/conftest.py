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
    _isolate(monkeypatch, tmp_path)
    with Shop(tmp_path / "outputs") as shop:
        yield shop


@pytest.fixture(scope="module")
def module_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One outputs/ folder for a module; use it by ``warm_shop``."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, folder)
        with Shop(folder / "outputs") as shop:
            yield shop


@pytest.fixture
def warm_shop(module_shop: Shop) -> Iterator[Shop]:
    """An outputs/ folder without jobs, whose supervisor and worker may run already.

    For tests that neither end these nor change the settings.
    """
    yield module_shop
    module_shop.clear()


def _isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        patch.delenv(name)
    patch.setenv("WORKBENCH_LEASES", str(folder / "leases"))
