"""Helper processes start in any client's environment; start failures are reported."""

from __future__ import annotations

import json
import os
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.jobs.shop import Shop, alive
from workbench.errors import SupervisorUnavailable
from workbench.helper_processes import helper_environment, start_detached
from workbench.jobs.client.doctor import Verdict, examine
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.client.manager import JobManager
from workbench.jobs.locking import take_lock
from workbench.jobs.model import Job, JobState
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
BROKEN = Path(__file__).parent / "broken"
LIMIT_S = 300.0


@dataclass
class Surroundings:
    """A client's environment at its start."""

    folder: Path
    """A folder of the test's own."""
    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)
    client_sets: dict[str, str] = field(default_factory=dict)
    """Variables that the client sets after its start."""
    before: Callable[[], object] | None = None
    """Runs in the client's process before its Python."""
    command: tuple[str, ...] = ()
    """What starts the client."""
    flags: tuple[str, ...] = ("-P",)
    """Flags of the client's Python."""
    closes: bool = False
    """Whether the client has neither standard input nor output."""

    def render(self, settings: Settings) -> dict[str, str]:
        """Render one video in these surroundings and return the outcome."""
        result = self.folder / "result.json"
        environment = {
            **os.environ,
            **settings_environment(settings),
            "RESULT": str(result),
            "CLIENT_SETS": json.dumps(self.client_sets),
            **self.environment,
        }
        client = str(ROOT / "tests" / "jobs" / "client" / "one_render.py")
        script = 'exec <&- >&- 2>&-; exec "$0" "$@"' if self.closes else 'exec "$0" "$@"'
        subprocess.run(
            [*self.command, "/bin/sh", "-c", script, sys.executable, *self.flags, client],
            cwd=self.cwd,
            env=environment,
            preexec_fn=self.before,
            timeout=LIMIT_S * 2,
            check=False,
        )
        told: dict[str, str] = json.loads(result.read_text("utf-8"))
        return told


def _misleading_modules(there: Surroundings) -> None:
    for name in ("json", "random", "typing", "logging", "socket", "sitecustomize", "numpy"):
        (there.cwd / f"{name}.py").write_text("raise RuntimeError('of the current folder')\n")
    (there.cwd / "workbench").mkdir()
    (there.cwd / "workbench" / "__init__.py").write_text("raise RuntimeError('not this one')\n")


def _misleading_path(there: Surroundings) -> None:
    _misleading_modules(there)
    there.client_sets["PYTHONPATH"] = f"{os.pathsep}.{os.pathsep}"


def _removed_folder(there: Surroundings) -> None:
    there.command = ("/bin/sh", "-c", 'rmdir "$PWD"; exec "$0" "$@"')


def _closed_folder(there: Surroundings) -> None:
    there.cwd.chmod(0)


def _missing_temporary(there: Surroundings) -> None:
    there.environment["TMPDIR"] = str(there.folder / "nowhere")


def _long_temporary(there: Surroundings) -> None:
    long = there.folder / ("t" * 120)
    long.mkdir()
    there.environment["TMPDIR"] = str(long)


def _full_temporary(there: Surroundings) -> None:
    full = there.folder / "full"
    full.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=2", "tmpfs", str(full)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small filesystem cannot be mounted here")
    with suppress(OSError):
        (full / "filler").write_bytes(b"x" * 4_096)
    there.environment["TMPDIR"] = str(full)


def _no_home(there: Surroundings) -> None:
    there.environment["HOME"] = "/proc/nobody"


def _proxies(there: Surroundings) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        there.environment[name] = there.environment[name.upper()] = "socks5://127.0.0.1:1"


def _startup_files(there: Surroundings) -> None:
    there.environment |= {"PYTHONSTARTUP": "/nowhere.py", "PYTHONSAFEPATH": "1"}
    there.client_sets |= {"PYTHONINSPECT": "1", "PYTHONWARNINGS": "error", "PYTHONSTARTUP": "/no"}


def _another_home_of_python(there: Surroundings) -> None:
    there.client_sets["PYTHONHOME"] = "/nowhere"


def _latin_1(there: Surroundings) -> None:
    there.environment |= {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}


def _c_locale(there: Surroundings) -> None:
    there.environment |= {
        "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
    }  # fmt: skip


