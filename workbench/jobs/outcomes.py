"""What becomes of a job when its attempt ends: in the index and in its folder, in that order."""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from workbench.jobs.devices import Slot
from workbench.jobs.messages import Failed, FailReason, Rendered, Reported
from workbench.jobs.model import JobState
from workbench.jobs.paths import JobFiles, JobPaths
from workbench.jobs.publishing import clear_attempts, publish
from workbench.jobs.records import LOG_MARK, Ended, finished, write_ended
from workbench.jobs.store import Ledger, RunningRow, Writer
from workbench.jobs.store.ledger import Claim
from workbench.rendering import RECIPE_VERSION

__all__ = ["Outcomes"]

_LOG = logging.getLogger("workbench.jobs")


class Outcomes:
    """Ends attempts. Every method is one step of the transaction that ``writer`` is."""

    def __init__(self, ledger: Ledger, paths: JobPaths) -> None:
        self._ledger = ledger
        self._paths = paths

    def recipe(self, claim: Claim, slot: Slot) -> dict[str, Any]:
        """Return the recipe that a worker is to follow, as JSON; raises ``ValueError``."""
        label = f"{slot.name.partition(':')[0]} ({slot.label})" if slot.label else slot.name
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
        """Note progress."""
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

    def rendered(self, writer: Writer, claim: Claim, made: Rendered, kind: str) -> None:
        """Publish an attempt's video, if the attempt is still the current one."""
        if not self._ledger.is_current(writer, claim.job_id, claim.attempt):
            _LOG.warning("stale attempt refused", extra=_names(claim))
            return
        if self.take_over(writer, claim.job_id, claim.batch_id, claim.attempt):
            self._ledger.learn(writer, claim.work_key, kind, made.seconds)
            _LOG.info("job complete", extra={**_names(claim), "seconds": round(made.seconds, 3)})

    def take_over(self, writer: Writer, job_id: str, batch_id: str | None, attempt: int) -> bool:
        """Publish what the current attempt has finished; tell whether there was anything whole.

        What cannot be published fails the job.
        """
        files = self._paths.job(job_id, batch_id)
        try:
            made = publish(files, attempt)
        except OSError as error:
            self._fail(
                writer, job_id, batch_id, attempt, f"The video cannot be put in place: {error}"
            )
            return False
        if made.fault:
            self._fail(
                writer, job_id, batch_id, attempt, f"The render left no whole video: {made.fault}."
            )
            return False
        self._ledger.complete(
            writer,
            job_id,
            attempt,
            video_bytes=made.video_bytes,
            has_poster=files.poster.exists(),
        )
        clear_attempts(files)
        return True

    def failed(self, writer: Writer, claim: Claim, message: Failed) -> None:
        """End a job whose engine gave up, or was asked to."""
        if message.reason is FailReason.CANCELLED:
            self.cancelled(writer, claim)
            return
        _LOG.info("job failed", extra={**_names(claim), "error": message.error})
        self._fail(writer, claim.job_id, claim.batch_id, claim.attempt, message.error)

    def cancelled(self, writer: Writer, claim: Claim) -> None:
        """End a job that was asked to stop."""
        self._ledger.cancelled(writer, claim.job_id, claim.attempt)
        self._mark(claim.job_id, claim.batch_id, claim.attempt, JobState.CANCELLED, "")

    def timed_out(self, writer: Writer, claim: Claim, limit_s: float) -> None:
        """End a job that took longer than it may."""
        error = (
            f"The render took longer than the limit of {limit_s:g} s; ask for fewer frames or "
            "steps, or raise WORKBENCH_RENDER_TIMEOUT_S."
        )
        self._fail(writer, claim.job_id, claim.batch_id, claim.attempt, error)

    def unreadable(self, writer: Writer, claim: Claim, error: ValueError) -> None:
        """End a job whose request cannot be read."""
        problem = f"The request cannot be read: {error}"
        self._fail(writer, claim.job_id, claim.batch_id, claim.attempt, problem)

    def crashed(self, writer: Writer, claim: Claim, reason: str) -> None:
        """Put a job back whose worker died under it, or fail it when that was once too often."""
        _LOG.warning("worker died", extra={**_names(claim), "reason": reason})
        if words := _last_words(self._paths.job(claim.job_id, claim.batch_id)):
            reason = f"{reason}; the last it said was: {words}"
        state = self._ledger.crashed(writer, claim.job_id, claim.attempt, reason)
        self._after_again(claim.job_id, claim.batch_id, claim.attempt, state, reason)

    def interrupted(self, writer: Writer, row: RunningRow, reason: str) -> None:
        """Decide on a running job that nobody renders: finish what was made, or put it back."""
        files = self._paths.job(row.job_id, row.batch_id)
        if self._is_made(files, row.attempt):
            self.take_over(writer, row.job_id, row.batch_id, row.attempt)
            return
        state = self._ledger.interrupted(writer, row.job_id, row.attempt, reason)
        _LOG.warning("job interrupted", extra={"job": row.job_id, "reason": reason})
        self._after_again(row.job_id, row.batch_id, row.attempt, state, reason)

    @staticmethod
    def _is_made(files: JobFiles, attempt: int) -> bool:
        # The worker writes the recipe last, when the video is safe on disk.
        places = (files, files.attempt(attempt))
        return attempt in {made.attempt for made in map(finished, places) if not made.fault}

    def _after_again(
        self, job_id: str, batch_id: str | None, attempt: int, state: JobState, reason: str
    ) -> None:
        if state.final:
            self._mark(job_id, batch_id, attempt, state, reason)

    def _fail(
        self, writer: Writer, job_id: str, batch_id: str | None, attempt: int, error: str
    ) -> None:
        self._ledger.fail(writer, job_id, attempt, error)
        self._mark(job_id, batch_id, attempt, JobState.FAILED, error)

    def _mark(
        self, job_id: str, batch_id: str | None, attempt: int, state: JobState, error: str
    ) -> None:
        files = self._paths.job(job_id, batch_id)
        clear_attempts(files)
        with suppress(OSError):  # the index knows; the mark only serves when that is lost
            write_ended(files, Ended(state, error, attempt, time.time()))


def _names(claim: Claim) -> dict[str, Any]:
    return {"job": claim.job_id, "attempt": claim.attempt}


def _last_words(files: JobFiles) -> str:
    try:
        with files.log.open("rb") as file:
            file.seek(max(0, files.log.stat().st_size - 4_096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip() and not line.startswith(LOG_MARK)]
    return said[-1][:300] if said else ""
