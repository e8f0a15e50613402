"""The README's examples run verbatim."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.live_server import TOKEN, LiveServer
from tests.videos import decode, moves

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def _block(language: str, after: str) -> str:
    section = README[README.index(after) :]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> object:
    with LiveServer(tmp_path_factory.mktemp("readme") / "outputs") as live:
        yield live


def test_the_curl_example_in_the_readme_works_verbatim(server: LiveServer, tmp_path: Path) -> None:
    script = "set -euo pipefail\n" + _block("bash", "## The journey with curl")
    environment = {**os.environ, "API": server.url, "TOKEN": TOKEN, "no_proxy": "*"}
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, check=True, timeout=600)
    assert moves(decode(tmp_path / "tuned.mp4"))
    with zipfile.ZipFile(tmp_path / "videos.zip") as archive:
        assert sum(name.endswith(".mp4") for name in archive.namelist()) == 8


def test_the_python_example_in_the_readme_works_verbatim(
    server: LiveServer, tmp_path: Path
) -> None:
    script = _block("python", "## The journey in Python")
    environment = {**os.environ, "WORKBENCH_OUTPUTS": str(server.outputs)}
    (tmp_path / "outputs").mkdir()
    subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, timeout=600
    )
    with zipfile.ZipFile(tmp_path / "outputs" / "videos.zip") as archive:
        assert sum(name.endswith(".mp4") for name in archive.namelist()) == 8


def test_every_named_command_and_file_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE))
    assert {"lab", "dashboard", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).is_file(), link
    notebooks = re.findall(r"`(notebooks/[\w.]+)`", README)
    assert notebooks
    for name in notebooks:
        assert (ROOT / name).is_file(), name
