"""The video models on this machine as the page lists them: size, inputs, and how each would run."""

from __future__ import annotations

from typing import Final

from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.library import LibraryModel, find_models
from workbench.studio import Studio
from workbench.widgets.presentation import View

__all__ = ["library_views"]

_GIB: Final = 1 << 30


def library_views(studio: Studio) -> list[View]:
    """Return every model; ``fits`` is null where no GPU is known. Reads the disk."""
    cards = [one.memory_total_bytes for one in studio.jobs.devices() if one.kind == "cuda"]
    largest = max((size for size in cards if size), default=None)
    return [_view(model, largest) for model in find_models(studio.settings)]


def _view(model: LibraryModel, card_bytes: int | None) -> View:
    plan = None
    if card_bytes is not None and not model.problems:
        plan = model.plan_on(card_bytes, available_bytes())
    return {
        "name": model.name,
        "title": model.title,
        "takes": list(model.takes),
        "gib": round(sum(model.size_bytes.values()) / _GIB, 1),
        "problems": list(model.problems),
        "fits": None if plan is None else not plan.problem,
        "plan": "" if plan is None else plan.problem or plan.reason,
    }
