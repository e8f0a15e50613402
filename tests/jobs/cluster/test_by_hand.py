"""A cluster started with the documented commands, found by ``auto`` and used."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.jobs.cluster.machines import ENVIRONMENT
from tests.live_server import ROOT, end_supervisor
from tests.test_snippets import block

LIMIT_S = 240.0
SMALL = "--num-cpus=1 --object-store-memory=94371840"


class Bench:
    """A shell whose Ray has its own folder and ports, to play two machines on one."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder = folder
        self.outputs = work / "outputs"
        self.work = work
        self.port, client = _free_ports(2)
        self.small = f"{SMALL} --include-dashboard=false --ray-client-server-port={client}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("WORKBENCH_", "RAY_"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {
            **kept,
            **ENVIRONMENT,
            "PATH": path,
            "RAY_TMPDIR": str(folder),
            "WORKBENCH_OUTPUTS": str(self.outputs),
            "WORKBENCH_LEASES": str(work / "leases"),
            "WORKBENCH_CPU_WORKERS": "0",
            "WORKBENCH_CLUSTER_CPU_WORKERS": "1",
            "WORKBENCH_SCORES": "false",
        }

    def here(self, text: str) -> str:
        """Return a page's commands with this machine's name and port."""
        text = re.sub(r"\b(tower|login1):6379\b", f"127.0.0.1:{self.port}", text)
        return text.replace("--port=6379", f"--port={self.port}")

    def run(self, command: str, **settings: str) -> str:
        """Run a command and return what it printed; it must succeed."""
        with tempfile.TemporaryFile(
            "w+"
        ) as told:  # no pipe: processes left behind would hold it open
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                cwd=self.work,
                env={**self.environment, **settings},
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=LIMIT_S,
                check=False,
            )
            told.seek(0)
            text = told.read()
        assert done.returncode == 0, text
        return text

    def workbench(self, *words: str, **settings: str) -> str:
        """Run one of the workbench's commands."""
        command = " ".join([sys.executable, "-m", "workbench.cli", *words])
        return self.run(command, **settings)

    def until_told(self, what: Callable[[str], bool], **settings: str) -> str:
        """Run the doctor until it prints ``what``."""
        limit = time.monotonic() + LIMIT_S
        while not what(told := self.workbench("doctor || true", **settings)):
            assert time.monotonic() < limit, told
            time.sleep(1)
        return told

    def close(self) -> None:
        """End the supervisor, then every Ray process of this folder."""
        end_supervisor(self.outputs)
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("RAY_TMPDIR") == str(self.folder):
                    process.send_signal(signal.SIGKILL)


def _free_ports(count: int) -> list[int]:
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in found]
    for one in found:
        one.close()
    return ports


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="wb"))  # a short path: Ray's sockets are below it
    bench = Bench(folder, tmp_path)
    try:
        yield bench
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)


def _render(bench: Bench, prompt: str, **settings: str) -> str:
    """Render one prompt and return the name of its device."""
    script = f"""
import workbench as wb
(video,) = wb.render({prompt!r}, num_frames=5, width=160, height=96)
print(video.wait({LIMIT_S}).job.device)
"""
    told = bench.run(f"{sys.executable} - <<'SCRIPT'{script}SCRIPT", **settings)
    return told.strip().splitlines()[-1]


def test_the_five_documented_commands_start_a_cluster_that_renders(bench: Bench) -> None:
    start, join = bench.here(block("cluster.md", "ray start --head")).splitlines()
    start = start.partition("#")[0].replace("--head", f"--head --port={bench.port} {bench.small}")
    bench.run(start)
    bench.run(f"{join.partition('#')[0]} {SMALL} --num-gpus=0")
    exported = bench.here(block("cluster.md", "export WORKBENCH_CLUSTER")).splitlines()[0]
    name, _, address = exported.partition("#")[0].strip().removeprefix("export ").partition("=")

    by_address = _render(bench, "a dog runs", **{name: address})
    assert re.fullmatch(r".+/cpu:0", by_address)
    bench.until_told(lambda told: by_address.partition("/")[0] in told, **{name: address})
    end_supervisor(bench.outputs)

    assert _render(bench, "a cat sleeps", WORKBENCH_CLUSTER="auto") == by_address


def test_auto_without_a_running_ray_says_how_to_start_one(bench: Bench) -> None:
    settings = {
        "WORKBENCH_CLUSTER": "auto",
        "WORKBENCH_CPU_WORKERS": "1",
        "WORKBENCH_CLUSTER_CPU_WORKERS": "0",
    }
    # In a PID namespace where permitted, because Ray finds every Ray process on the machine.
    apart = "unshare --pid --fork --mount-proc "
    apart = apart if subprocess.run([*apart.split(), "true"], check=False).returncode == 0 else ""
    python = f"{sys.executable} -m workbench.cli"
    (bench.work / "go.sh").write_text(
        f"""set -euo pipefail
{python} run "a dog" --no-enhance --num-frames=5 --width=160 --height=96
for _ in $(seq {LIMIT_S:.0f}); do
    if {{ {python} doctor || true; }} | grep "ray start"; then exit 0; fi
    sleep 1
done
exit 1
""",
        "utf-8",
    )
    told = bench.run(f"{apart}bash go.sh", **settings)
    assert "no Ray runs on this machine" in told


def test_a_local_cluster_renders_and_ends_with_its_supervisor(bench: Bench) -> None:
    device = _render(bench, "a dog runs", WORKBENCH_CLUSTER="local")
    assert re.fullmatch(r".+/cpu:0", device)
    assert _ray_processes(bench)
    end_supervisor(bench.outputs)
    limit = time.monotonic() + LIMIT_S
    while left := _ray_processes(bench):
        assert time.monotonic() < limit, left
        time.sleep(0.2)


def _ray_processes(bench: Bench) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            ours = process.environ().get("RAY_TMPDIR") == str(bench.folder)
            if ours and process.status() != psutil.STATUS_ZOMBIE and "raylet" in process.name():
                found.append(process)
    return found


def test_machines_launched_by_submitit_are_used(bench: Bench) -> None:
    script = bench.here(block("cluster.md", "import subprocess, submitit"))
    script = script.replace("range(4)", "range(1)")
    script = script.replace('"--num-gpus=0", ', f'"--num-gpus=0", *"{bench.small}".split(), ')
    script = script.replace('"--block"]', f'"--block", *"{SMALL} --num-gpus=0".split()]')
    script = script.replace("gpus_per_node=8", "gpus_per_node=0")
    bench.run(f"{sys.executable} - <<'SCRIPT'\n{script}\nSCRIPT")

    device = _render(bench, "a dog runs", WORKBENCH_CLUSTER=f"127.0.0.1:{bench.port}")
    assert re.fullmatch(r".+/cpu:0", device)


def test_the_documented_kuberay_manifest_is_valid() -> None:
    import yaml

    text = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    cluster = yaml.safe_load(shown)
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    head, workers = cluster["spec"]["headGroupSpec"], cluster["spec"]["workerGroupSpecs"]
    assert workers
    for group in [head, *workers]:
        # the operator takes strings alone, a number is refused
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"]
    for group in workers:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        assert group["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"]
