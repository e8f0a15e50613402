"""Fixtures: tiny models on disk, an engine that renders them, and requests for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.engines.diffusers import DiffusersEngine
from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.rendering import Progress, Recipe, RenderRequest
from workbench.settings import Settings

os.environ["HF_HUB_OFFLINE"] = "1"

Ask = Callable[..., RenderRequest]


class Stage:
    """An engine, the progress it reported, and a folder for each render."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = DiffusersEngine(Settings())
        self.said: list[Progress] = []
        self.cancel = False
        self.device = "cpu"
        self._takes = 0

    def report(self, progress: Progress) -> None:
        """Record a progress report."""
        self.said.append(progress)

    def render(self, request: RenderRequest) -> tuple[Rendered, Path]:
        """Complete, load and render ``request``; return the outcome and its folder."""
        request = self.engine.complete(request)
        self.said.clear()
        self._takes += 1
        folder = self.folder / f"take-{self._takes}"
        folder.mkdir()
        self.engine.load(request, self.device, self.report)
        recipe = Recipe(job_id="job", created_at=datetime.now(UTC), request=request)
        task = RenderTask(recipe, folder, self.report, lambda: self.cancel)
        return self.engine.render(task), folder

    @property
    def stages(self) -> list[str]:
        """The reported stages in order, without repeats."""
        return list(dict.fromkeys(one.stage for one in self.said))


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that collects every chunk of frames passed to the encoder."""
    given: list[Any] = []
    write = VideoWriter.write

    def record(writer: VideoWriter, frames: Any) -> None:
        given.append(np.array(frames))
        write(writer, frames)

    monkeypatch.setattr(VideoWriter, "write", record)
    return given


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a tiny model, built on first use."""
    from tests.engines.diffusers.tiny import save

    folder = tmp_path_factory.mktemp("models")
    return lambda name: save(name, folder)


@pytest.fixture
def ask(models: Callable[[str], Path]) -> Ask:
    """Return a function that builds a small request for a tiny model."""

    def make(name: str, **changed: Any) -> RenderRequest:
        from tests.engines.diffusers.tiny import LED, TINY

        tiny = {**TINY, **LED}[name]
        values: dict[str, Any] = {
            "prompt": "a dog runs in the rain",
            "engine": "diffusers",
            "model": str(models(name)),
            "width": tiny.size,
            "height": tiny.size,
            "num_frames": tiny.num_frames,
            "num_inference_steps": 2,
            "profile": "reference",
            "seed": 7,
        }
        values |= changed
        values["options"] = {**tiny.options, **changed.get("options", {})}
        return RenderRequest(**values)

    return make


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return an engine with its own folder."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny models gain nothing from more, and the machine is shared
    stage = Stage(tmp_path)
    yield stage
    stage.engine.unload()
    torch.set_num_threads(before)


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Return a function that gives the frames of the last render."""
    given = recorded(monkeypatch)

    def taken() -> Any:
        whole = np.concatenate(given)
        given.clear()
        return whole

    return taken
