"""A bridge to no cluster at all, which does as the variable FAKE_BRIDGE says."""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import asdict

from workbench.jobs.cluster.messages import BridgeWire, Heard, Joined, Open, Quit, Seen, Trouble
from workbench.jobs.cluster.standing import Berth, Member
from workbench.jobs.devices import Slot
from workbench.jobs.messages import Ready, to_json

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
    wire.send(Seen([asdict(member)], [asdict(Berth(SLOT, "id"))]))
    while (words := wire.receive(block=True)) is not None:
        for word in words:
            if isinstance(word, Open):
                wire.send(Heard(word.seat, word.serial, to_json(Ready(1))))
                if manner == "dies":
                    os._exit(3)
            if isinstance(word, Quit):
                return


if __name__ == "__main__":
    main(sys.argv[1:])
