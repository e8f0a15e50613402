"""A bridge to no cluster at all, which does as the variable FAKE_BRIDGE says."""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import asdict

from workbench.jobs.cluster.messages import (
    BridgeWire,
    Heard,
    Joined,
    Open,
    Quit,
    Say,
    Seen,
    Trouble,
)
from workbench.jobs.cluster.status import Member, RemoteSlot
from workbench.jobs.devices import Slot
from workbench.jobs.messages import Ready, to_json

MUCH = 20_000
SLOT = Slot("node-1/cuda:0", "cuda", None, 0, "", ("gpu",), "node-1")


def main(arguments: list[str]) -> None:
    wire = BridgeWire(socket.socket(fileno=int(arguments[0])))
    manner = os.environ["FAKE_BRIDGE"]
    if manner == "hangs":
        time.sleep(1_000)
    if manner == "fails":
        wire.send(Trouble("nobody answers at 10.0.0.1:6379"))
        return
    wire.send(Joined())
    member = Member("id", "node-1", "10.0.0.2", 1.0, 1.0)
    wire.send(Seen([asdict(member)], [asdict(RemoteSlot(SLOT, "id"))]))
    if manner == "is busy":
        _say_much_and_read_late(wire)
    while (words := wire.receive(block=True)) is not None:
        for word in words:
            if isinstance(word, Open):
                wire.send(Heard(word.slot_name, word.serial, to_json(Ready(1))))
                if manner == "dies":
                    os._exit(3)
            if isinstance(word, Quit):
                return


def _say_much_and_read_late(wire: BridgeWire) -> None:
    """Say more than the line holds before reading what is said, as a bridge under load does."""
    words = wire.receive(block=True) or []
    opened = words.pop(0)
    assert isinstance(opened, Open)
    time.sleep(3)  # meanwhile more is said to it than the line holds
    for number in range(MUCH):
        wire.send(Heard(opened.slot_name, opened.serial, to_json(Ready(number))))
    while sum(isinstance(word, Say) for word in words) < MUCH:
        words += wire.receive(block=True) or []
    wire.send(Heard(opened.slot_name, opened.serial, to_json(Ready(-1))))


if __name__ == "__main__":
    main(sys.argv[1:])
