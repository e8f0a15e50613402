"""Publishes a finished attempt's files: a job has a complete video or none.

Only the supervisor publishes, and only for the current attempt, which the caller checks.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from workbench.jobs.paths import JobFiles
from workbench.jobs.records import Finished, finished, write_aside

__all__ = ["clear_attempts", "publish", "sync_folder"]


def publish(files: JobFiles, attempt: int) -> Finished:
    """Rename the files of ``attempt`` into place and return them; incomplete ones have a fault.

    Idempotent: it completes what a publisher that died had begun, and finds what it had finished.
    Raises ``OSError``.
    """
    aside = files.attempt(attempt)
    made = finished(aside)
    if not made.fault and made.attempt == attempt:
        # The video goes last: with it in place, everything is.
        if aside.poster.exists():
            aside.poster.replace(files.poster)
        for channel in aside.channels():
            channel.replace(files.folder / channel.name)
        _place_copy(aside.recipe, files.recipe)
        aside.video.replace(files.video)
        made = finished(files)
    elif not (there := finished(files)).fault:
        made = there
    if not made.fault and made.attempt != attempt:
        return Finished("its files belong to another attempt")
    if not made.fault:
        files.ended.unlink(missing_ok=True)
        sync_folder(files.folder)
    return made


def _place_copy(source: Path, target: Path) -> None:
    """Put a durable file at ``target`` and keep ``source``; raises ``OSError``.

    Kept, so that the next publisher can continue if this one dies before the video is in place.
    """
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    try:
        aside.hardlink_to(source)
    except OSError:  # a file system without hard links
        write_aside(target, source.read_text("utf-8"), durable=True)
    else:
        aside.replace(target)


def clear_attempts(files: JobFiles) -> None:
    """Remove the attempt folders; errors are ignored."""
    for folder in files.attempts():
        _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    try:
        for entry in folder.iterdir():
            entry.unlink()
        folder.rmdir()
    except OSError:  # it holds folders, or something keeps it
        shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
