"""Variations that each differ from their prompt in one field, so that what differs has one cause."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Final

from workbench.prompts.model import Entry
from workbench.scene import SCENE_FIELDS, Origin
from workbench.studio import Studio

__all__ = ["single_changes"]

_FIELDS: Final = (
    "camera_movement", "lighting", "time_of_day", "weather", "style", "shot_size", "setting",
    "color_palette", "camera_angle", "mood", "lens", "pace",
)  # fmt: skip
"""What is varied where nothing is named, the most different first."""
_THEIRS: Final = frozenset({Origin.SAID, Origin.EDITED, Origin.LOCKED})
"""What the user decided, and only a named field changes."""


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

    ``fields`` are those that may change; without any, all that the user did not decide.
    """
    wanted = list(fields) or [f for f in _FIELDS if base.scene.origin(f) not in _THEIRS]
    if seed is not None:
        random.Random(seed).shuffle(wanted)
    turns = list(itertools.islice(itertools.cycle(wanted or _FIELDS), max(0, total - 1)))
    counts = {field: turns.count(field) for field in turns}
    made = await asyncio.gather(
        *(
            studio.variations(
                session_id,
                [base.index],
                1 + count,
                axes=[field],
                hold=[name for name in SCENE_FIELDS if name != field],
                seed=seed,
                on_entry=on_entry,
            )
            for field, count in counts.items()
        )
    )
    left = {field: iter(one[1:]) for field, one in zip(counts, made, strict=True)}
    found = (next(left[field], None) for field in turns)
    return (base, *(entry for entry in found if entry is not None))
