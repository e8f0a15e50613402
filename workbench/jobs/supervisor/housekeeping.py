"""The supervisor's periodic cleanup: jobs beyond the retention settings, old frames, unused inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pydantic import TypeAdapter

from workbench.jobs.deletion import forget_deleted
from workbench.jobs.paths import JobPaths
from workbench.jobs.retention import carry_out, drop_frames, drop_inputs, plan_removals
from workbench.jobs.store import Index, Keeping
from workbench.jobs.supervisor.clock import Clocks, Reckoning, read_clocks, reckon
from workbench.settings import Settings

__all__ = ["Housekeeping"]

_REMOVED_AT_ONCE: Final = 200
_INPUTS_EVERY_S: Final = 3_600.0
_RECKONING: Final = TypeAdapter(Reckoning)


class Housekeeping:
    """Keeps one outputs/ folder within its settings."""

    def __init__(
        self,
        index: Index,
        paths: JobPaths,
        settings: Settings,
        *,
        clocks: Callable[[], Clocks] = read_clocks,
    ) -> None:
        self._index = index
        self._paths = paths
        self._settings = settings
        self._clocks = clocks
        self._inputs_at: float | None = None
        """The uptime at which inputs and frames were last checked."""

    def tidy(self) -> None:
        """Remove expired jobs and unused inputs; raises ``IndexFailure`` or ``OSError``."""
        now = self._believed()
        removals = plan_removals(
            self._settings, self._index, now=now.believed_s, limit=_REMOVED_AT_ONCE
        )
        if removals:
            carry_out(self._paths, self._index, removals)
        forget_deleted(self._paths, self._index, now.believed_s - self._settings.undo_s)
        uptime_s = now.clocks.uptime_s
        if self._inputs_at is None or uptime_s - self._inputs_at > _INPUTS_EVERY_S:
            self._inputs_at = uptime_s
            drop_inputs(self._paths, self._index, now.believed_s)
            drop_frames(self._paths, self._index, self._settings, now.believed_s)

    def _believed(self) -> Reckoning:
        keeping = Keeping()
        with self._index.write() as writer:
            try:
                before = _RECKONING.validate_json(keeping.reckoning(writer) or "")
            except ValueError:
                before = None
            now = reckon(before, self._clocks())
            keeping.keep_reckoning(writer, _RECKONING.dump_json(now).decode())
        return now
