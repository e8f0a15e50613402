"""The labels of clauses, and the slots of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

__all__ = ["ALIKE", "CLAUSE_TAGS", "LABELS", "SLOTS", "SLOT_TAGS", "slots_of"]

LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "look": "entity value old", "replace": "old new", "add": "new place act",
        "remove": "entity", "count": "entity number", "more": "entity", "fewer": "entity",
        "position": "entity place", "swap": "a b what", "event": "actor act when",
        "instead": "actor act old", "stop": "actor act", "how": "actor act value",
        "setting": "value old", "time": "value old", "weather": "value old", "season": "value old",
        "era": "value old", "light": "value old", "mood": "value old", "style": "value old",
        "palette": "value old", "camera": "value old entity", "shot": "value old entity",
        "viewpoint": "value old", "pace": "value old", "text": "value place old", "sound": "value",
        "seconds": "value", "frames": "value", "fps": "value", "aspect": "value", "size": "value",
        "seed": "value", "steps": "value", "guidance": "value", "model": "value",
        "profile": "value", "negative": "value", "render": "count what",
        "vary": "count axis keep", "undo": "what", "redo": "what", "restart": "what",
        "goback": "to keep", "star": "what", "unstar": "what", "compare": "what", "lock": "what",
        "unlock": "what", "keep": "what", "question": "what", "thanks": "", "vague": "value",
        "rewrite": "value",
    }
)  # fmt: skip
"""The slot names of each clause label, separated by spaces."""

ALIKE: Final = (
    "event instead how", "remove negative", "shot camera viewpoint",
    "style palette light mood era", "more fewer count", "render vary",
)  # fmt: skip
"""Groups of labels with much the same effect: confusing them costs no confidence."""
SLOTS: Final[Sequence[str]] = tuple(
    dict.fromkeys(slot for slots in LABELS.values() for slot in slots.split())
)
CLAUSE_TAGS: Final[Sequence[str]] = ("O", *(f"{at}-{label}" for label in LABELS for at in "BI"))
"""Clause tags in BIO scheme: outside, beginning, inside."""
SLOT_TAGS: Final[Sequence[str]] = ("O", *(f"{at}-{slot}" for slot in SLOTS for at in "BI"))


def slots_of(label: str) -> frozenset[str]:
    """Return the names of the slots that a clause of ``label`` can have."""
    return frozenset(LABELS[label].split())
