"""The scorer: one process that measures finished videos at low CPU priority.

Sees no GPU. Knows files, not the index.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DamagedFile, ScorerError, WorkbenchError
from workbench.jobs.channel import Channel
from workbench.jobs.messages import Leave, Measure, Measured, Ready
from workbench.jobs.paths import JobFiles
from workbench.measures.records import ScoreRecord, read_record, write_record
from workbench.measures.scorers import ScorerProcess, note_directions, scorer_targets
from workbench.rendering import Recipe, RenderRequest
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.control import CameraPath

__all__ = ["Scorer"]

_REMEMBERED: Final = 4_096
_MOST_FAILURES: Final = 3
_AGREEMENT: Final = "workbench.measures.agreement:Agreement"
_LOG = logging.getLogger("workbench.jobs.worker.scorer")


class Scorer:
    """Measures one video after another."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        limit_s = settings.scorer_timeout_s
        self._scorers = {
            name: ScorerProcess(name, target, timeout_s=limit_s)
            for name, target in scorer_targets(settings).items()
        }
        self._agreement = ScorerProcess("agreement", _AGREEMENT, timeout_s=limit_s)
        self._failures: Counter[str] = Counter()
        """Consecutive failures of each scorer."""

    def serve(self, channel: Channel) -> None:
        """Measure on request until asked to leave, or until the supervisor is gone."""
        channel.send(Ready(os.getpid()))
        while (messages := channel.receive(block=True)) is not None:
            for message in messages:
                if isinstance(message, Leave):
                    return
                if isinstance(message, Measure):
                    channel.send(self.measure(message))

    def measure(self, order: Measure) -> Measured:
        """Measure one video and store the scores beside it; never raises."""
        try:
            record = self._record(order)
        except FileNotFoundError:
            return _nothing(order, "The video is gone.")
        except (WorkbenchError, OSError, ValueError) as error:
            return _nothing(order, f"The video cannot be measured: {error}")
        except Exception as error:  # noqa: BLE001  a codec may raise anything
            _LOG.exception("cannot measure", extra={"job": order.job_id})
            return _nothing(order, f"The video cannot be measured: {type(error).__name__}: {error}")
        return Measured(order.job_id, order.attempt, record.scores.by_name, record.near_duplicates)

    def _record(self, order: Measure) -> ScoreRecord:
        from workbench.measures.scorecards import score_video  # noqa: PLC0415  loads OpenCV

        files = JobFiles(Path(order.folder))
        recipe = Recipe.model_validate_json(files.recipe.read_bytes())
        if recipe.outcome is None:
            raise DamagedFile("its recipe has no outcome")
        digest = recipe.outcome.sha256
        record = read_record(files.scores)
        if record is None or record.video != digest:
            files.video.stat()
            request = recipe.request
            card = score_video(
                files.video,
                movement=request.scene.camera_movement,
                camera=_commanded(request),
            )
            record = ScoreRecord(digest, card.scores, card.fingerprint, curves=card.curves)
        if self._settings.agreement_model and record.scores.agreement is None:
            agreed = self._asked(self._agreement, files, json.loads(files.recipe.read_bytes()))
            record = replace(record, scores=replace(record.scores, agreement=agreed))
        if others := self._others(files, record):
            record = replace(record, scores=replace(record.scores, others=others))
        alike = _near_duplicates(record.fingerprint, order.siblings)
        record = replace(record, near_duplicates=alike)
        with suppress(OSError):  # the disk may be full; the index keeps the scores as well
            write_record(files.scores, record)
        return record

    def _others(self, files: JobFiles, record: ScoreRecord) -> dict[str, float]:
        """Return the scores of installed scorers; one that keeps failing is no longer used."""
        found = {n: v for n, v in record.scores.others.items() if n in self._scorers}
        asked = {n: s for n, s in self._scorers.items() if n not in found}
        recipe = json.loads(files.recipe.read_bytes()) if asked else {}
        for name, scorer in asked.items():
            if (value := self._asked(scorer, files, recipe)) is not None:
                found[name] = value
        if asked and found:
            told = {n: s.is_lower_better for n, s in self._scorers.items()}
            with suppress(OSError):  # only the better direction stays unknown
                note_directions(self._settings, {n: w for n, w in told.items() if w is not None})
        return found

    def _asked(
        self, scorer: ScorerProcess, files: JobFiles, recipe: Mapping[str, Any]
    ) -> float | None:
        """Return a scorer's value; None if it fails, or has failed too often to be tried again."""
        if self._failures[scorer.name] >= _MOST_FAILURES:
            return None
        try:
            value = scorer.score(files.video, recipe)
        except ScorerError as error:
            self._failures[scorer.name] += 1
            _LOG.warning("no score", extra={"scorer": scorer.name, "error": str(error)})
            return None
        self._failures[scorer.name] = 0
        return value


def _commanded(request: RenderRequest) -> CameraPath | None:
    """Return the path to measure the video's camera against; None if there is none, or with a zoom.

    A rollout segment has the path of its whole world.
    """
    if request.camera is None or "rollout" in request.options:
        return None
    path = request.camera.camera_path()
    return None if path.zooms else path


def _near_duplicates(fingerprint: bytes, siblings: Mapping[str, str]) -> tuple[str, ...]:
    from workbench.measures.scorecards import are_alike  # noqa: PLC0415  loads OpenCV

    prints = {name: _fingerprint(folder) for name, folder in siblings.items()}
    return tuple(name for name, other in prints.items() if are_alike(fingerprint, other))


@lru_cache(_REMEMBERED)
def _fingerprint(folder: str) -> bytes:
    record = read_record(JobFiles(Path(folder)).scores)
    return record.fingerprint if record else b""


def _nothing(order: Measure, reason: str) -> Measured:
    return Measured(order.job_id, order.attempt, {}, (), reason[:1_000])


def _stand_back(niceness: int) -> None:
    """Lower this process's CPU priority, both within its session and among sessions."""
    if niceness == 0:
        return
    os.nice(niceness)
    with suppress(OSError):  # only if the kernel groups processes by session
        Path("/proc/self/autogroup").write_text(str(niceness), "ascii")


def main(arguments: list[str]) -> None:
    """Serve the supervisor that ``arguments`` name."""
    (descriptor,) = arguments
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings()
    _stand_back(settings.scores_niceness)
    import cv2  # noqa: PLC0415  heavy, and here alone

    cv2.setNumThreads(1)
    Scorer(settings).serve(Channel(socket.socket(fileno=int(descriptor))))
    sys.stdout.flush()
    os._exit(0)  # a library's thread must not keep the process alive


if __name__ == "__main__":
    main(sys.argv[1:])
