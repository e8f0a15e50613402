"""Reads and writes the scene check stored beside a video."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from workbench.measures.scene_check.model import SceneCheck

__all__ = ["read_check", "write_check"]


def read_check(path: Path, digest: str) -> SceneCheck | None:
    """Return the check at ``path`` of the video with this SHA-256; None if there is none."""
    try:
        check = SceneCheck.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError):
        return None
    return check if check.video == digest else None


def write_check(path: Path, check: SceneCheck) -> None:
    """Write ``check`` aside, then rename it to ``path``; raises ``OSError``."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(check.model_dump_json(indent=1), "utf-8")
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
