"""Installed scorers: classes that give a video one number, each run in its own process.

Found by the entry-point group ``workbench.scorers`` and by ``Settings.scorers``. Their code is
imported only by :mod:`workbench.measures.scorer_process`, under a time limit.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import selectors
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from workbench.errors import ScorerError
from workbench.helper_main import PARENT
from workbench.helper_processes import WORKING_FOLDER, helper_command, helper_environment
from workbench.measures.scores import LOWER_IS_BETTER, SCORE_NAMES
from workbench.settings import Settings

__all__ = [
    "ENTRY_POINT_GROUP",
    "ScorerProcess",
    "VideoScorer",
    "better_when_lower",
    "note_directions",
    "score_names",
    "scorer_targets",
]

ENTRY_POINT_GROUP: Final = "workbench.scorers"
"""The entry-point group of scorers: ``name = "module:Class"``."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_ANSWER: Final = 65_536
_LOG = logging.getLogger("workbench.measures.scorers")


class VideoScorer(Protocol):
    """The class that an entry point names; it is created without arguments."""

    name: str
    """The score's name: small letters, digits and underscores."""
    range: tuple[float, float]
    """The lowest and the highest value that :meth:`score` returns; may be infinite."""
    direction: Literal["higher", "lower"]
    """Which values are better."""

    def score(self, video: Path, recipe: Mapping[str, Any]) -> float:
        """Return the score of ``video`` (an mp4), made from ``recipe`` (its recipe.json)."""
        ...


def scorer_targets(settings: Settings) -> dict[str, str]:
    """Return every scorer's ``module:Class`` by name; invalid and taken names are skipped."""
    installed = {entry.name: entry.value for entry in entry_points(group=ENTRY_POINT_GROUP)}
    named = {**installed, **settings.scorers}
    usable = {n: t for n, t in named.items() if _NAME.fullmatch(n) and n not in SCORE_NAMES}
    if refused := sorted(named.keys() - usable.keys()):
        _LOG.warning("scorers without a name of their own", extra={"names": refused})
    return usable


def score_names(settings: Settings) -> tuple[str, ...]:
    """Return all score names: the workbench's own and those of installed scorers."""
    return (*SCORE_NAMES, *scorer_targets(settings))


def better_when_lower(settings: Settings) -> frozenset[str]:
    """Return the names of the scores for which lower is better, as far as known."""
    told = _told_directions(settings)
    return LOWER_IS_BETTER | {name for name, is_lower in told.items() if is_lower is True}


def note_directions(settings: Settings, told: Mapping[str, bool]) -> None:
    """Store the directions of scorers for every process; raises ``OSError``."""
    known = _told_directions(settings)
    if known == (told := {**known, **told}):
        return
    path = _directions(settings)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(dict(told)), "utf-8")
    aside.replace(path)


def _told_directions(settings: Settings) -> dict[str, Any]:
    try:
        told = json.loads(_directions(settings).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _directions(settings: Settings) -> Path:
    return settings.index_path.parent / "scorers.json"


class ScorerProcess:
    """One scorer in its process, which starts on the first video and stays for the next."""

    def __init__(self, name: str, target: str, *, timeout_s: float) -> None:
        self.name = name
        self._target = target
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self.is_lower_better: bool | None = None
        """Which values are better; None until it has scored a video."""

    @property
    def pid(self) -> int | None:
        """The process id; None while none runs."""
        return self._process.pid if self._process else None

    def score(self, video: Path, recipe: Mapping[str, Any]) -> float:
        """Return the score of ``video``.

        Raises ``ScorerError`` if it fails, returns nothing usable, or takes longer than the limit,
        start included; the process is then ended.
        """
        try:
            answer = self._answer({"video": str(video), "recipe": dict(recipe)})
            value, low, high = (float(answer[key]) for key in ("score", "low", "high"))
            self.is_lower_better = answer["direction"] == "lower"
        except ScorerError:
            self.close()
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.close()
            raise ScorerError(f"The scorer {self.name!r} gave no usable answer.") from error
        if not math.isfinite(value) or not low <= value <= high:
            raise ScorerError(
                f"The scorer {self.name!r} answered {value:g}, outside its range {low:g} to {high:g}."
            )
        return value

    def close(self) -> None:
        """End the process, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)  # its child processes end with it
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + self._timeout_s
        process = self._process or self._start()
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(json.dumps(question).encode() + b"\n")
        process.stdin.flush()
        line = self._read_line(process.stdout.fileno(), deadline)
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise ScorerError(f"The scorer {self.name!r} gave no usable answer.")
        if told := answer.get("error"):
            raise ScorerError(f"The scorer {self.name!r} failed: {str(told)[:500]}")
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        command = helper_command("workbench.measures.scorer_process", self._target)
        command.insert(command.index("workbench.measures.scorer_process"), f"{PARENT}{os.getpid()}")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd=WORKING_FOLDER,
            env=helper_environment(),
        )
        return self._process

    def _read_line(self, descriptor: int, deadline: float) -> bytes:
        found = b""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while not found.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ScorerError(
                        f"The scorer {self.name!r} took longer than {self._timeout_s:g} s."
                    )
                piece = os.read(descriptor, 4_096)
                found += piece
                if not piece or len(found) > _LONGEST_ANSWER:
                    raise ScorerError(f"The scorer {self.name!r} ended without an answer.")
        return found
