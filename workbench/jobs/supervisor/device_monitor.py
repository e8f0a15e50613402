"""Detects added and removed devices in its own thread, as a driver call may take seconds."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Final

from workbench.jobs.devices import Nvml, Slot, plan_slots
from workbench.settings import Settings

__all__ = ["DeviceMonitor"]

_LOOK_EVERY_S: Final = 2.0


class DeviceMonitor:
    """Reports the slots whenever they change."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._nvml = Nvml()
        self._known: tuple[Slot, ...] = ()
        self._had_gpu = False
        self._news: tuple[Slot, ...] | None = None
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._look()
        threading.Thread(target=self._watch, name="devices", daemon=True).start()

    def news(self) -> tuple[Slot, ...] | None:
        """Return the slots if they changed since the last call."""
        with self._guard:
            news, self._news = self._news, None
            return news

    def stop(self) -> None:
        """Stop the thread."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY_S):
            self._look()

    def _look(self) -> None:
        slots = plan_slots(self._settings, self._nvml.gpus())
        self._had_gpu = self._had_gpu or any(slot.kind == "cuda" for slot in slots)
        if self._had_gpu:
            # Jobs of a lost GPU wait for its return rather than run on a CPU.
            slots = tuple(
                replace(slot, queues=tuple(queue for queue in slot.queues if queue != "gpu"))
                if slot.kind == "cpu"
                else slot
                for slot in slots
            )
        if slots != self._known:
            self._known = slots
            with self._guard:
                self._news = slots
