"""Records in the job folders from which a lost index is rebuilt."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from workbench.jobs.mp4 import mp4_fault
from workbench.jobs.paths import JobFiles
from workbench.jobs.store.requests import NewJob

__all__ = [
    "LOG_MARK",
    "Ended",
    "Finished",
    "Judgement",
    "Submission",
    "finished",
    "read_ended",
    "read_judgement",
    "read_submission",
    "write_aside",
    "write_ended",
    "write_judgement",
    "write_submission",
]

_VERSION: Final = 1

LOG_MARK: Final = "--- "
"""The prefix of the workbench's own lines in a render log."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission: a single job with its preview, or a batch."""

    jobs: tuple[NewJob, ...]
    batch_id: str | None = None
    name: str = ""
    session_id: str | None = None
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job without a video ended."""

    state: str
    error: str
    attempt: int
    finished_at: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A published video and its recipe, or what is wrong with them."""

    fault: str
    attempt: int = 0
    video_bytes: int = 0
    finished_at: float = 0.0
    has_audio: bool = False
    recipe: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A job's star and note."""

    starred: bool = False
    note: str = ""


def write_aside(path: Path, text: str, *, durable: bool = False) -> None:
    """Write ``text`` to a temporary file, then rename it to ``path``; raises ``OSError``."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def write_submission(path: Path, submission: Submission) -> None:
    """Write a submission; raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {
        "version": _VERSION,
        "batch_id": submission.batch_id,
        "name": submission.name,
        "session_id": submission.session_id,
        "created_at": submission.created_at,
    }
    write_aside(path, _joined(head, "jobs", f"[{', '.join(map(_job_text, submission.jobs))}]"))


def _job_text(job: NewJob) -> str:
    facts = asdict(job)
    request = facts.pop("request")
    return _joined(facts, "request", request)


def _joined(head: dict[str, Any], name: str, text: str) -> str:
    """Return ``head`` as a JSON object with one more member, whose value is already JSON."""
    return f"{json.dumps(head)[:-1]}, {json.dumps(name)}: {text}}}"


def read_submission(path: Path) -> Submission:
    """Return a submission; raises ``OSError``, or ``ValueError`` if the file is damaged."""
    try:
        record = json.loads(path.read_text("utf-8"))
        jobs = tuple(
            NewJob(**{**job, "request": json.dumps(job["request"])}) for job in record["jobs"]
        )
        return Submission(
            jobs, record["batch_id"], record["name"], record["session_id"], record["created_at"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a record of a submission: {error}") from error


def write_ended(files: JobFiles, ended: Ended) -> None:
    """Write the state of a job without a video; raises ``OSError``."""
    files.folder.mkdir(parents=True, exist_ok=True)
    write_aside(files.ended, json.dumps(asdict(ended)))


def read_ended(files: JobFiles) -> Ended | None:
    """Return how a job without a video ended; None if there is no mark."""
    try:
        return Ended(**json.loads(files.ended.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_judgement(files: JobFiles, judgement: Judgement) -> None:
    """Write a job's star and note to its folder; raises ``OSError``."""
    files.folder.mkdir(parents=True, exist_ok=True)
    write_aside(files.judgement, json.dumps(asdict(judgement), ensure_ascii=False))


def read_judgement(files: JobFiles) -> Judgement:
    """Return a job's star and note; empty if the file is missing or damaged."""
    try:
        said = json.loads(files.judgement.read_text("utf-8"))
        return Judgement(bool(said["starred"]), str(said["note"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Judgement()


def finished(files: JobFiles) -> Finished:
    """Return the published video of a job, complete with a matching recipe, or the fault."""
    if fault := mp4_fault(files.video):
        return Finished(f"of its video: {fault}")
    status = files.video.stat()
    try:
        recipe = json.loads(files.recipe.read_text("utf-8"))
        expected = recipe["outcome"]["size_bytes"]
        attempt = int(recipe["attempt"])
        datetime.fromisoformat(recipe["created_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return Finished("its recipe is missing or damaged")
    if expected != status.st_size:
        return Finished("its recipe belongs to another video")
    has_audio = bool(recipe["outcome"].get("has_audio"))
    return Finished("", attempt, status.st_size, status.st_mtime, has_audio, recipe)
