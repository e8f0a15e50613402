"""A real Jupyter server with the workbench in its own process."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "a-token-for-tests"
_START_LIMIT_S = 600.0
PATIENCE_S = 300.0
"""A busy machine is normal: no test waits for less."""
_PLAIN_HTTP = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that need no certificates: reading them all takes longer than most requests."""


def free_port() -> int:
    """Return a free port below those that the system gives to connections meanwhile."""
    while True:
        port = random.SystemRandom().randint(15_000, 32_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class LiveServer:
    """One server over one outputs/ folder; leaving the context ends all its processes."""

    def __init__(self, outputs: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.outputs = outputs
        self.port = free_port()
        self.base_url = "/"
        self.token = TOKEN
        self._environment = {
            **os.environ,
            "WORKBENCH_OUTPUTS": str(outputs),
            "WORKBENCH_SPARE_WORKERS": "0",  # a second each, for the test of lost workers alone
            "JUPYTER_PORT": str(self.port),
            "JUPYTER_TOKEN": TOKEN,
            # default JupyterLab settings instead of the developer's own
            "JUPYTERLAB_SETTINGS_DIR": str(outputs.parent / "lab-settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(outputs.parent / "lab-workspaces"),
            # and none of their keys
            "XDG_CONFIG_HOME": str(outputs.parent / "config"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.log = outputs.parent / f"server-{self.port}.log"
        self.root = outputs.parent / "root"

    @property
    def url(self) -> str:
        """The server's address without a trailing slash."""
        return f"http://127.0.0.1:{self.port}{self.base_url.rstrip('/')}"

    def start(self, *arguments: str) -> Self:
        """Start the server and wait until it answers.

        It serves copies of the notebooks because JupyterLab saves after a run.
        """
        if not self.root.exists():
            shutil.copytree(ROOT / "notebooks", self.root / "notebooks")
        launch = [sys.executable, "-m", "server_extension.launch", "--no-browser"]
        options = [
            f"--ServerApp.root_dir={self.root}",
            "--LanguageServerManager.autodetect=False",  # it asks npm, for what no test uses
        ]
        command = [*launch, *options, *arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        limit = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < limit:
            assert self.process.poll() is None, self.log.read_text("utf-8")
            try:
                if self.get("/api/workbench/health").status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise TimeoutError(self.log.read_text("utf-8"))

    def clear_root(self) -> None:
        """Close all notebooks and dashboards, and restore the unexecuted copies.

        JupyterLab forgets which tabs were open, such as the workbench's own.
        """
        for session in self.get("/api/sessions").json():
            self.request("DELETE", f"/api/sessions/{session['id']}").raise_for_status()
        for kernel in self.get("/api/kernels").json():  # a dashboard's, which has no session
            gone = self.request("DELETE", f"/api/kernels/{kernel['id']}")
            assert gone.status_code in {204, 404}, gone.text  # it may have left by itself
        shutil.rmtree(self._environment["JUPYTERLAB_WORKSPACES_DIR"], ignore_errors=True)
        shutil.copytree(ROOT / "notebooks", self.root / "notebooks", dirs_exist_ok=True)

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """GET with the token."""
        return self.request("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> httpx.Response:
        """POST ``body`` as JSON with the token."""
        return self.request("POST", path, json={} if body is None else body, **kwargs)

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send one request with the token."""
        headers = {"Authorization": f"token {self.token}", **kwargs.pop("headers", {})}
        with httpx.Client(timeout=PATIENCE_S, trust_env=False, verify=_PLAIN_HTTP) as client:
            return client.request(method, self.url + path, headers=headers, **kwargs)

    def wait_for_batch(self, batch_id: str, *, limit_s: float = PATIENCE_S) -> dict[str, Any]:
        """Poll until the batch has ended, as a plain page does."""
        return self._wait(f"/api/video/batch_status/{batch_id}", limit_s)

    def wait_for_job(self, job_id: str, *, limit_s: float = PATIENCE_S) -> dict[str, Any]:
        """Poll until the job has ended, as a plain page does."""
        return self._wait(f"/api/video/status/{job_id}", limit_s)

    def wait_for_scores(self, job_id: str, *, limit_s: float = PATIENCE_S) -> httpx.Response:
        """Wait until a job has its scores, its last change; return its status."""
        self.wait_for_job(job_id, limit_s=limit_s)
        limit = time.monotonic() + limit_s
        while not (answer := self.get(f"/api/video/status/{job_id}")).json()["scores"]:
            assert time.monotonic() < limit, answer.text
            time.sleep(0.05)
        return answer

    def _wait(self, path: str, limit_s: float) -> dict[str, Any]:
        began = time.monotonic()
        while (waited_s := time.monotonic() - began) < limit_s:
            found: dict[str, Any] = self.get(path).raise_for_status().json()
            if found["status"] in {"complete", "partial", "failed"}:
                return found
            # To ask costs as much as a small render: the longer it takes, the less often.
            time.sleep(min(max(0.05, waited_s / 20), 0.25))
        raise TimeoutError(f"{path} did not end within {limit_s} s: {found}")

    def supervisor_pid(self) -> int | None:
        """Return the pid of the supervisor of this outputs/ folder."""
        told = self.get("/api/workbench/health").json()["supervisor"]
        return told["pid"] if told else None

    def kill(self) -> None:
        """Kill the server, as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Stop the server and then its supervisor."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        end_supervisor(self.outputs)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()  # nobody else will
            raise

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def end_supervisor(outputs: Path) -> None:
    """End the supervisor of ``outputs`` and wait until it and its workers have ended."""
    from workbench.jobs.client.manager import JobManager
    from workbench.settings import Settings

    manager = JobManager(Settings(outputs=outputs))
    limit = time.monotonic() + PATIENCE_S
    while (status := manager.supervisor()) is None and _is_starting(outputs):
        assert time.monotonic() < limit, "a supervisor holds the lock and says nothing"
        time.sleep(0.05)
    manager.close()
    if status is None or not psutil.pid_exists(status.pid):
        return
    process = psutil.Process(status.pid)
    workers = process.children(recursive=True)
    process.terminate()
    psutil.wait_procs([process], timeout=PATIENCE_S)
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
    assert not alive, f"workers outlived their supervisor: {alive}"


def _is_starting(outputs: Path) -> bool:
    """Return whether the supervisor's lock is held."""
    from workbench.jobs.locking import take_lock
    from workbench.jobs.paths import JobPaths

    try:
        descriptor = take_lock(JobPaths(outputs).lock)
    except FileNotFoundError:
        return False
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
