"""Stores pairwise preferences in a file beside the batch. Jobs hold stars and notes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.errors import InvalidRequest

__all__ = ["Preference", "add_preference", "preferences"]


@dataclass(frozen=True, slots=True)
class Preference:
    """One answer to "which of the two is better": job ids."""

    better: str
    worse: str
    at: datetime
    is_tie: bool = False
    """Whether neither is better."""


def add_preference(
    path: Path, better: str, worse: str, among: Sequence[str], *, is_tie: bool = False
) -> Preference:
    """Record in the file at ``path`` that ``better`` is preferred to ``worse``, or a tie.

    Raises ``InvalidRequest`` unless the two are different and both ``among`` its jobs.
    """
    if better == worse or better not in among or worse not in among:
        raise InvalidRequest("A preference is between two different videos of the batch.")
    said = Preference(better, worse, datetime.now(UTC), is_tie)
    line = {"better": better, "worse": worse, "at": said.at.isoformat()}
    _append(path, {**line, "tie": True} if is_tie else line)
    return said


def preferences(path: Path) -> tuple[Preference, ...]:
    """Return the preferences in the file at ``path``, oldest first."""
    return tuple(
        Preference(
            line["better"],
            line["worse"],
            datetime.fromisoformat(line["at"]),
            line.get("tie") is True,
        )
        for line in _lines(path)
    )


def _append(path: Path, line: dict[str, Any]) -> None:
    """Append one line in one write, so that concurrent writers do not mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    found = []
    for line in text.split("\n"):  # not splitlines: texts may contain U+2028
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # a partial line, after a power failure
    return found
