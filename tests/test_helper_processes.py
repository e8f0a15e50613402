"""Helper processes end with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.jobs.shop import PATIENCE_S, alive
from tests.live_server import ROOT

STARTER = """
import sys, time
from workbench.helper_processes import start_helper
helper = start_helper("tests.waiting_helper", [], output=sys.stdout)
print(helper.pid, flush=True)
time.sleep(1_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it goes on")
def test_a_stopped_helper_ends_with_the_process_that_started_it() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert starter.stdout is not None
    said = {starter.stdout.readline().strip(), starter.stdout.readline().strip()}
    (pid,) = said - {b"waiting"}
    helper = psutil.Process(int(pid))
    try:
        os.kill(helper.pid, signal.SIGSTOP)
        starter.kill()
        limit = time.monotonic() + PATIENCE_S
        while alive(helper):
            assert time.monotonic() < limit
            time.sleep(0.01)
    finally:
        if alive(helper):
            helper.kill()
        starter.communicate()
