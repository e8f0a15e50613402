"""The score file beside a video: its scores and its fingerprint."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workbench.measures.scores import Scores

__all__ = ["ScoreRecord", "read_record", "write_record"]

_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """The stored scores of one video."""

    video: str
    """SHA-256 of the measured video, in hexadecimal."""
    scores: Scores
    fingerprint: bytes
    """Finds near-duplicates: see :meth:`workbench.measures.clips.Clip.fingerprint`."""
    near_duplicates: tuple[str, ...] = ()
    """Job ids of earlier near-duplicates in the same batch."""
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Scores over time: see :class:`workbench.measures.measurement.Measurement`."""


def read_record(path: Path) -> ScoreRecord | None:
    """Return the record at ``path``, or None if it is missing or unreadable."""
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            return None
        return ScoreRecord(
            str(document["video"]),
            Scores.of(document["scores"]),
            base64.b64decode(document["fingerprint"], validate=True),
            tuple(map(str, document["near_duplicates"])),
            {str(k): tuple(map(float, v)) for k, v in document.get("curves", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_record(path: Path, record: ScoreRecord) -> None:
    """Write ``record`` aside, then rename it to ``path``; raises ``OSError``."""
    document = {
        "version": _VERSION,
        "video": record.video,
        "scores": record.scores.by_name,
        "near_duplicates": list(record.near_duplicates),
        "curves": {name: list(values) for name, values in record.curves.items()},
        "fingerprint": base64.b64encode(record.fingerprint).decode(),
    }
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(document), "utf-8")
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
