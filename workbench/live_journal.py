"""What was done in a live world, on disk as it is done: it outlives the process that shows it.

A journal belongs to its process for as long as that holds its lock. Whoever takes the lock later
finds all that was written, whether the walk was left or its process was killed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.engines.live import LiveFrame
from workbench.engines.realtime.frames_file import framed
from workbench.errors import DiskFull
from workbench.jobs.locking import take_lock
from workbench.jobs.paths import WalkFiles
from workbench.rendering import RenderRequest

__all__ = ["FoundWalk", "WalkJournal", "WalkPlace"]

_log = logging.getLogger(__name__)

_QUALITY: Final = 95
_MOST_BYTES: Final = 256 << 20
"""Most bytes of recorded frames of one walk."""


class WalkPlace(BaseModel):
    """Where the job of a walk belongs."""

    model_config = ConfigDict(frozen=True)

    session_id: str | None = None
    entry_index: int | None = None
    parent_prompt: str = ""
    begins: bool = False
    """Whether the walk's idea becomes a prompt, of ``session_id`` or of a new session."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The render settings of that prompt."""

    @property
    def told(self) -> dict[str, Any]:
        """What ``JobManager.submit`` is told of it."""
        return self.model_dump(include={"session_id", "entry_index", "parent_prompt"})


class _Header(BaseModel):
    """The first line of a journal."""

    request: RenderRequest
    """Complete, but for the keys."""
    most_frames: int
    place: WalkPlace


class WalkJournal:
    """Writes one walk; a world that keys alone do not bring back also has its frames written.

    May be used from several threads.
    """

    def __init__(
        self,
        files: WalkFiles,
        request: RenderRequest,
        most_frames: int,
        place: WalkPlace,
        *,
        with_frames: bool,
    ) -> None:
        """Prepare a journal in new ``files``; it is on disk from the first frame on."""
        self.files = files
        self._header = _Header(request=request, most_frames=most_frames, place=place)
        self._with_frames = with_frames
        self._turn = threading.Lock()
        self._lines: BinaryIO | None = None
        self._closed = False
        self._bytes = 0

    @property
    def place(self) -> WalkPlace:
        """Where the job of the walk belongs."""
        return self._header.place

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more frames."""
        return self._bytes >= _MOST_BYTES

    def add(self, frame: LiveFrame) -> None:
        """Write one more frame; raises ``DiskFull`` where that fails."""
        data = framed(frame.jpeg(_QUALITY)) if self._with_frames else b""
        with self._turn:
            if self._closed:
                return
            try:
                if self._lines is None:
                    self._lines = _created(self.files)
                    self._append(self._lines, self._header.model_dump_json())
                if data:
                    with self.files.frames.open("ab") as file:
                        file.write(data)
                    self._bytes += len(data)
                self._append(self._lines, json.dumps(frame.led_by))
            except OSError as error:
                raise _unwritable(error) from error

    def close(self) -> None:
        """Write no more and release the walk."""
        with self._turn:
            self._closed = True
            if self._lines is not None:
                self._lines.close()

    @staticmethod
    def _append(lines: BinaryIO, line: str) -> None:
        lines.write(line.encode() + b"\n")
        lines.flush()


@dataclass(frozen=True, slots=True)
class FoundWalk:
    """A walk that its process has left, as its journal tells it; its lock is held until closed."""

    files: WalkFiles
    request: RenderRequest
    most_frames: int
    place: WalkPlace
    led_by: tuple[str, ...]
    """The keys that led to each frame."""
    lock: int

    @classmethod
    def take(cls, files: WalkFiles) -> Self | None:
        """Take over a walk; None while its process lives, and if there is nothing to read."""
        if not files.journal.is_file():
            return None
        lock = take_lock(files.journal)
        if lock is None:
            return None
        walk = None
        try:
            walk = cls._read(files, lock)
        finally:
            if walk is None:
                os.close(lock)
        return walk

    @classmethod
    def _read(cls, files: WalkFiles, lock: int) -> Self | None:
        text = files.journal.read_bytes()
        if not text:  # its process has just created it
            return None
        try:
            # A line without its end was being written when the process was killed.
            first, *rest = text.split(b"\n")[:-1]
            header = _Header.model_validate_json(first)
            found = [json.loads(line) for line in rest]
            places = [WalkPlace.model_validate(one) for one in found if isinstance(one, dict)]
        except (ValueError, ValidationError):
            _log.warning("The journal of a live walk is damaged; it is removed.")
            _remove(files)
            return None
        place = places[-1] if places else header.place
        led_by = tuple(one for one in found if isinstance(one, str))
        return cls(files, header.request, header.most_frames, place, led_by, lock)

    def placed(self, place: WalkPlace) -> None:
        """Note where the walk was placed, in case it is taken over again."""
        with self.files.journal.open("ab") as file:
            file.write(place.model_dump_json().encode() + b"\n")

    def became(self, job_id: str) -> None:
        """Note that the walk is a job now, which may still need its frames."""
        if self.files.frames.is_file():
            self.files.note(job_id)
        self.forget()

    def forget(self) -> None:
        """Remove all of the walk, but for frames of which a job was made already."""
        _remove(self.files)

    def close(self) -> None:
        """Release the walk."""
        os.close(self.lock)


def _created(files: WalkFiles) -> BinaryIO:
    """Open a new journal and lock it; raises ``OSError``."""
    files.folder.mkdir(parents=True)
    if (lock := take_lock(files.journal)) is None:
        raise OSError("another process has locked it")
    return os.fdopen(lock, "ab")


def _remove(files: WalkFiles) -> None:
    if files.jobs.is_file():
        files.journal.unlink(missing_ok=True)
    else:
        shutil.rmtree(files.folder, ignore_errors=True)


def _unwritable(error: OSError) -> DiskFull:
    told = f"The live world cannot be recorded: {error.strerror or error}; make room on the disk."
    return DiskFull(told)
