"""Ends attempts, in the index and in the job's folder."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from workbench.jobs.devices import Slot
from workbench.jobs.messages import Failed, FailReason, Rendered, Reported
from workbench.jobs.model import JobState
from workbench.jobs.paths import JobFiles, JobPaths
from workbench.jobs.publishing import FolderSync, clear_attempts, place
from workbench.jobs.records import LOG_MARK, Ended, Finished, finished, write_ended
from workbench.jobs.store import Ledger, Writer
from workbench.jobs.store.ledger import Attempt, Claim
from workbench.rendering import RECIPE_VERSION

__all__ = ["Outcomes"]

_LOG = logging.getLogger("workbench.jobs")


class Outcomes:
    """Ends attempts. Every method is one step of the caller's write transaction."""

    def __init__(self, ledger: Ledger, paths: JobPaths) -> None:
        self._ledger = ledger
        self._paths = paths
        self._folders = FolderSync()

    def recipe(self, claim: Claim, slot: Slot) -> dict[str, Any]:
        """Return the recipe for the worker, as JSON; raises ``ValueError``."""
        label = f"{slot.kind} ({slot.label})" if slot.label else slot.name.rpartition("/")[2]
        label += f" on {slot.host}" if slot.host else ""
        return {
            "version": RECIPE_VERSION,
            "job_id": claim.job_id,
            "batch_id": claim.batch_id,
            "session_id": claim.session_id,
            "parent_prompt": claim.parent_prompt,
            "attempt": claim.attempt,
            "created_at": datetime.fromtimestamp(claim.created_at, UTC).isoformat(),
            "request": json.loads(claim.request),
            "device": label,
        }

    def report(self, writer: Writer, report: Reported) -> None:
        """Store progress."""
        self._ledger.report(
            writer,
            report.job_id,
            report.attempt,
            stage=report.stage,
            step=report.step,
            total=report.total,
            message=report.message,
            preview=report.preview,
        )

    def rendered(self, writer: Writer, made: Sequence[tuple[Claim, Rendered, str]]) -> None:
        """Publish the videos of attempts that are still current; each has its kind of device.

        Several cost little more than one: their folders are synced together.
        """
        current = [one for one in made if self._is_current(writer, one[0])]
        placed = self._take_over(writer, [claim for claim, _, _ in current])
        for claim, message, kind in current:
            if claim not in placed:
                continue
            seconds = message.seconds
            self._ledger.learn(writer, claim.cost_key, kind, seconds)
            _LOG.info("job complete", extra={**_names(claim), "seconds": round(seconds, 3)})

    def failed(self, writer: Writer, claim: Claim, message: Failed) -> None:
        """End a job whose engine failed or was cancelled."""
        if message.reason is FailReason.CANCELLED:
            self.cancelled(writer, claim)
        elif self._is_current(writer, claim):
            _LOG.info("job failed", extra={**_names(claim), "error": message.error})
            self._fail(writer, claim, message.error)

    def cancelled(self, writer: Writer, claim: Claim) -> None:
        """End a cancelled job."""
        if self._is_current(writer, claim):
            self._ledger.cancelled(writer, claim)
            self._mark(claim, JobState.CANCELLED, "")

    def forsaken(self, writer: Writer, claim: Claim) -> None:
        """Remove what a worker has still written of an attempt that had been ended without it."""
        if not self._ledger.is_current(writer, claim):
            shutil.rmtree(self._files(claim).attempt(claim.attempt).folder, ignore_errors=True)

    def timed_out(self, writer: Writer, claim: Claim, limit_s: float) -> None:
        """End a job that exceeded its time limit."""
        if self._is_current(writer, claim):
            error = (
                f"The render took longer than the limit of {limit_s:g} s; ask for fewer frames or "
                "steps, or raise WORKBENCH_RENDER_TIMEOUT_S."
            )
            self._fail(writer, claim, error)

    def unreadable(self, writer: Writer, claim: Claim, error: ValueError) -> None:
        """End a job whose request cannot be read."""
        self._fail(writer, claim, f"The request cannot be read: {error}")

    def crashed(self, writer: Writer, claim: Claim, reason: str) -> None:
        """Requeue a job whose worker died, or fail it after too many attempts."""
        if not self._is_current(writer, claim):
            return
        _LOG.warning("worker died", extra={**_names(claim), "reason": reason})
        if words := _last_words(self._files(claim)):
            reason = f"{reason}; the last it said was: {words}"
        state = self._ledger.crashed(writer, claim, reason)
        if state.final:
            self._mark(claim, state, reason)

    def unfinished(self, writer: Writer, claim: Claim, reason: str) -> None:
        """Publish or requeue a job whose worker died while writing its file."""
        if self._is_current(writer, claim):
            self.interrupted(writer, claim, reason)

    def interrupted(self, writer: Writer, attempt: Attempt, reason: str) -> None:
        """Publish or requeue a running job that no worker has."""
        if self.found(writer, attempt):
            return
        _LOG.warning("job interrupted", extra={**_names(attempt), "reason": reason})
        state = self._ledger.interrupted(writer, attempt, reason)
        if state.final:
            self._mark(attempt, state, reason)

    def found(self, writer: Writer, attempt: Attempt) -> bool:
        """Publish the video of an attempt if its files are complete; tell whether they are."""
        files = self._files(attempt)
        # The worker writes the recipe last, once the video is safe on disk.
        places = (files, files.attempt(attempt.attempt))
        if attempt.attempt in {made.attempt for made in map(finished, places) if not made.fault}:
            self._take_over(writer, [attempt])
            return True
        return False

    def _files(self, attempt: Attempt) -> JobFiles:
        return self._paths.job(attempt.job_id, attempt.batch_id)

    def _is_current(self, writer: Writer, attempt: Attempt) -> bool:
        """Tell whether an attempt is current; the files of a stale one are removed."""
        if self._ledger.is_current(writer, attempt):
            return True
        _LOG.warning("stale attempt refused", extra=_names(attempt))
        aside = self._files(attempt).attempt(attempt.attempt)
        shutil.rmtree(aside.folder, ignore_errors=True)
        return False

    def _take_over(self, writer: Writer, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Publish what current attempts have finished, and return those that are in place.

        What cannot be published fails its job.
        """
        placed: list[tuple[Attempt, JobFiles, Finished]] = []
        for attempt in attempts:
            files = self._files(attempt)
            try:
                made = place(files, attempt.attempt)
            except OSError as error:
                self._fail(writer, attempt, f"The video cannot be put in place: {error}")
                continue
            if made.fault:
                self._fail(writer, attempt, f"The render left no complete video: {made.fault}.")
            else:
                placed.append((attempt, files, made))
        self._folders.sync([files.folder for _, files, _ in placed])
        for attempt, files, made in placed:
            self._ledger.complete(
                writer,
                attempt,
                video_bytes=made.video_bytes,
                has_poster=files.poster.exists(),
                has_audio=made.has_audio,
            )
            clear_attempts(files)
        return [attempt for attempt, _, _ in placed]

    def _fail(self, writer: Writer, attempt: Attempt, error: str) -> None:
        self._ledger.fail(writer, attempt, error)
        self._mark(attempt, JobState.FAILED, error)

    def _mark(self, attempt: Attempt, state: JobState, error: str) -> None:
        files = self._files(attempt)
        clear_attempts(files)
        with suppress(OSError):  # only needed when the index is lost
            write_ended(files, Ended(state, error, attempt.attempt, time.time()))


def _names(attempt: Attempt) -> dict[str, Any]:
    return {"job": attempt.job_id, "attempt": attempt.attempt}


def _last_words(files: JobFiles) -> str:
    try:
        with files.log.open("rb") as file:
            file.seek(max(0, files.log.stat().st_size - 4_096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip() and not line.startswith(LOG_MARK)]
    return said[-1][:300] if said else ""
