"""A worker that renders nothing: it acknowledges every job at once and records each wait.

Its figures go to the folder in NULL_WORKER_NOTES, one file per worker.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path

from workbench.jobs.channel import Channel
from workbench.jobs.messages import AssignDevice, Beat, Leave, Ready, Render, Rendered


def main(arguments: list[str]) -> None:
    """Serve until told to leave."""
    (descriptor,) = arguments
    channel = Channel(socket.socket(fileno=int(descriptor)))
    first = channel.receive_first()
    assert first is not None
    assert isinstance(first[0], AssignDevice)
    notes = Path(os.environ["NULL_WORKER_NOTES"], first[0].device.replace(":", "-"))
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(0.2):
            channel.offer(Beat())

    threading.Thread(target=beat, daemon=True).start()
    waits: list[float] = []
    channel.send(Ready(os.getpid()))
    asked: float | None = None
    while (messages := channel.receive(block=True)) is not None:
        for message in messages:
            if isinstance(message, Render):
                now = time.perf_counter()
                if asked is not None:
                    waits.append(now - asked)
                asked = time.perf_counter()
                channel.send(Rendered(message.job_id, message.attempt, 0.0))
        if any(isinstance(message, Leave) for message in messages):
            break
    ended.set()
    notes.write_text("\n".join(f"{wait:.6f}" for wait in waits))


if __name__ == "__main__":
    main(sys.argv[1:])
