"""The downloads of this process, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from workbench.errors import WorkbenchError

__all__ = ["Download", "Downloads", "OnProgress"]

OnProgress = Callable[[int, int], object]
"""Called with the bytes fetched so far and the total."""

Fetch = Callable[[str, OnProgress], object]
"""Fetches a model by its name, reporting progress."""


@dataclass(frozen=True, slots=True)
class Download:
    """The progress of one model's download."""

    bytes_here: int = 0
    total_bytes: int = 0
    """0 while unknown."""
    is_done: bool = False
    problem: str = ""
    """Why it failed, and what to do; empty unless it has."""


class Downloads:
    """Fetches models in threads with ``fetch``; each name once at a time."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, Download] = {}
        self._guard = threading.Lock()

    def start(self, name: str) -> None:
        """Start to fetch ``name``.

        A running download continues; a failed one resumes where it stopped.
        """
        with self._guard:
            known = self._known.get(name)
            if known is not None and not known.is_done and not known.problem:
                return
            self._known[name] = Download()
        threading.Thread(
            target=self._run, args=(name,), name="workbench-download", daemon=True
        ).start()

    @property
    def known(self) -> Mapping[str, Download]:
        """The downloads started so far, by name."""
        with self._guard:
            return dict(self._known)

    def _run(self, name: str) -> None:
        def on_progress(here: int, whole: int) -> None:
            self._note(name, bytes_here=here, total_bytes=whole)

        try:
            self._fetch(name, on_progress)
        except WorkbenchError as error:
            self._note(name, problem=str(error))
        else:
            self._note(name, is_done=True)

    def _note(self, name: str, **values: object) -> None:
        with self._guard:
            self._known[name] = replace(self._known[name], **values)  # type: ignore[arg-type]
