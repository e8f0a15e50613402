"""A bridge without a cluster; the variable FAKE_BRIDGE selects its behaviour."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from workbench.jobs.channel import Channel
from workbench.jobs.cluster.status import Member, RemoteSlot
from workbench.jobs.devices import Slot
from workbench.jobs.messages import (
    Addressed,
    Cancel,
    ClusterLost,
    ClusterSeen,
    Leave,
    LineMessage,
    Ready,
    StartWorker,
)

MUCH = 20_000
SLOT = Slot("node-1/cuda:0", "cuda", None, 0, "", ("gpu",), "node-1")


def main(arguments: list[str]) -> None:
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    manner = os.environ["FAKE_BRIDGE"]
    if manner == "hangs":
        time.sleep(1_000)
    if manner == "fails":
        channel.send(ClusterLost("nothing answers at 10.0.0.1:6379"))
        return
    channel.send(Ready(os.getpid()))
    member = Member("id", "node-1", "10.0.0.2", 1.0, 1.0)
    channel.send(ClusterSeen((member,), (RemoteSlot(SLOT, "id"),)))
    if manner == "is busy":
        _say_much_and_read_late(channel)
    while (messages := channel.receive(block=True)) is not None:
        for message in messages:
            match message:
                case Addressed(message=StartWorker()):
                    _say(channel, message, 1)
                    if manner == "dies":
                        os._exit(3)
                case Leave():
                    return


def _say(channel: Channel, opened: LineMessage, number: int) -> None:
    assert isinstance(opened, Addressed)
    channel.send(Addressed(opened.slot_name, opened.serial, Ready(number)))


def _say_much_and_read_late(channel: Channel) -> None:
    """Send more than the pipe holds before reading, as a bridge under load does."""
    messages = channel.receive(block=True) or []
    opened = messages.pop(0)
    while not Path(os.environ["FAKE_BRIDGE_READS"]).exists():
        time.sleep(0.01)  # meanwhile more is sent to it than the pipe holds
    for number in range(MUCH):
        _say(channel, opened, number)
    while sum(_is_cancel(message) for message in messages) < MUCH:
        messages += channel.receive(block=True) or []
    _say(channel, opened, -1)


def _is_cancel(message: LineMessage) -> bool:
    return isinstance(message, Addressed) and isinstance(message.message, Cancel)


if __name__ == "__main__":
    main(sys.argv[1:])
