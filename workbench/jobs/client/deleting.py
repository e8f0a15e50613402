"""Deletes and restores jobs, and measures the space of videos. A part of the manager."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.jobs.client.contact import Contact
from workbench.jobs.deletion import forget_deleted, put_back, set_aside
from workbench.jobs.model import Job
from workbench.jobs.paths import JobPaths
from workbench.jobs.store import Deletions, Index, Reader, Requests
from workbench.settings import Settings

__all__ = ["Deleting", "Storage"]

_DELETIONS = Deletions()


@dataclass(frozen=True, slots=True)
class Storage:
    """The space that finished videos take, in bytes."""

    video_bytes: int
    job_count: int
    deleted_bytes: int
    """Deleted videos that can still be restored."""
    by_session: Mapping[str | None, tuple[int, int]]
    """Number of jobs and bytes of videos by session; None for jobs without a session."""


class Deleting:
    """The part of the manager that deletes."""

    _settings: Settings
    _paths: JobPaths
    _index: Index
    _reader: Reader
    _requests: Requests
    _contact: Contact

    def delete(self, job_ids: Sequence[str], *, starred: bool = False) -> tuple[str, ...]:
        """Delete jobs, all or none, and return their ids; waiting ones are cancelled first.

        :meth:`undelete` restores them within ``undo_s`` of the settings. Raises ``NotFound``, and
        ``Conflict`` for one that is being rendered, that an unfinished render starts from, or that
        is starred unless ``starred`` is true.
        """
        ids = list(dict.fromkeys(job_ids))
        with self._index.write() as writer:
            self._requests.cancel_waiting(writer, ids)
            gone = [_DELETIONS.delete(writer, job_id, starred=starred) for job_id in ids]
            for job in gone:
                set_aside(self._paths, job)
        forget_deleted(self._paths, self._index, time.time() - self._settings.undo_s)
        self._contact.tell()
        return tuple(ids)

    def delete_batch(self, batch_id: str, *, starred: bool = False) -> tuple[str, ...]:
        """Delete all jobs of a batch; see :meth:`delete`."""
        return self.delete(self._reader.children(batch_id), starred=starred)

    def undelete(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Restore deleted jobs; raises ``NotFound`` for permanently deleted ones."""
        with self._index.write() as writer:
            for job in [_DELETIONS.restore(writer, job_id) for job_id in job_ids]:
                put_back(self._paths, job)
        self._contact.tell()
        return self._reader.jobs_by_id(list(job_ids))

    def ids_of_session(self, session_id: str) -> list[str]:
        """Return the ids of all jobs of a session."""
        with self._index.read() as connection:
            return _DELETIONS.living_of_session(connection, session_id)

    def deleted_of_session(self, session_id: str, since: float = 0.0) -> list[str]:
        """Return the jobs of a session that were deleted since then and can be restored."""
        with self._index.read() as connection:
            return _DELETIONS.of_session(connection, session_id, since)

    def storage(self) -> Storage:
        """Return the space that videos take."""
        with self._index.read() as connection:
            by_session, deleted = _DELETIONS.sizes(connection)
        return Storage(
            video_bytes=sum(size for _, size in by_session.values()),
            job_count=sum(count for count, _ in by_session.values()),
            deleted_bytes=deleted,
            by_session=by_session,
        )
