"""``make lab``: what it prints and how it reports problems."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from server_extension.launch import server_command
from tests.live_server import PATIENCE_S, ROOT, TOKEN, LiveServer

SMALL = {"num_frames": 5, "width": 128, "height": 96}


def _launch(
    *arguments: str, before: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "server_extension.launch", "--no-browser", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server behind a proxy that does not answer, whose outputs/ is given by a relative path."""
    nowhere = "127.0.0.1:9"
    server = LiveServer(
        tmp_path_factory.mktemp("lab") / "outputs",
        environment={"ALL_PROXY": f"socks5://{nowhere}", "HTTP_PROXY": f"http://{nowhere}"},
    )
    server._environment["WORKBENCH_OUTPUTS"] = os.path.relpath(server.outputs, ROOT)
    with server:
        yield server


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with a base URL and a token of its configuration file."""
    folder = tmp_path_factory.mktemp("moved")
    configured = folder / "config"
    configured.mkdir()
    server = LiveServer(folder / "outputs", environment={"JUPYTER_CONFIG_PATH": str(configured)})
    server._environment.pop("JUPYTER_TOKEN")
    server._environment.pop("JUPYTER_PORT")
    server.base_url, server.token = "/user/name/", "a #1 & 50% token"
    (configured / "jupyter_server_config.py").write_text(
        f"c.IdentityProvider.token = {server.token!r}\nc.ServerApp.base_url = {server.base_url!r}\n"
    )
    try:
        yield server.start(f"--ServerApp.port={server.port}")
    finally:
        server.stop()


@pytest.fixture(scope="module")
def enclosing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with outputs/ and index below the folder that it serves."""
    yield from _enclosing(tmp_path_factory.mktemp("enclosing"))


