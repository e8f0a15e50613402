"""Publishes a finished attempt's files: a job has a complete video or none.

Only the supervisor publishes, and only for the current attempt, which the caller checks.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from workbench.jobs.paths import JobFiles
from workbench.jobs.records import Finished, finished, write_aside

__all__ = ["FolderSync", "clear_attempts", "place", "renew_folder", "sync_folder"]

_AT_ONCE: Final = 8


class FolderSync:
    """Flushes several folders to disk at once: the file system writes them in one commit."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sync")

    def sync(self, folders: Sequence[Path]) -> None:
        """Return once the entries of all ``folders`` are on disk."""
        if len(folders) == 1:
            sync_folder(folders[0])
        else:
            list(self._threads.map(sync_folder, folders))


def place(files: JobFiles, attempt: int) -> Finished:
    """Rename the files of ``attempt`` into place and return them, or the fault of incomplete ones.

    The caller syncs the folder before it reports them. Idempotent: continues where a publisher
    died, and accepts files that are already in place. Raises ``OSError``.
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


def renew_folder(folder: Path) -> None:
    """Create an empty attempt folder; raises ``OSError``.

    It holds files if the claim of that attempt was lost in a power failure.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        _remove_folder(folder)
        folder.mkdir()


def _remove_folder(folder: Path) -> None:
    try:
        for entry in folder.iterdir():
            entry.unlink()
        folder.rmdir()
    except OSError:  # it is not empty, or in use
        shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, if the system supports it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
