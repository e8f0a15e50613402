"""One render inside a worker: its folder, log, progress and result."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from workbench.engines.engine import Engine, RenderTask
from workbench.engines.engine import Rendered as Made
from workbench.errors import DeviceLost, OutOfMemory, RenderCancelled, WorkbenchError
from workbench.jobs.messages import Failed, FailReason, Render, Rendered, Reported
from workbench.jobs.mp4 import has_sound, mp4_fault
from workbench.jobs.paths import JobFiles
from workbench.jobs.publishing import sync_folder
from workbench.jobs.records import LOG_MARK
from workbench.jobs.versions import installed_version
from workbench.jobs.worker.finishing import Finish
from workbench.jobs.worker.reports import Reports
from workbench.jobs.worker.takes import render_within_bounds
from workbench.rendering import Outcome, Progress, Recipe

__all__ = ["AttemptRoom", "disk_problem"]

T = TypeVar("T")

_LIBRARIES: Final = {
    "world-model-workbench": "workbench",
    "av": "av",
    "opencv-python-headless": "cv2",
    "numpy": "numpy",
    "torch": "torch",
    "diffusers": "diffusers",
    "transformers": "transformers",
    "accelerate": "accelerate",
}
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class AttemptRoom:
    """One attempt; its files stay in its own folder until the supervisor publishes them."""

    def __init__(
        self, order: Render, reports: Reports, cancelled: Callable[[], bool], device: str
    ) -> None:
        self._order = order
        self._reports = reports
        self._cancelled = cancelled
        self._device = device
        self._files = JobFiles(Path(order.folder))
        self._aside = self._files.attempt(order.attempt)
        self._preview = False
        self._loaded_at = time.monotonic()

    def render(self, engine_named: Callable[[str], Engine]) -> Failed | Finish:
        """Render and return what is left to do, or the message of a failure; never raises."""
        try:
            self._aside.folder.mkdir(parents=True, exist_ok=True)
            with _logged(self._files.log, self._order.attempt):
                return self._guarded(lambda: self._make(engine_named))
        except OSError as error:
            return self._failed(disk_problem(error))

    def _guarded(self, make: Callable[[], T]) -> T | Failed:
        try:
            return make()
        except RenderCancelled:
            return self._failed("", FailReason.CANCELLED)
        except (OutOfMemory, DeviceLost, MemoryError) as error:
            self._log_traceback()
            text = str(error) or "The machine ran out of memory; ask for fewer frames or less size."
            return self._failed(text, FailReason.DEVICE)
        except WorkbenchError as error:
            self._log_traceback()
            return self._failed(str(error))
        except OSError as error:
            self._log_traceback()
            return self._failed(disk_problem(error))
        except Exception as error:  # noqa: BLE001  an engine may raise anything
            self._log_traceback()
            # A GPU's state is unknown after an error that its engine does not handle.
            reason = FailReason.ERROR if self._device == "cpu" else FailReason.DEVICE
            return self._failed(f"{type(error).__name__}: {error}", reason)

    def _log_traceback(self) -> None:
        """Write the traceback to the job's own log: the next job's may be the standard error."""
        sys.stdout.flush()
        with suppress(OSError), self._files.log.open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)

    def _make(self, engine_named: Callable[[str], Engine]) -> Finish:
        recipe = Recipe.model_validate(self._order.recipe)
        engine = engine_named(recipe.request.engine)
        self._report(Progress("loading"))
        began = time.monotonic()
        engine.load(recipe.request, self._device, self._report)
        recipe = recipe.model_copy(update={"libraries": _libraries()})
        self._loaded_at = time.monotonic()
        task = RenderTask(
            recipe, self._aside.folder, self._report, self._cancelled, may_finish_later=True
        )
        load_s = self._loaded_at - began
        made = render_within_bounds(engine.render, task)
        finish = made.finish
        if finish is not None:
            self._report(Progress("writing", message="writing the file"))

        def end() -> Rendered:
            return self._end(recipe, made if finish is None else finish(), load_s)

        return Finish(lambda: self._guarded(end), encodes=finish is not None)

    def _end(self, recipe: Recipe, made: Made, load_s: float) -> Rendered:
        self._keep(recipe, made, {"load": load_s, **made.timings_s})
        return Rendered(self._order.job_id, self._order.attempt, time.monotonic() - self._loaded_at)

    def _keep(self, recipe: Recipe, made: Made, timings_s: dict[str, float]) -> None:
        """Sync the attempt's files to disk, the recipe last: it marks them complete."""
        if fault := mp4_fault(self._aside.video):
            raise WorkbenchError(f"The engine did not write a complete video: {fault}.")
        outcome = Outcome(
            width=made.width,
            height=made.height,
            num_frames=made.num_frames,
            fps=made.fps,
            size_bytes=self._aside.video.stat().st_size,
            sha256=_digest_and_sync(self._aside.video),
            has_audio=has_sound(self._aside.video),
            timings_s=timings_s,
            finished_at=datetime.now(UTC),
        )
        request = made.request or recipe.request
        whole = recipe.model_copy(
            update={"outcome": outcome, "request": request, "libraries": _libraries()}
        )
        beside = [self._aside.poster] if self._aside.poster.exists() else []
        for path in (*beside, *self._aside.channels()):
            _digest_and_sync(path)
        with self._aside.recipe.open("w", encoding="utf-8") as file:
            file.write(whole.model_dump_json(indent=2))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._aside.folder)

    def _report(self, progress: Progress) -> None:
        if progress.preview is not None:
            self._show(progress.preview)
        self._reports.add(
            Reported(
                self._order.job_id,
                self._order.attempt,
                progress.stage,
                progress.step,
                progress.total,
                progress.message,
                self._preview,
            )
        )

    def _show(self, picture: bytes) -> None:
        aside = self._aside.folder / ".preview"
        aside.write_bytes(picture)
        aside.replace(self._aside.preview)
        self._preview = True

    def _failed(self, error: str, reason: FailReason = FailReason.ERROR) -> Failed:
        shutil.rmtree(self._aside.folder, ignore_errors=True)
        return Failed(self._order.job_id, self._order.attempt, reason, error[:4_000])


@contextmanager
def _logged(path: Path, attempt: int) -> Iterator[None]:
    """Redirect all output, of Python and of C, to the job's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        os.write(log, f"{LOG_MARK}attempt {attempt}, {stamp}\n".encode())
        os.dup2(log, 1)
        os.dup2(log, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(log)


def _digest_and_sync(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _libraries() -> dict[str, str]:
    """Return the versions of the libraries imported so far."""
    loaded = [name for name, module in _LIBRARIES.items() if module in sys.modules]
    return {name: version for name in loaded if (version := installed_version(name))}


def disk_problem(error: OSError) -> str:
    """Return the user's message for a file that cannot be read or written."""
    if error.errno in _NO_ROOM:
        return (
            f"The disk of outputs/ is full or read-only ({error.strerror}); make room, then retry."
        )
    return f"{type(error).__name__}: {error}"