@pytest.fixture(scope="module")
def allowing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The same, where the user has replaced the list of what Voilà must not serve."""
    folder = tmp_path_factory.mktemp("allowing")
    yield from _enclosing(folder, "--VoilaConfiguration.file_denylist=none")


def _enclosing(folder: Path, *options: str) -> Iterator[LiveServer]:
    root = folder / "root"
    server = LiveServer(root / "outputs", environment={"WORKBENCH_INDEX": str(root / "i.sqlite3")})
    server.root = root
    try:
        server.start(*options)
        (root / "outputs" / "j_0").mkdir()
        (root / "outputs" / "j_0" / "poster.jpg").write_bytes(b"theirs")
        (root / "notebooks" / "link.jpg").symlink_to(root / "outputs" / "j_0" / "poster.jpg")
        (root / "notebooks" / "picture.png").write_bytes(b"ours")
        (root / "notebooks" / "open.txt").write_text("ours")
        (root / "i.sqlite3").touch()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of the notebooks themselves, not of copies."""
    server = LiveServer(tmp_path_factory.mktemp("shipped") / "outputs")
    server.root = ROOT
    with server:
        yield server


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server for visitors of the dashboard alone."""
    server = LiveServer(tmp_path_factory.mktemp("dashboard") / "outputs")
    try:
        yield server.start("--dashboard")
    finally:
        server.stop()


def _announced(server: LiveServer) -> dict[str, str]:
    """Return the links printed by the server, by name."""
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        printed = server.log.read_text("utf-8", "replace")
        found = dict(re.findall(r"^  (Lab|Dashboard|API) +(\S+)", printed, re.MULTILINE))
        if len(found) == 3:
            return found
        time.sleep(0.1)
    raise TimeoutError(printed)


def _opens(link: str) -> int:
    with httpx.Client(timeout=PATIENCE_S, trust_env=False) as client:
        return client.get(link).status_code


def test_the_lab_the_dashboard_and_the_api_are_printed_and_answer(lab: LiveServer) -> None:
    base = f"http://127.0.0.1:{lab.port}/"
    assert _announced(lab) == {
        "Lab": f"{base}lab/tree/notebooks/workbench.ipynb?token={TOKEN}&workbench",
        "Dashboard": f"{base}voila/render/notebooks/dashboard.ipynb?token={TOKEN}",
        "API": f"{base}api",
    }
    assert lab.get("/lab/tree/notebooks/workbench.ipynb").status_code == 200
    assert lab.get("/api/contents/notebooks/workbench.ipynb").status_code == 200


def test_the_printed_links_work_with_any_options_and_token(moved: LiveServer) -> None:
    links = _announced(moved)
    assert links["Lab"].startswith(f"http://127.0.0.1:{moved.port}/user/name/lab/tree/")
    assert links["Lab"].endswith("?token=a%20%231%20%26%2050%25%20token&workbench")
    assert _opens(links["Lab"]) == 200
    assert moved.get("/api/devices").status_code == 200


def test_the_addresses_printed_by_jupyter_open_the_workbench_too(lab: LiveServer) -> None:
    _announced(lab)
    printed = re.findall(r"http://\S+", lab.log.read_text("utf-8"))
    own = [link for link in printed if "token=..." in link]  # as it prints a token it was given
    assert own
    assert {link.count("?") for link in own} == {1}, own
    link = own[0].replace("...", TOKEN)
    with httpx.Client(timeout=PATIENCE_S, trust_env=False, follow_redirects=True) as client:
        page = client.get(link)
        assert page.status_code == 200
        assert page.url.raw_path == b"/lab/tree/notebooks/workbench.ipynb?workbench"
    with httpx.Client(timeout=PATIENCE_S, trust_env=False, follow_redirects=True) as stranger:
        assert stranger.get(link.partition("?")[0]).url.path == "/login"


@pytest.mark.parametrize(
    "streams",
    [
        {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["latin-1", "C"],
)
def test_the_lab_starts_and_renders_in_any_locale(tmp_path: Path, streams: dict[str, str]) -> None:
    folder = tmp_path / "ümläut \N{DOG}"
    folder.mkdir()
    with LiveServer(folder / "outputs", environment=streams) as server:
        assert len(_announced(server)) == 3
        asked = {**SMALL, "prompt": "a \N{DOG} in a café, 走る犬"}
        job = server.post("/api/video/single_inference", asked).json()
        ended = server.wait_for_job(job["job_id"])
        assert (ended["status"], ended["prompt"]) == ("complete", asked["prompt"])
        log = server.log.read_text("utf-8", "replace")
        assert "UnicodeEncodeError" not in log
        assert "Traceback" not in log


def _without_privileges() -> list[str]:
    """Return a command prefix that drops root's right to write other users' files."""
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("needs root to make a folder of somebody else's, and setpriv to be less")
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("privileges cannot be dropped here")
    return command


def test_an_outputs_folder_of_another_user_ends_the_start_with_a_message(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    os.chown(outputs, 65_534, 65_534)
    ended = _launch(before=_without_privileges(), WORKBENCH_OUTPUTS=str(outputs))
    assert ended.returncode == 1
    assert f"{outputs} cannot be written by this user: Permission denied." in ended.stderr
    assert "set WORKBENCH_OUTPUTS (and WORKBENCH_INDEX) to a folder of your own" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_home_of_another_user_ends_the_start_with_a_message(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65_534, 65_534)
    folders = dict.fromkeys(("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "XDG_DATA_HOME"), "")
    ended = _launch(
        before=_without_privileges(),
        HOME=str(home), WORKBENCH_OUTPUTS=str(tmp_path / "outputs"), **folders,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "(Permission denied); set HOME to a folder of yours" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_proxy_in_the_environment_is_not_used_for_loopback(lab: LiveServer) -> None:
    assert lab.process is not None
    environment = psutil.Process(lab.process.pid).environ()
    assert "127.0.0.1" in environment["NO_PROXY"].split(",")
    script = "import httpx, sys; print(httpx.get(sys.argv[1]).status_code)"
    command = [sys.executable, "-c", script, f"{lab.url}/api/devices"]
    told = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert told.stdout.strip() == b"403"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("WORKBENCH_MAX_FRAMES", "0", "max_frames (WORKBENCH_MAX_FRAMES) cannot be '0'"),
        ("WORKBENCH_LANGUAGE_BASE_URL", "localhost", "must be a URL such as http://host:8000/v1"),
        ("WORKBENCH_OUTPUTS", "/proc/nowhere", "/proc/nowhere cannot be written by this user"),
    ],
)
def test_an_invalid_setting_ends_the_start_with_a_message(
    variable: str, value: str, told: str
) -> None:
    ended = _launch(**{variable: value})
    assert ended.returncode == 1
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_read_only_home_ends_the_start_with_a_message() -> None:
    ended = _launch(HOME="/proc/nowhere", JUPYTER_RUNTIME_DIR="", JUPYTER_DATA_DIR="")
    assert ended.returncode == 1
    assert "set HOME to a folder of yours" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_server_started_by_jupyter_itself_ends_with_that_message_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    ended = subprocess.run(
        [*command, f"--ServerApp.root_dir={tmp_path}"],
        env={**os.environ, "WORKBENCH_MAX_FRAMES": "0"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode != 0
    assert "max_frames (WORKBENCH_MAX_FRAMES) cannot be '0'" in ended.stderr


def test_a_kernel_finds_the_outputs_that_the_server_uses(lab: LiveServer) -> None:
    assert lab.process is not None
    environment = psutil.Process(lab.process.pid).environ()
    assert environment["WORKBENCH_OUTPUTS"] == str(lab.outputs)


@pytest.mark.parametrize(("name", "expected"), [("enclosing", 403), ("allowing", 200)])
def test_no_file_of_outputs_is_served_by_voila(
    name: str, expected: int, request: pytest.FixtureRequest
) -> None:
    server: LiveServer = request.getfixturevalue(name)
    for way in ("", "./", "notebooks/../", "notebooks/..%2F", "%6F/../", "/"):
        link = f"{server.url}/voila/files/{way}outputs/j_0/poster.jpg"
        assert _raw_status(link) in {403, 404}, way
    assert _raw_status(f"{server.url}/voila/files/notebooks/link.jpg") in {403, 404}
    assert _raw_status(f"{server.url}/voila/files/notebooks/picture.png") == expected


def test_jupyters_own_routes_give_no_access_to_outputs(enclosing: LiveServer) -> None:
    server = enclosing
    for path in ("outputs", "outputs/j_0", "outputs/j_0/poster.jpg", "notebooks/link.jpg",
                 "%6Futputs/j_0/poster.jpg", "i.sqlite3", "i.sqlite3-wal"):  # fmt: skip
        for route in ("files", "api/contents"):
            assert server.get(f"/{route}/{path}").status_code == 404, (route, path)
    for method in ("PUT", "PATCH", "DELETE"):
        told = server.request(method, "/api/contents/outputs/j_0/poster.jpg", json={})
        assert told.status_code == 404, method
    for source in ("outputs/j_0/poster.jpg", "outputs/j_0", "outputs"):
        told = server.post("/api/contents/notebooks", {"copy_from": source})
        assert told.status_code == 404, source
    moved = {"path": "outputs/j_0/open.txt"}
    told = server.request("PATCH", "/api/contents/notebooks/open.txt", json=moved)
    assert told.status_code == 404
    assert (server.outputs / "j_0" / "poster.jpg").read_bytes() == b"theirs"

    listed = server.get("/api/contents/").raise_for_status().json()["content"]
    names = {entry["name"] for entry in listed}
    assert "notebooks" in names
    assert not names & {"outputs", "i.sqlite3"}
    assert server.get("/files/notebooks/open.txt").text == "ours"
    book = server.get("/api/contents/notebooks/tour.ipynb").raise_for_status().json()
    saved = server.request("PUT", "/api/contents/notebooks/copy.ipynb", json=book)
    assert saved.status_code == 201, saved.text
    told = server.post("/api/contents/notebooks", {"copy_from": "notebooks/tour.ipynb"})
    assert told.status_code == 201, told.text


def _raw_status(link: str) -> int:
    """Return the status of a path sent without normalising its dots."""
    parts = urlsplit(link)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    connection.request("GET", parts.path)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("name", ["workbench.ipynb", "dashboard.ipynb"])
def test_running_a_shipped_notebook_does_not_change_it(shipped: LiveServer, name: str) -> None:
    notebook = ROOT / "notebooks" / name
    before = notebook.read_bytes()
    model = shipped.get(f"/api/contents/notebooks/{name}").json()
    code = next(c for c in model["content"]["cells"] if c["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "run"}]
    code["execution_count"] = 7
    code["metadata"] = {"trusted": True, "execution": {"began": "now"}}
    model["content"]["metadata"]["widgets"] = {"state": {}}
    try:
        saved = shipped.request("PUT", f"/api/contents/notebooks/{name}", json=model)
        assert saved.status_code == 200
        assert notebook.read_bytes() == before
    finally:
        notebook.write_bytes(before)


@pytest.mark.parametrize(("name", "shown"), [("dashboard", False), ("lab", True)])
def test_dashboard_visitors_see_no_traceback(
    name: str, shown: bool, request: pytest.FixtureRequest
) -> None:
    server: LiveServer = request.getfixturevalue(name)
    path = server.root / "notebooks" / "dashboard.ipynb"
    before = path.read_text("utf-8")
    book = json.loads(before)
    book["cells"][0]["source"] = "told = 'of the server'\nraise RuntimeError('fault ' + told)"
    path.write_text(json.dumps(book), "utf-8")
    try:
        page = server.get("/voila/render/notebooks/dashboard.ipynb").text
    finally:
        path.write_text(before, "utf-8")
    assert ("fault of the server" in page) is shown
    assert ("RuntimeError" in page) is shown


def test_the_token_is_on_no_command_line(lab: LiveServer) -> None:
    assert lab.process is not None
    words = Path(f"/proc/{lab.process.pid}/cmdline").read_bytes()
    assert TOKEN.encode() not in words


def test_an_option_given_by_the_user_replaces_the_default() -> None:
    ours = "--MappingKernelManager.cull_idle_timeout"
    command = server_command("127.0.0.1", 8888, dashboard=True, further=[f"{ours}=60", "folder"])
    assert [one for one in command if one.startswith(ours)] == [f"{ours}=60"]
    assert command[1:3] == ["-m", "server_extension.lab"]


def test_the_server_starts_without_the_grammar_of_addresses() -> None:
    script = (
        "import sys; from server_extension import lab\n"
        "try: lab.main(['--version'])\n"
        "except SystemExit: pass\n"
        "print('jsonschema' in sys.modules, 'rfc3987_syntax.syntax_helpers' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.split()[-2:] == ["True", "False"], told.stdout


def test_a_taken_port_is_reported_clearly() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ended = _launch(JUPYTER_PORT=str(port))
    assert ended.returncode != 0
    assert f"Port {port} is in use" in ended.stderr


def test_an_invalid_port_is_reported_clearly() -> None:
    ended = _launch(JUPYTER_PORT="soon")
    assert ended.returncode != 0
    assert "JUPYTER_PORT must be a port number" in ended.stderr


def test_everything_works_behind_a_base_url(moved: LiveServer) -> None:
    job = moved.post("/api/video/single_inference", {**SMALL, "prompt": "a kite"}).json()
    assert job["status_url"] == f"/user/name/api/video/status/{job['job_id']}"
    ended = moved.wait_for_job(job["job_id"])
    assert ended["video_url"].startswith("/user/name/static/videos/")
    path = ended["video_url"].removeprefix("/user/name")
    assert moved.get(path).headers["Content-Type"] == "video/mp4"
    document = moved.get("/api/workbench/openapi.json").json()
    assert document["servers"] == [{"url": "/user/name"}]
