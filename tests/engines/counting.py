"""Engines that record when they complete a request and when that request is serialised.

Both draw as the animatic engine does. Lines go to ``asked.log`` beside ``outputs/``, so that tests
can count over several processes.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, model_serializer

from workbench.engines.animatic import AnimaticEngine
from workbench.rendering import RenderRequest
from workbench.settings import Settings

ENGINES = {
    "counting": "tests.engines.counting:CountingEngine",
    "animatic": "tests.engines.counting:CountingSketch",
}


class Witness(BaseModel):
    """An option value that records each time it is serialised to JSON."""

    log: Path
    line: str

    @model_serializer
    def _told(self) -> dict[str, Any]:
        _write(self.log, self.line)
        return {}


class CountingSketch(AnimaticEngine):
    """The engine of placeholders."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._log = settings.outputs.with_name("asked.log")

    def complete(self, request: RenderRequest) -> RenderRequest:
        _write(self._log, f"complete {self.name}: {request.prompt}")
        witness = Witness(log=self._log, line=f"serialise {self.name}: {request.prompt}")
        full = super().complete(request.model_copy(update={"options": {}}))
        return full.model_copy(update={"options": {"witness": witness}})


class CountingEngine(CountingSketch):
    """The engine of renders; like a model that reads only text, it follows no poses."""

    name = "counting"

    def follows_camera(self, request: RenderRequest) -> bool:
        del request
        return False


def counted(outputs: Path, prompt: str) -> dict[str, int]:
    """Return how often each step was done for ``prompt``."""
    lines = outputs.with_name("asked.log").read_text("utf-8").splitlines()
    steps = Counter(line.partition(": ")[0] for line in lines if line.partition(": ")[2] == prompt)
    return dict(steps)


def _write(log: Path, line: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
