"""The variation grid: which prompts, in which order, which are pinned, and their batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Self

from workbench.jobs.model import Job
from workbench.prompts.model import Entry, EntryKind

__all__ = ["VariationGrid"]


@dataclass(slots=True)
class VariationGrid:
    """Entry indices; the others are variations of the first."""

    indices: list[int] = field(default_factory=list)
    pinned: set[int] = field(default_factory=set)
    batch_id: str | None = None

    @property
    def base(self) -> int | None:
        """The prompt that the others are variations of; None if the grid is empty."""
        return self.indices[0] if self.indices else None

    def view(self) -> dict[str, Any]:
        """Return the grid as sent to the browser."""
        return {
            "indices": list(self.indices),
            "pinned": sorted(self.pinned),
            "batch": self.batch_id,
        }

    def kept(self, base: int) -> list[int]:
        """Return the cards to keep, in order, when ``base`` is varied again."""
        return [index for index in self.indices if index in self.pinned and index != base]

    def deal(self, base: int, fresh: Iterable[int]) -> None:
        """Put ``base`` first, then the pinned ones in their order, then the new ones."""
        self.indices = [base, *self.kept(base), *fresh]
        self.pinned &= set(self.indices)
        self.batch_id = None

    def replace(self, old: int, new: int) -> None:
        """Replace ``old`` with ``new``."""
        self.indices = [new if index == old else index for index in self.indices]
        if old in self.pinned:
            self.pinned = (self.pinned - {old}) | {new}

    def drop(self, index: int) -> None:
        """Remove a card."""
        self.indices = [kept for kept in self.indices if kept != index]
        self.pinned.discard(index)

    @classmethod
    def of(cls, entries: Sequence[Entry], jobs: Iterable[Job]) -> Self:
        """Return the latest grid: the prompts of the newest batch, or the newest variations."""
        batched = [job for job in jobs if job.batch_id and job.entry_index is not None]
        newest = max((job.created_at for job in batched), default=None)
        varied = _newest_variations(entries)
        if newest is None or (varied and entries[varied[-1]].created_at > newest):
            return cls(varied)
        batch_id = max(job.batch_id or "" for job in batched if job.created_at == newest)
        ordered = sorted(
            (job for job in batched if job.batch_id == batch_id), key=lambda job: job.position
        )
        indices = [job.entry_index for job in ordered if job.entry_index is not None]
        return cls(list(dict.fromkeys(indices)), batch_id=batch_id)


def _newest_variations(entries: Sequence[Entry]) -> list[int]:
    """Return the parent and the entries of the latest variations; empty if there are none."""
    last = next((e for e in reversed(entries) if e.kind is EntryKind.VARIATION), None)
    if last is None or last.parent is None:
        return []
    before = reversed(entries[: last.index + 1])
    group = list(
        takewhile(lambda e: e.kind is EntryKind.VARIATION and e.parent == last.parent, before)
    )
    return [last.parent, *(entry.index for entry in reversed(group))]
