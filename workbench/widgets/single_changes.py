"""Variations that differ from their prompt in one field each, so a difference has one cause."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.prompts.model import Entry
from workbench.scene import SCENE_FIELDS, Origin
from workbench.studio import Studio

__all__ = ["single_changes"]

_FIELDS: Final = (
    "camera_movement", "lighting", "time_of_day", "weather", "style", "shot_size", "setting",
    "color_palette", "camera_angle", "mood", "lens", "pace",
)  # fmt: skip
"""Fields to vary by default, those with the largest effect first."""
_ATTEMPTS: Final = 4
_THEIRS: Final = frozenset({Origin.SAID, Origin.EDITED, Origin.LOCKED})
"""Decided by the user; changed only if named."""


async def single_changes(
    studio: Studio,
    session_id: str,
    base: Entry,
    total: int,
    fields: Sequence[str],
    *,
    seed: int | None = None,
    on_entry: Callable[[Entry], object] | None = None,
) -> tuple[Entry, ...]:
    """Return ``base`` and ``total - 1`` variations of it, one field each, the fields taking turns.

    ``fields`` are those that may change; by default, all that the user did not decide. A field
    that cannot change alone is skipped; fewer variations are returned if too few can.
    """
    wanted = list(fields) or [f for f in _FIELDS if base.scene.origin(f) not in _THEIRS]
    if seed is not None:
        random.Random(seed).shuffle(wanted)
    waiting, made = list(wanted), [base]
    for attempt in range(_ATTEMPTS):
        missing = total - len(made)
        waiting = waiting or list(wanted)
        if missing <= 0 or not waiting:
            break
        turns = list(itertools.islice(itertools.cycle(waiting), missing))
        waiting = waiting[missing:]
        asked = _Asked(studio, session_id, base, None if seed is None else seed + attempt, on_entry)
        found = await asked.changes(turns)
        fruitless = {field for field, entry in zip(turns, found, strict=True) if entry is None}
        wanted = [field for field in wanted if field not in fruitless or field in fields]
        made += [entry for entry in found if entry is not None]
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Requests variations of one prompt, field by field."""

    studio: Studio
    session_id: str
    base: Entry
    seed: int | None
    on_entry: Callable[[Entry], object] | None

    async def changes(self, turns: Sequence[str]) -> list[Entry | None]:
        """Return a variation for each turn; None where the field could not change alone."""
        counts = {field: turns.count(field) for field in turns}
        answers = await asyncio.gather(*(self._of(field, count) for field, count in counts.items()))
        left = {field: iter(one) for field, one in zip(counts, answers, strict=True)}
        return [next(left[field], None) for field in turns]

    async def _of(self, field: str, count: int) -> list[Entry]:
        entries = await self.studio.variations(
            self.session_id,
            [self.base.index],
            1 + count,
            axes=[field],
            hold=[name for name in SCENE_FIELDS if name != field],
            seed=self.seed,
            on_entry=self._hear,
        )
        return [entry for entry in entries[1:] if _is_single(entry)]

    def _hear(self, entry: Entry) -> None:
        if self.on_entry is not None and _is_single(entry):
            self.on_entry(entry)


def _is_single(entry: Entry) -> bool:
    return len(entry.changes) == 1
