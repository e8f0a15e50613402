"""Remembers which video at the endpoint belongs to which job, so that nothing is paid for twice.

One small file per job, written as soon as the endpoint names the video and removed when it has come
to an end. A worker that dies in between finds it and goes on asking.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Final

from workbench.rendering import Recipe

__all__ = ["OrderBook"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class OrderBook:
    """The orders of one outputs/ folder, kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, recipe: Recipe, base_url: str) -> str:
        """Return what is the same for every attempt at the same job at the same endpoint."""
        facts = f"{base_url}\n{recipe.job_id}\n{recipe.request.model_dump_json()}"
        return hashlib.sha256(facts.encode()).hexdigest()[:40]

    def find(self, recipe: Recipe, key: str) -> str | None:
        """Return the endpoint's id of the video that was asked for under ``key``; None if none."""
        try:
            order = json.loads(self._path(recipe).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(order, dict) or order.get("key") != key:
            return None
        video_id = order.get("video_id")
        return video_id if isinstance(video_id, str) and video_id else None

    def keep(self, recipe: Recipe, key: str, video_id: str) -> None:
        """Remember, durably, that ``video_id`` was asked for under ``key``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(recipe)
        aside = path.with_suffix(".part")
        with aside.open("w", encoding="utf-8") as file:
            json.dump({"key": key, "video_id": video_id}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)

    def forget(self, recipe: Recipe) -> None:
        """Forget the job's order: it has come to an end."""
        self._path(recipe).unlink(missing_ok=True)

    def _path(self, recipe: Recipe) -> Path:
        name = recipe.job_id
        if not _PLAIN.fullmatch(name):
            name = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / f"{name}.json"
