"""Storyboards that wait for a test: renders are in hand for as long as the test looks at them."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from workbench.engines.animatic import AnimaticEngine
from workbench.engines.engine import Rendered, RenderTask
from workbench.errors import RenderCancelled
from workbench.rendering import Progress

__all__ = ["HeldEngine", "Hold"]

ROOT = Path(__file__).resolve().parent.parent


class Hold:
    """Lets the first ``after`` renders pass and holds the others until they are released.

    ``environment`` is that of the process under test, whose workers inherit it.
    """

    def __init__(self, folder: Path, *, after: int) -> None:
        folder.mkdir()
        self._release = folder / "release"
        found = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {
            "WORKBENCH_ENGINES": json.dumps({"animatic": "tests.held:HeldEngine"}),
            "PYTHONPATH": os.pathsep.join(found),
            "HELD": str(folder),
            "HELD_AFTER": str(after),
        }

    def release(self) -> None:
        """Let every render go on."""
        self._release.touch()


class HeldEngine(AnimaticEngine):
    """The storyboard engine under a :class:`Hold`; a held render can be cancelled."""

    def render(self, task: RenderTask) -> Rendered:
        """Draw ``task`` once it may."""
        folder = Path(os.environ["HELD"])
        for number in range(int(os.environ["HELD_AFTER"])):
            with suppress(FileExistsError):
                (folder / str(number)).touch(exist_ok=False)
                break
        else:
            _wait_for(folder / "release", task)
        return super().render(task)


def _wait_for(release: Path, task: RenderTask) -> None:
    while not release.exists():
        if task.cancelled():
            raise RenderCancelled("as asked")
        task.report(Progress("drawing", 1, 100))
        time.sleep(0.05)
