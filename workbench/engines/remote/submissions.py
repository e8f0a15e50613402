"""Stores which endpoint video belongs to which job, so that no video is paid for twice.

One small file per job, written as soon as the endpoint returns an id and removed at the end. After
a worker dies, the next attempt finds it and resumes polling.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Final

from workbench.rendering import Recipe

__all__ = ["SubmissionStore"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class SubmissionStore:
    """The submissions of one outputs/ folder, kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, recipe: Recipe, base_url: str) -> str:
        """Return a key that all attempts of one job at one endpoint share."""
        facts = f"{base_url}\n{recipe.job_id}\n{recipe.request.model_dump_json()}"
        return hashlib.sha256(facts.encode()).hexdigest()[:40]

    def find(self, recipe: Recipe, key: str) -> str | None:
        """Return the endpoint's video id submitted under ``key``, or None."""
        try:
            stored = json.loads(self._path(recipe).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(stored, dict) or stored.get("key") != key:
            return None
        video_id = stored.get("video_id")
        return video_id if isinstance(video_id, str) and video_id else None

    def keep(self, recipe: Recipe, key: str, video_id: str) -> None:
        """Store durably that ``video_id`` was submitted under ``key``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(recipe)
        aside = path.with_suffix(".part")
        with aside.open("w", encoding="utf-8") as file:
            json.dump({"key": key, "video_id": video_id}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)

    def forget(self, recipe: Recipe) -> None:
        """Remove the job's submission."""
        self._path(recipe).unlink(missing_ok=True)

    def _path(self, recipe: Recipe) -> Path:
        name = recipe.job_id
        if not _PLAIN.fullmatch(name):
            name = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / f"{name}.json"
