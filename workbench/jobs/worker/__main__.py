"""A worker: one process on one device that keeps its engine loaded between jobs.

Started by the supervisor as ``python -m workbench.jobs.worker DESCRIPTOR``, possibly ahead of need;
the first message assigns its device. Reports everything over the channel; does not know the index.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import sys
import threading
from typing import Final

from workbench.engines.engine import Engine
from workbench.engines.registry import create_engine
from workbench.jobs.channel import Channel
from workbench.jobs.messages import (
    AssignDevice,
    Beat,
    Cancel,
    Decoded,
    Failed,
    LineMessage,
    Ready,
    Render,
)
from workbench.jobs.worker.attempt import AttemptRoom
from workbench.jobs.worker.finishing import Finish, Finishing
from workbench.jobs.worker.reports import Reports
from workbench.rendering import Progress, RenderRequest
from workbench.settings import Settings

__all__ = ["Worker"]

_WARM_UP_ENGINE: Final = "animatic"
_LOG = logging.getLogger("workbench.jobs.worker")


class Worker:
    """Serves one supervisor: one thread reads messages, one sends beats, the main one renders."""

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._device = "cpu"
        self._channel = channel
        self._settings = settings
        self._orders: queue.SimpleQueue[LineMessage] = queue.SimpleQueue()
        self._current: tuple[str, int] | None = None
        self._cancelled = threading.Event()
        self._engines: dict[str, Engine] = {}
        self._ended = threading.Event()
        self._finishing = Finishing(channel.send)
        self._reports = Reports(channel)

    def serve(self) -> None:
        """Render until the supervisor ends or asks to leave."""
        self._warm_up()
        self._await_device()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        threading.Thread(target=self._hear, name="hear", daemon=True).start()
        self._channel.send(Ready(os.getpid()))
        while isinstance(order := self._orders.get(), Render):
            ended = self._render(order)
            if isinstance(ended, Failed):
                self._reports.drop()
                self._channel.send(ended)
            else:
                self._finish_beside(order, ended)
        self._finishing.await_all()
        self._ended.set()
        for engine in self._engines.values():
            engine.unload()

    def _await_device(self) -> None:
        """Wait for the device, before any library looks for one.

        The device's lease arrives as an open file, and ends with this process.
        """
        first = self._channel.receive_first()
        slot_name = first[0] if first else None
        if not isinstance(slot_name, AssignDevice):
            os._exit(1)
        os.environ.update(slot_name.environment)
        self._device = (
            "cpu" if slot_name.device.startswith("cpu") else "cuda:0"
        )  # only one device is visible

    def _hear(self) -> None:
        while (messages := self._channel.receive(block=True)) is not None:
            for message in messages:
                if isinstance(message, Cancel):
                    if (message.job_id, message.attempt) == self._current:
                        self._cancelled.set()
                else:
                    if isinstance(message, Render):
                        self._cancelled.clear()
                        self._current = message.job_id, message.attempt
                    self._orders.put(message)
        os._exit(1)  # the supervisor is gone, so nothing could be published

    def _beat(self) -> None:
        while not self._ended.wait(self._settings.heartbeat_s):
            self._reports.flush()
            self._channel.offer(Beat())

    def _finish_beside(self, order: Render, finish: Finish) -> None:
        """Write the files in the background while the device takes the next job."""
        if finish.encodes:
            self._reports.flush()
        else:
            self._reports.drop()
        self._finishing.await_room(finish)
        self._channel.send(Decoded(order.job_id, order.attempt))
        self._finishing.begin(finish)

    def _render(self, order: Render) -> Failed | Finish:
        room = AttemptRoom(order, self._reports, self._cancelled.is_set, self._device)
        return room.render(self._engine)

    def _engine(self, name: str) -> Engine:
        if name not in self._engines:
            for engine in self._engines.values():
                engine.unload()  # only one loaded model per device
            self._engines.clear()
            self._engines[name] = create_engine(name, self._settings)
        return self._engines[name]

    def _warm_up(self) -> None:
        """Load what the first animatic needs ahead of time.

        On every device, since each engine draws and encodes.
        """
        try:
            engine = self._engine(_WARM_UP_ENGINE)
            request = engine.complete(RenderRequest(prompt="warm up", engine=_WARM_UP_ENGINE))
            engine.load(request, self._device, _ignore)
        except Exception:  # noqa: BLE001  reported by the first job
            self._engines.clear()
            _LOG.exception("cannot warm up")


def _ignore(_: Progress) -> None:
    pass


def main(arguments: list[str]) -> None:
    """Serve the supervisor that ``arguments`` name."""
    (descriptor,) = arguments
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    channel = Channel(socket.socket(fileno=int(descriptor)))
    Worker(channel, Settings()).serve()
    sys.stdout.flush()
    os._exit(0)  # a library's thread must not hold the device


if __name__ == "__main__":
    main(sys.argv[1:])
