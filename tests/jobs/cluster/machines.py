"""A real Ray cluster of several nodes on this machine, with GPUs that are only declared.

Runs as a separate process so that the test process never loads Ray.
One command a line: ``add GPUS CPUS NAME…``, ``kill NAME``, ``apart NAME``, ``silence NAME``; each is answered by a line of
JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil

ROOT = Path(__file__).resolve().parents[3]
_STORE_BYTES = 90 << 20
_SPACE, _LINK, _NET = "workbench-test", "wbtest0", "10.77.77"
"""The network of a node that stands apart."""
ENVIRONMENT = {
    "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent / 'site'}",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_AUTH_MODE": "disabled",  # ignore a token this user may have
    "RAY_worker_niceness": "0",  # same priority as everything else on this machine
    "RAY_enable_metrics_collection": "0",
    "RAY_prestart_worker_first_driver": "0",  # idle workers, a second each, for every bridge
}


class Machines:
    """The nodes of one cluster; leaving the context ends all their processes."""

    def __init__(self, hidden: Path | None = None) -> None:
        """Start the head; where permitted, ``hidden`` is invisible to it and every node."""
        self.blind = hidden is not None and _may_hide()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
        self._process = subprocess.Popen(
            [*(_hide(hidden) if self.blind else []), sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**environment, **ENVIRONMENT},
            text=True,
            start_new_session=True,
        )
        self._seen: dict[int, psutil.Process] = {}
        answer = self._answer()
        self.address = str(answer["address"])
        self.client_address = str(answer["client"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def add(self, *names: str, gpus: int = 1, cpus: int = 1) -> None:
        """Start nodes and wait until they have joined."""
        self._ask("add", gpus, cpus, *names)

    def kill(self, name: str) -> None:
        """Kill a node with all its processes, as a power loss does."""
        self._ask("kill", name)

    def add_apart(self, name: str) -> bool:
        """Start a node with its own network and shared memory, where permitted.

        Returns whether it has them; otherwise it is an ordinary node.
        """
        return bool(self._ask("apart", name)["apart"])

    def silence(self, name: str) -> None:
        """Cut a node off by its network link, or by stopping all its processes."""
        self._ask("silence", name)

    def actors(self, kind: str = "WorkerActor") -> list[psutil.Process]:
        """Return the running actor processes on all nodes."""
        self._note()
        return [one for one in self._seen.values() if _title(one).startswith(f"ray::{kind}")]

    def close(self) -> None:
        """End every process of the cluster."""
        self._note()
        assert self._process.stdin
        assert self._process.stdout
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(120)
        for process in self._seen.values():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def _note(self) -> None:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                self._seen[process.pid] = process

    def _ask(self, *words: object) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        self._note()
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError("the cluster's process has ended")


def _may_hide() -> bool:
    """Return whether this user may create mount namespaces."""
    return (
        shutil.which("unshare") is not None
        and not subprocess.run(
            ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
            capture_output=True,
            check=False,
        ).returncode
    )


def _separate(name: str, address: str) -> subprocess.Popen[bytes] | None:
    """Start a node in a network namespace; None where this user may not create one."""
    _join_again()
    try:
        for command in (
            f"ip netns add {_SPACE}",
            f"ip link add {_LINK} type veth peer name {_LINK}p netns {_SPACE}",
            f"ip addr add {_NET}.1/24 dev {_LINK}",
            f"ip link set {_LINK} up",
            f"ip -n {_SPACE} addr add {_NET}.2/24 dev {_LINK}p",
            f"ip -n {_SPACE} link set {_LINK}p up",
            f"ip -n {_SPACE} link set lo up",
            f"ip -n {_SPACE} route add default via {_NET}.1",
            "unshare --mount mount -t tmpfs none /dev/shm",
        ):
            subprocess.run(command.split(), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    own = "mkdir -p /tmp/ray && mount -t tmpfs none /tmp/ray && mount -t tmpfs none /dev/shm"
    start = [str(Path(sys.executable).parent / "ray"), "start", f"--address={address}", "--block"]
    start += [f"--node-ip-address={_NET}.2", f"--node-name={name}", "--num-gpus=1"]
    start += ["--num-cpus=1", f"--object-store-memory={_STORE_BYTES}", "--disable-usage-stats"]
    inside = ["ip", "netns", "exec", _SPACE, "unshare", "--mount"]
    return subprocess.Popen(
        [*inside, "sh", "-c", f'{own} && exec "$@"', "sh", *start],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _join_again() -> None:
    """Remove the network of this run or one left by an earlier run."""
    for command in (f"ip link del {_LINK}", f"ip netns del {_SPACE}", f"rm -f /run/netns/{_SPACE}"):
        with suppress(OSError):
            subprocess.run(command.split(), capture_output=True, check=False)


def _hide(folder: Path | None) -> list[str]:
    command = 'mount -t tmpfs none "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", command, str(folder)]


def _title(process: psutil.Process) -> str:
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
        return " ".join(process.cmdline()) if alive else ""
    except psutil.NoSuchProcess:
        return ""


def serve() -> None:
    """Run a cluster until the input ends."""
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    head = {
        "num_cpus": 0,
        "num_gpus": 0,
        "object_store_memory": _STORE_BYTES,
        "include_dashboard": False,
        "include_log_monitor": False,
        "no_monitor": True,
        "ray_client_server_port": port,
        "node_name": "head",
    }
    cluster: Any = Cluster(initialize_head=True, head_node_args=head)
    nodes: dict[str, Any] = {}
    apart: dict[str, subprocess.Popen[bytes]] = {}
    _say(address=cluster.address, client=f"ray://127.0.0.1:{port}")
    for line in sys.stdin:
        match line.split():
            case ["add", gpus, cpus, *names]:
                for name in names:
                    _add(cluster, nodes, name, gpus=int(gpus), cpus=int(cpus))
                cluster.wait_for_nodes(timeout=120)
                _say()
            case ["apart", name]:
                if (started := _separate(name, cluster.address)) is not None:
                    apart[name] = started
                else:
                    _add(cluster, nodes, name, gpus=1, cpus=1)
                _say(apart=name in apart)
            case ["silence", name]:
                if name in apart:
                    subprocess.run(["ip", "link", "set", _LINK, "down"], check=True)
                else:
                    for running in _processes(nodes[name]):
                        running.suspend()
                _say()
            case ["kill", name]:
                node = nodes.pop(name)
                for process in _processes(node):
                    with suppress(psutil.NoSuchProcess):
                        process.send_signal(signal.SIGKILL)
                node.kill_all_processes(check_alive=False, allow_graceful=False)
                cluster.worker_nodes.discard(node)
                _say()
            case other:
                raise ValueError(f"unknown command {other}")
    for started in apart.values():
        one = psutil.Process(started.pid)
        for process in [*one.children(recursive=True), one]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    if apart:
        _join_again()
    for node in nodes.values():
        node.kill_all_processes(check_alive=False, allow_graceful=False)
    cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)


def _add(cluster: Any, nodes: dict[str, Any], name: str, *, gpus: int, cpus: int) -> None:
    nodes[name] = cluster.add_node(
        wait=False,
        num_cpus=cpus,
        num_gpus=gpus,
        object_store_memory=_STORE_BYTES,
        include_log_monitor=False,
        node_name=name,
    )


def _processes(node: Any) -> list[psutil.Process]:
    found = []
    for kind in node.all_processes.values():
        for info in kind:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(info.process.pid)
                found += [process, *process.children(recursive=True)]
    return found


def _say(**facts: object) -> None:
    sys.stdout.write(json.dumps({"at": time.time(), **facts}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
