"""What the workbench adds to a plain JupyterLab: time until its page is usable, memory at rest, listings.

Run with ``python -m benchmarks.footprint``. The two servers start in turns on the same machine, each
with folders of its own; the browser's own memory does not count.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
import psutil
from playwright.sync_api import Browser, expect, sync_playwright

from benchmarks.report import Figure, print_report
from tests.browser.screen import LOAD_MS, Screen
from tests.chromium import ARGUMENTS, find_chromium
from tests.live_server import TOKEN, LiveServer, free_port

__all__ = ["main"]

_ROUNDS: Final = 3
_RESTS_S: Final = 150
"""Longer than an idle supervisor stays."""
_JOBS: Final = 10_000
_MIB: Final = 1 << 20
_NOTEBOOK: Final = json.dumps(
    {
        "cells": [
            {
                "cell_type": "code", "id": "sum", "execution_count": None, "metadata": {},
                "outputs": [], "source": "1 + 1",
            }
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
)  # fmt: skip
_PLAIN: Final = (
    "--ServerApp.jpserver_extensions={'jupyterlab': True, 'server_extension': False, "
    "'voila.server_extension': False, 'world_model_workbench': False}"
)


def main() -> None:
    """Print the figures beside their targets."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("There is no Chromium; `make chromium` installs one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        print_report("footprint", [*_beside_plain_lab(browser), *_listing()])
        browser.close()


def _beside_plain_lab(browser: Browser) -> Iterator[Figure]:
    """Time until the page is usable, and memory at rest with the page open."""
    plain: list[float] = []
    ours: list[float] = []
    for number in range(_ROUNDS):
        last = number == _ROUNDS - 1
        with _folder() as folder:
            spent_s, plain_mib = _plain_lab(browser, folder, rests_s=_RESTS_S if last else 0)
            plain.append(spent_s)
        with _folder() as folder:
            spent_s, sizes = _workbench(browser, folder, rests_s=_RESTS_S if last else 0)
            ours.append(spent_s)
    yield Figure(
        "plain JupyterLab: command → a notebook with its kernel", statistics.median(plain), "s"
    )
    yield Figure(
        "workbench: command → its first step can be typed into", statistics.median(ours), "s"
    )
    ratio = statistics.median(one / other for one, other in zip(ours, plain, strict=True))
    yield Figure("– one over the other, median of pairs", ratio, "×", 1.25)
    yield Figure("plain JupyterLab at rest, its page open (PSS)", plain_mib, "MiB")
    yield Figure("workbench at rest, its page open, a video rendered (PSS)", sum(sizes), "MiB", 260)
    yield Figure("– processes", len(sizes), "")


def _plain_lab(browser: Browser, folder: Path, *, rests_s: float) -> tuple[float, float]:
    root = folder / "root"
    root.mkdir()
    (root / "plain.ipynb").write_text(_NOTEBOOK, "utf-8")
    port = free_port()
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    options = [
        "--no-browser", "--allow-root", _PLAIN, f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={root}", "--LanguageServerManager.autodetect=False",
    ]  # fmt: skip
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log
        )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={TOKEN}")
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/lab/tree/plain.ipynb?token={TOKEN}", timeout=LOAD_MS)
        idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        expect(idle).to_be_attached(timeout=LOAD_MS)
        spent_s = time.monotonic() - began
        time.sleep(rests_s)
        process = psutil.Process(server.pid)
        sizes = [_pss_mib(one) for one in (process, *process.children(recursive=True))]
        return spent_s, sum(sizes)
    finally:
        context.close()
        _kill(psutil.Process(server.pid))


def _workbench(browser: Browser, folder: Path, *, rests_s: float) -> tuple[float, list[float]]:
    outputs = folder / "outputs"
    began = time.monotonic()
    with LiveServer(outputs) as server:
        screen = Screen(browser, server)
        try:
            screen.open_lab()
            expect(screen.step.get_by_label("Your idea")).to_be_editable(timeout=LOAD_MS)
            spent_s = time.monotonic() - began
            if not rests_s:
                return spent_s, []
            screen.enhance("dog running")
            screen.wait_for_videos(1)
            time.sleep(rests_s)
            return spent_s, [_pss_mib(one) for one in _processes_of(outputs)]
        finally:
            screen.close()


def _listing() -> Iterator[Figure]:
    """What JupyterLab's file browser asks for, beside a folder of many jobs."""
    with _folder() as folder:
        outputs = folder / "root" / "outputs"
        for number in range(_JOBS):
            job = outputs / f"j_{number:026d}"
            job.mkdir(parents=True)
            (job / "video.mp4").touch()
        with _server_over(outputs, folder) as server:
            process = psutil.Process(server.process.pid) if server.process else psutil.Process()
            used = process.cpu_times()
            began = time.monotonic()
            names = [one["name"] for one in server.get("/api/contents").json()["content"]]
            spent_s = time.monotonic() - began
            now = process.cpu_times()
    assert "outputs" not in names
    yield Figure(f"the file browser lists the folder above {_JOBS:,} jobs", spent_s, "s", 2)
    cost_s = now.user + now.system - used.user - used.system
    yield Figure("– CPU time of the server", cost_s, "s")


@contextmanager
def _server_over(outputs: Path, folder: Path) -> Iterator[LiveServer]:
    server = LiveServer(outputs)
    server.root = folder / "root"
    (server.root / "notebooks").mkdir()
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="workbench-footprint-") as folder:
        yield Path(folder)


def _wait_for(url: str) -> None:
    limit = time.monotonic() + 120
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < limit:
            with suppress(httpx.TransportError):
                if client.get(url).status_code == httpx.codes.OK:
                    return
            time.sleep(0.05)
    raise TimeoutError(url)


def _kill(server: psutil.Process) -> None:
    everything = [server, *server.children(recursive=True)]
    for process in everything:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(everything, timeout=60)


def _processes_of(outputs: Path) -> list[psutil.Process]:
    """Every process that works for this folder: its supervisor and workers leave the server's tree."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("WORKBENCH_OUTPUTS") == str(outputs):
                found.append(process)
    return found


def _pss_mib(process: psutil.Process) -> float:
    """Return the process's share of the memory, in MiB; 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text("utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / _MIB
    return 0.0


if __name__ == "__main__":
    main()
