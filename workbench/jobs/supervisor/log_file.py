"""The supervisor's log: one JSON object per line, rotated by size."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

__all__ = ["open_journal", "rotate"]

_LIMIT_BYTES: Final = 5 << 20
_KEPT: Final = 3
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, event, then any other fields."""

    def format(self, record: logging.LogRecord) -> str:
        words: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "pid": record.process,
            "event": record.getMessage(),
        }
        words.update((name, value) for name, value in vars(record).items() if name not in _OWN)
        if record.exc_info:
            words["traceback"] = self.formatException(record.exc_info)
        return json.dumps(words, default=str)


def open_journal(path: Path) -> None:
    """Log to ``path`` from now on, together with everything that this process prints."""
    path.touch()
    rotate(path)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def rotate(path: Path) -> None:
    """Rotate a log that has grown, keeping a few older ones.

    It is copied and truncated, not renamed: workers hold it open in append mode.
    """
    try:
        if path.stat().st_size < _LIMIT_BYTES:
            return
        for number in range(_KEPT - 1, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)
    except OSError as error:
        logging.getLogger("workbench.jobs").warning("log not rotated: %s", error)
