"""A test client that plays the browser's side of a widget."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import workbench

__all__ = ["Talk"]


class Talk:
    """The browser's side of one widget: sends messages and waits for the answers."""

    def __init__(self, bench: workbench.Workbench) -> None:
        self.bench = bench
        self.told: list[dict[str, Any]] = []
        bench.send = lambda content, buffers=None: self.told.append({**content, "buffers": buffers})

    def ask(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Send a message as the page does and return the kernel's answer."""
        identifier = f"ask-{len(self.told)}-{name}"
        self.bench._handle_custom_msg({"id": identifier, "do": name, "with": arguments}, [])
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            for content in self.told:
                if content["kind"] == "answer" and content["id"] == identifier:
                    return content
            time.sleep(0.005)
        raise TimeoutError(name)

    def wait_until(self, holds: Callable[[], object]) -> None:
        """Wait until ``holds`` is true of the state shown by the page."""
        limit = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < limit, self.bench.jobs_state
            time.sleep(0.02)

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The renders that the page shows, oldest first."""
        found: list[dict[str, Any]] = sorted(
            self.bench.jobs_state.values(), key=lambda job: (job["created_at"], job["position"])
        )
        return found

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The prompts that the page shows."""
        found: list[dict[str, Any]] = self.bench.session_state["entries"]
        return found
