"""What is being fetched in this process, each beside all other work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from workbench.errors import WorkbenchError

__all__ = ["Download", "Downloads", "OnProgress"]

OnProgress = Callable[[int, int], object]
"""Called with the bytes that are here and those of the whole."""

Fetch = Callable[[str, OnProgress], object]
"""Fetches a model by its name, telling how far it is."""


@dataclass(frozen=True, slots=True)
class Download:
    """How far the download of one model is."""

    bytes_here: int = 0
    total_bytes: int = 0
    """0 while it is not known."""
    is_done: bool = False
    problem: str = ""
    """Why it ended without the model, and what to do; empty while there is none."""


class Downloads:
    """Fetches models in threads with ``fetch``; each name once at a time."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, Download] = {}
        self._guard = threading.Lock()

    def start(self, name: str) -> None:
        """Begin to fetch ``name``.

        A download under way goes on; one that failed begins again where it stopped.
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
        """What was begun, by name."""
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
