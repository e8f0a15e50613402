"""Worker processes without a device: started ahead, so that a lost worker is replaced at once.

A spare worker imports what any render needs, then waits for its slot. This module is light to
import, because the first spare starts before the supervisor is ready. Knows neither devices nor
jobs.
"""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from typing import Final

from workbench.helper_processes import start_helper

__all__ = ["WORKER_MODULE", "SpareWorker", "prestart"]

WORKER_MODULE: Final = "workbench.jobs.worker"


@dataclass(slots=True)
class SpareWorker:
    """One process and our end of its socket."""

    process: subprocess.Popen[bytes]
    line: socket.socket

    @property
    def alive(self) -> bool:
        """Whether it is running; reaps one that has ended."""
        return self.process.poll() is None

    def dismiss(self) -> None:
        """Kill it; without a slot it has no work."""
        self.process.kill()
        self.process.wait()
        self.line.close()


def prestart(module: str = WORKER_MODULE) -> SpareWorker:
    """Start a worker without a slot; raises ``OSError``.

    It sees no GPU until it is assigned one.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = start_helper(
                module,
                [str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                environment={"CUDA_VISIBLE_DEVICES": ""},
            )
        except OSError:
            ours.close()
            raise
    return SpareWorker(process, ours)