def _few_descriptors(there: Surroundings) -> None:
    there.before = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 256))


def _ignored_signals(there: Surroundings) -> None:
    numbers = (signal.SIGINT, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1)

    def ignore() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    there.before = ignore


def _blocked_signals(there: Surroundings) -> None:
    there.before = lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def _closed_streams(there: Surroundings) -> None:
    there.closes = True


def _masks_all(there: Surroundings) -> None:
    there.before = lambda: os.umask(0o077)


def _masks_nothing(there: Surroundings) -> None:
    there.before = lambda: os.umask(0)


def _nobody_known(there: Surroundings) -> None:
    there.command = (
        "env",
        "-u",
        "HOME",
        "-u",
        "USER",
        "-u",
        "LOGNAME",
        "-u",
        "PATH",
        "-u",
        "SHELL",
    )


def _isolated_python(there: Surroundings) -> None:
    there.flags = ("-I",)


def _broken_sitecustomize(there: Surroundings) -> None:
    site = there.folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("raise RuntimeError('broken on this machine')\n")
    (site / "usercustomize.py").write_text("import nothing_of_this_name\n")
    there.environment["PYTHONPATH"] = str(site)


def _read_only_temporary(there: Surroundings) -> None:
    folder = shlex.quote(str(there.folder))
    script = (
        "for d in /tmp /var/tmp; do mount --bind $d $d && mount -o remount,bind,ro $d || exit; done;"
        f"mount --bind {folder} {folder} && mount -o remount,bind,rw {folder} && cd . || exit;"
        'exec "$0" "$@"'
    )
    there.command = ("unshare", "--mount", "/bin/sh", "-c", script)
    there.environment["TMPDIR"] = ""
    if subprocess.run([*there.command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")


def _background_shell(there: Surroundings) -> None:
    there.command = ("setsid", "nohup")


SURROUNDINGS = {
    "misleading modules, a long TMPDIR, proxies that do not answer, a umask that hides all": (
        _misleading_modules, _long_temporary, _proxies, _masks_all,
    ),
    "a misleading import path, latin-1 streams, no home, ignored signals": (
        _misleading_path, _latin_1, _no_home, _ignored_signals,
    ),
    "a current folder that was removed, the C locale, few descriptors": (
        _removed_folder, _c_locale, _few_descriptors,
    ),
    "a current folder that cannot be read, a TMPDIR that is not there, start-up files of Python": (
        _closed_folder, _missing_temporary, _startup_files,
    ),
    "a background shell, blocked signals": (_background_shell, _blocked_signals),
    "another home of Python, closed streams, a umask that hides nothing": (
        _another_home_of_python, _closed_streams, _masks_nothing,
    ),
    "no home, user or path in the environment, broken site modules": (
        _nobody_known, _broken_sitecustomize,
    ),
    "an isolated Python": (_isolated_python,),
    "a temporary folder that is full": (_full_temporary,),
    "temporary folders that are read-only": (_read_only_temporary,),
}  # fmt: skip
"""What one client may meet at once; what needs rights to set up stands alone."""


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_a_video_is_rendered_from_a_client_in(
    surroundings: str, shop: Shop, tmp_path: Path
) -> None:
    cwd = tmp_path / "current"
    cwd.mkdir()
    there = Surroundings(tmp_path, cwd)
    for arrange in SURROUNDINGS[surroundings]:
        arrange(there)
    try:
        told = there.render(shop.settings)
        assert told["state"] == "complete", f"{told}\n{shop.log()}"
        shop.note()
    finally:
        if (tmp_path / "full").is_dir():
            subprocess.run(["umount", "-l", str(tmp_path / "full")], check=False)


@pytest.mark.parametrize(
    "name", ["long" * 40, "with spaces, and ümläuts \N{DOG}", "'quotes\" $HOME; #%"]
)
def test_a_video_is_rendered_into_outputs_of_any_path(name: str, tmp_path: Path) -> None:
    outputs = tmp_path / name / "outputs"
    outputs.mkdir(parents=True)
    with Shop(outputs) as shop:
        (job,) = shop.ended(shop.submit().job_id, limit_s=LIMIT_S)
        assert job.state is JobState.COMPLETE
        status = shop.manager.supervisor()
        assert status is not None
        assert Path(status.socket) == shop.paths.socket
        assert shop.manager.answers()


def test_a_video_is_rendered_into_a_linked_outputs_folder(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "outputs").symlink_to(tmp_path / "disk")
    with Shop(tmp_path / "outputs") as shop, Shop(tmp_path / "disk") as other:
        (job,) = shop.ended(shop.submit().job_id, limit_s=LIMIT_S)
        assert job.state is JobState.COMPLETE
        assert other.manager.job(job.job_id).state is JobState.COMPLETE
        assert other.manager.supervisor() == shop.manager.supervisor()


def test_a_relative_outputs_folder_is_the_same_for_client_and_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Shop(Path("rel")) as shop:
        (job,) = shop.ended(shop.submit().job_id, limit_s=LIMIT_S)
        assert job.state is JobState.COMPLETE
    assert [path.name for path in tmp_path.iterdir()] == ["rel"]


def test_a_worker_finds_an_input_given_relative_to_the_clients_folder(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first.png").write_text("a picture")
    monkeypatch.chdir(tmp_path)
    asked = shop.submit(image="first.png")
    assert asked.request.options["image"] == str(tmp_path / "first.png")
    (job,) = shop.ended(asked.job_id, limit_s=LIMIT_S)
    assert job.state is JobState.COMPLETE, job.error


def test_a_helper_has_no_current_folder_on_its_path_and_bypasses_proxies_for_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", "mine", "/on/purpose"]))
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "example.org")
    found = helper_environment()
    assert found["PYTHONPATH"] == os.pathsep.join([str(tmp_path / "mine"), "/on/purpose"])
    assert found["no_proxy"] == "example.org,localhost,127.0.0.1,::1"
    assert found["NO_PROXY"] == "localhost,127.0.0.1,::1"


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make one module's import fail in processes started from now on."""

    def keep_out(module: str) -> None:
        monkeypatch.setenv("PYTHONPATH", str(BROKEN))
        monkeypatch.setenv("BROKEN_MODULE", module)

    return keep_out


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that collects the pids of supervisors started by this process."""
    pids: list[int] = []

    def counted(*arguments: Any, **options: Any) -> int:
        pids.append(start_detached(*arguments, **options))
        return pids[-1]

    monkeypatch.setattr("workbench.jobs.client.launch.start_detached", counted)
    return pids


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("workbench.jobs.locking", "import of workbench.jobs.locking halted"),  # at its import
        ("workbench.jobs.supervisor.dispatcher", "supervisor.dispatcher halted"),  # with the lock
    ],
)
def test_a_supervisor_that_dies_at_once_is_retried_a_few_times_and_then_reported(
    shop: Shop, launches: list[int], breaks: Callable[[str], None], module: str, reason: str
) -> None:
    breaks(module)
    asked = shop.submit()
    with pytest.raises(SupervisorUnavailable, match=reason):
        shop.manager.wait([asked.job_id], LIMIT_S)
    assert len(launches) == 5
    job = shop.manager.job(asked.job_id)
    assert job.state is JobState.QUEUED
    assert reason in job.message
    with pytest.raises(SupervisorUnavailable, match=reason):
        shop.manager.ensure_supervisor()  # an explicit request tries once more
    assert len(launches) == 6


def test_a_supervisor_that_starts_again_clears_the_reported_failure(
    shop: Shop, breaks: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks("workbench.jobs.supervisor.dispatcher")
    asked = shop.submit(steps=3)
    shop.until(lambda: "cannot start" in shop.manager.job(asked.job_id).message, LIMIT_S)
    monkeypatch.delenv("BROKEN_MODULE")
    (job,) = shop.ended(asked.job_id, limit_s=LIMIT_S)
    assert (job.state, job.message) == (JobState.COMPLETE, "")


def test_a_python_that_does_not_start_is_reported_with_its_own_message(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "nonsense")
    asked = shop.submit()
    with pytest.raises(SupervisorUnavailable, match=r"PYTHONHASHSEED must be"):
        shop.manager.wait([asked.job_id], LIMIT_S)


def test_a_worker_that_cannot_start_is_reported_with_its_own_message(
    shop: Shop, breaks: Callable[[str], None]
) -> None:
    breaks("workbench.jobs.worker.attempt")
    asked = shop.submit()

    def told() -> Job | None:
        job = shop.manager.job(asked.job_id)
        return job if "halted" in job.message else None

    job = shop.until(told, LIMIT_S)
    assert job.state is JobState.QUEUED
    assert job.message.startswith("Waiting: cpu:0: ")
    assert "import of workbench.jobs.worker.attempt halted" in job.message
    later = shop.submit()
    shop.until(lambda: "halted" in shop.manager.job(later.job_id).message, LIMIT_S)
    (device,) = [one for one in shop.manager.devices() if one.name == "cpu:0"]
    assert (device.state, "halted" in device.detail) == ("lost", True)


def test_a_job_submitted_while_an_idle_supervisor_exits_is_rendered(
    shop: Shop,
) -> None:
    shop.manager.jobs()
    environment = {**os.environ, **settings_environment(shop.settings)}
    environment["WORKBENCH_IDLE_EXIT_S"] = "0.5"
    leaving = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.supervisor.leaving_supervisor"],
        cwd=ROOT,
        env=environment,
    )
    try:
        shop.until(lambda: shop.manager._reader.jobs_by_id(_queued(shop)), LIMIT_S)
        (job_id,) = _queued(shop)

        def complete() -> bool:  # read from the index: the manager would start a supervisor
            return shop.manager._reader.job(job_id).state is JobState.COMPLETE

        shop.until(complete, LIMIT_S)
    finally:
        leaving.terminate()
        leaving.wait(LIMIT_S)


@pytest.mark.parametrize("cluster", ["", "127.0.0.1:9"])
def test_a_supervisor_exits_with_its_processes_when_its_outputs_folder_is_removed(
    cluster: str, tmp_path: Path
) -> None:
    shop = Shop(tmp_path / "outputs")
    shop.use(cluster=cluster)
    job = shop.submit()
    if not cluster:
        shop.ended(job.job_id, limit_s=LIMIT_S)
    status = shop.until(shop.manager.supervisor, LIMIT_S)
    supervisor = psutil.Process(status.pid)
    processes = [supervisor, *supervisor.children(recursive=True)]
    shop.manager.close()  # or it would start another one
    try:
        while shop.paths.outputs.exists():  # scores may still be written meanwhile
            shutil.rmtree(shop.paths.outputs, ignore_errors=True)
        shop.until(lambda: not any(alive(one) for one in processes), LIMIT_S)
    finally:
        for one in processes:
            with suppress(psutil.NoSuchProcess):
                one.kill()


def _queued(shop: Shop) -> list[str]:
    return [job.job_id for job in shop.manager.changes(0).jobs]


def test_a_supervisor_in_another_pid_namespace_is_seen_and_no_second_is_started(
    shop: Shop, tmp_path: Path
) -> None:
    apart = ("unshare", "--pid", "--fork", "--mount-proc")
    if subprocess.run([*apart, "true"], check=False).returncode:
        pytest.skip("no PID namespace can be made here")
    shop.ended(shop.submit().job_id, limit_s=LIMIT_S)
    there = Surroundings(tmp_path, tmp_path, command=apart)
    told = there.render(shop.settings)
    assert told["state"] == "complete", told
    assert _starts(shop) == 1
    elsewhere = shop.paths.lock.read_text("utf-8")
    words = json.loads(elsewhere)
    shop.paths.lock.write_text(json.dumps({**words, "place": "another", "pid": 999_999_999}))
    status = shop.manager.supervisor()  # as a client in another container reads it
    assert status is not None
    assert status.host == words["host"]
    shop.paths.lock.write_text(elsewhere)


def test_another_containers_supervisor_is_used_and_replaced_when_the_container_ends(
    shop: Shop, tmp_path: Path
) -> None:
    apart = ("unshare", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc")
    if subprocess.run([*apart, "hostname", "other"], check=False, capture_output=True).returncode:
        pytest.skip("no namespaces can be made here")
    client = ROOT / "tests" / "jobs" / "client" / "one_render.py"
    script = 'hostname other; "$0" -P "$1"; sleep 600'
    container = subprocess.Popen(
        [*apart, "/bin/sh", "-c", script, sys.executable, str(client)],
        cwd=tmp_path,
        env={
            **os.environ,
            **settings_environment(shop.settings),
            "RESULT": str(tmp_path / "result.json"),
        },
    )
    try:
        shop.until((tmp_path / "result.json").is_file, LIMIT_S)
        status = shop.manager.supervisor()
        assert status is not None
        assert status.host == "other"
        asked = [shop.submit(f"from here {number}") for number in range(3)]
        assert {job.state for job in shop.ended(*[job.job_id for job in asked])} == {"complete"}
        assert shop.manager.answers()
        shop.manager.ensure_supervisor()
        assert _starts(shop) == 1
    finally:
        container.kill()  # and everything in it, as when a container is removed
        container.wait(LIMIT_S)
    (job,) = shop.ended(shop.submit("after it").job_id, limit_s=LIMIT_S)
    assert job.state is JobState.COMPLETE
    status = shop.manager.supervisor()
    assert status is not None
    assert status.host == ""
    assert _starts(shop) == 2
    assert shop.violations() == []


def _starts(shop: Shop) -> int:
    return sum(event["event"] == "supervisor started" for event in shop.events())


def test_a_lock_left_by_another_machine_counts_as_free(shop: Shop) -> None:
    shop.paths.control.mkdir(parents=True)
    words = {
        "pid": 1, "started": 0, "boot_id": "another", "started_at": "2026-01-01T00:00:00+00:00",
        "version": "1", "socket": "/nowhere", "host": "another", "place": "another",
    }  # fmt: skip
    shop.paths.lock.write_text(json.dumps(words))
    assert shop.manager.supervisor() is None
    descriptor = take_lock(shop.paths.lock)
    assert descriptor is not None
    try:
        status = shop.manager.supervisor()
        assert status is not None
        assert status.host == "another"
    finally:
        os.close(descriptor)


def test_a_supervisor_recreates_a_removed_socket_and_no_kill_is_advised(
    shop: Shop,
) -> None:
    shop.ended(shop.submit().job_id, limit_s=LIMIT_S)
    status = shop.manager.supervisor()
    assert status is not None
    os.kill(status.pid, signal.SIGSTOP)  # so that it cannot recreate it at once
    try:
        shop.paths.socket.unlink()
        finding = next(found for found in examine(shop.settings) if found.what == "supervisor")
        assert finding.verdict is Verdict.BAD
        assert "kill -9" not in finding.advice
    finally:
        os.kill(status.pid, signal.SIGCONT)
    shop.until(shop.manager.answers, LIMIT_S)
    assert shop.manager.supervisor() == status


def test_a_supervisor_listens_elsewhere_where_the_file_system_has_no_sockets(
    shop: Shop, tmp_path: Path
) -> None:
    shop.paths.socket.mkdir(parents=True)  # a folder cannot be replaced by a socket
    (job,) = shop.ended(shop.submit().job_id, limit_s=LIMIT_S)
    assert job.state is JobState.COMPLETE
    status = shop.manager.supervisor()
    assert status is not None
    assert Path(status.socket).parent != shop.paths.control
    assert shop.manager.answers()


def test_changes_are_followed_above_1024_descriptors(shop: Shop) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4_096:
        pytest.skip("this user may not open so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4_096, hard))
    held = [socket.socket() for _ in range(1_100)]
    try:
        manager = JobManager(shop.settings)
        heard: list[JobState] = []
        manager.watch(lambda changes: heard.extend(job.state for job in changes.jobs))
        shop.ended(shop.submit().job_id, limit_s=LIMIT_S)
        shop.until(lambda: JobState.COMPLETE in heard, LIMIT_S)
        manager.close()
    finally:
        for one in held:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_following_changes_continues_after_an_unexpected_error(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[JobState] = []
    real = shop.manager._index.revision
    failures = iter([RuntimeError("once"), RuntimeError("twice")])

    def revision() -> int:
        for error in failures:
            raise error
        return real()

    shop.manager.watch(lambda changes: heard.extend(job.state for job in changes.jobs))
    monkeypatch.setattr(shop.manager._index, "revision", revision)
    shop.submit()
    shop.until(lambda: JobState.COMPLETE in heard, LIMIT_S)
