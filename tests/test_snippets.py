"""Every command and code block in README and docs works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest

from tests.live_server import ROOT, TOKEN, LiveServer, end_supervisor

PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
RUN_BY: Final = {
    ("README.md", "bash", "make lab"): "here: the targets are there and make knows their steps",
    ("README.md", "bash", "workbench run"): "here",
    ("README.md", "python", "import workbench"): "test_readme.py",
    ("README.md", "bash", "API="): "test_readme.py",
    ("engines.md", "python", '"""An engine'): "test_docs.py",
    ("engines.md", "bash", "export WORKBENCH_ENGINES"): "test_docs.py",
    ("engines.md", "toml", "[project.entry-points"): "here",
    ("actions.md", "python", "prompt = session.tune"): "here",
    ("models.md", "python", "import workbench"): "here",
    ("models.md", "python", "# 24 GB"): "engines/diffusers/test_own_weights.py",
    ("prompts.md", "python", "import workbench"): "here",
    ("prompts.md", "sh", "curl -N"): "here",
    ("models.md", "bash", "export WORKBENCH_REMOTE"): "here",
    ("models.md", "python", "video = wb.render"): "here, with tiny weights for the page's",
    ("cluster.md", "bash", "pip install"): "here: it names a release and an extra of ours",
    ("cluster.md", "bash", "ray start"): "jobs/cluster/test_by_hand.py",
    ("cluster.md", "bash", "export WORKBENCH_CLUSTER"): "jobs/cluster/test_by_hand.py",
    ("cluster.md", "python", "import subprocess, submitit"): "jobs/cluster/test_by_hand.py",
}
"""Page, language and first words of a block → the test that runs it."""
RUN_WHOLE: Final = {"research.md": "research/test_docs.py", "worlds.md": "control/test_docs.py"}
"""Page → the test that runs all of its blocks."""


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield page, language and text of every block that is code to run."""
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text("utf-8")):
            if language in {"python", "bash", "toml", "sh", "json"}:
                yield page.name, language, text


def block(name: str, start: str) -> str:
    """Return the one block of a page that starts with ``start``."""
    (found,) = (text for page, _, text in blocks() if page == name and text.startswith(start))
    return found


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a shell with its own outputs/ folder."""
    outputs = tmp_path / "outputs"
    path = os.pathsep.join([str(ROOT), str(tmp_path), os.environ.get("PYTHONPATH", "")])
    yield {**os.environ, "WORKBENCH_OUTPUTS": str(outputs), "PYTHONPATH": path}
    end_supervisor(outputs)


def _shell(script: str, environment: dict[str, str], folder: Path) -> str:
    commands = f"set -euo pipefail\nworkbench() {{ '{sys.executable}' -m workbench.cli \"$@\"; }}\n"
    done = subprocess.run(
        ["bash", "-c", commands + script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _python(script: str, environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_block_of_code_is_run_by_a_test() -> None:
    left = [
        (page, language, text.splitlines()[0])
        for page, language, text in blocks()
        if page not in RUN_WHOLE
        and not any((page, language) == known[:2] and text.startswith(known[2]) for known in RUN_BY)
    ]
    assert left == []


def test_every_documented_installation_names_this_project_and_an_existing_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    shown = {
        (name, extra)
        for page in PAGES
        for name, extra in re.findall(
            r"pip install '?([a-z-]+)\[([a-z]+)\]", page.read_text("utf-8")
        )
    }
    assert ("world-model-workbench", "cluster") in shown
    for name, extra in shown:
        assert name == project["name"]
        assert extra in project["optional-dependencies"]


def test_the_readmes_shell_commands_render_and_list(
    environment: dict[str, str], tmp_path: Path
) -> None:
    told = _shell(block("README.md", "workbench run"), environment, tmp_path)
    assert "videos.zip" in told
    assert told.count("complete") >= 4


def test_every_named_make_target_exists() -> None:
    named = {
        word
        for page in PAGES
        for word in re.findall(r"(?:^|`)make ([a-z]+)\b", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"lab", "test", "dashboard"} <= named
    for target in named:
        asked = ["make", "--dry-run", target]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip(), target


def test_every_command_named_in_text_exists(environment: dict[str, str], tmp_path: Path) -> None:
    named = {
        command
        for page in PAGES
        for command in re.findall(r"`(workbench [a-z][^`]*)`", page.read_text("utf-8"))
    }
    assert "workbench doctor" in named
    for command in sorted(named):
        words = shlex.split(command)[1:]
        known = [*words[:2], "--help"] if words[0] == "jobs" else [words[0], "--help"]
        told = _python(f"from workbench.cli import main; main({known!r})", environment, tmp_path)
        for option in (word for word in words if word.startswith("--")):
            assert option in told, command


def test_every_documented_module_exists() -> None:
    named = {
        module
        for page in PAGES
        for module in re.findall(r"`python -m ([a-z_.]+)", page.read_text("utf-8"))
    }
    assert len(named) > 5
    for module in named:
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_the_documented_entry_point_registers_an_engine(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "colours.py").write_text(block("engines.md", '"""An engine'), "utf-8")
    groups = tomllib.loads(block("engines.md", "[project.entry-points"))["project"]["entry-points"]
    installed = tmp_path / "colours-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: colours\nVersion: 1.0\n")
    lines = [f"[{group}]\n{n} = {v}" for group, e in groups.items() for n, v in e.items()]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    script = """
import workbench as wb
print(wb.render("a dog at night", engine="colours").wait(60)[0].job.request.engine)
"""
    assert _python(script, environment, tmp_path).strip() == "colours"


def test_the_documented_error_for_a_missing_model_is_accurate(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = block("models.md", "import workbench")
    refused = f"""
from workbench.errors import WorkbenchError
try:
    {script.strip().splitlines()[-1]}.wait(120)
except WorkbenchError as error:
    print(error)
"""
    told = _python("import workbench as wb\n" + refused, environment, tmp_path)
    assert "Wan-AI/Wan2.1-T2V-1.3B-Diffusers" in told


def test_the_documented_continuation_and_first_image_work(
    environment: dict[str, str], tmp_path: Path
) -> None:
    from tests.engines.diffusers.tiny import save

    script = block("models.md", "video = wb.render")
    for name, model in re.findall(r'model="([^"]+/([^"]+))"', script):
        tiny = save({"LTX-Video": "ltx", "Wan2.2-TI2V-5B-Diffusers": "wan-2-2-5b"}[model], tmp_path)
        script = script.replace(name, str(tiny))
    cv2.imwrite(str(tmp_path / "start.png"), np.zeros((64, 64, 3), np.uint8))
    small = {"width": 64, "height": 64, "num_frames": 9, "num_inference_steps": 2}
    told = _python(
        "import functools, workbench as wb\n"
        "from workbench.jobs.client.manager import JobManager\n"
        "from workbench.settings import Settings\n"
        f"wb.render = functools.partial(wb.render, **{small!r})\n{script}\n"
        "jobs = JobManager(Settings())\n"
        "asked = [job.job_id for job in jobs.jobs().jobs if job.request.engine == 'diffusers']\n"
        "for job in jobs.wait(asked, 150):\n"
        "    print(job.state, job.error, job.request.prompt, job.request.width)\n",
        environment,
        tmp_path,
    )
    assert sorted(told.strip().splitlines()) == [
        "complete  a dog runs 64",
        "complete  a dog runs on a beach 64",
        "complete  the dog jumps into the sea 64",
    ]


def test_the_documented_endpoint_variables_are_settings(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = block("models.md", "export WORKBENCH_REMOTE") + (
        f"'{sys.executable}' -c 'from workbench.settings import Settings; s = Settings(); "
        "print(s.remote_base_url, s.remote_model, s.remote_api_key.get_secret_value())'"
    )
    assert _shell(script, environment, tmp_path).split() == [
        "http://host:30000/v1", "my-model", "…",
    ]  # fmt: skip


def test_the_documented_streaming_works(environment: dict[str, str], tmp_path: Path) -> None:
    script = block("prompts.md", "import workbench") + (
        "import asyncio\nprint(asyncio.run(enhance('dog running')))\n"
    )
    told = _python(script, environment, tmp_path).strip().splitlines()
    assert len(told) == 8  # seven variations beside the prompt, then what counts
    assert "dog" in told[-1]


def test_the_documented_actions_can_be_applied_and_repeated(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = (
        "import workbench as wb\n"
        "session, other = wb.enhance('a dog running on a beach'), wb.enhance('a cat on a roof')\n"
        + block("actions.md", "prompt = session.tune")
        + "print(*[action.kind for action in prompt.actions])\n"
        + "print(len(prompt.videos), session.settings.aspect, session.settings.seconds)\n"
    )
    kinds, told = _python(script, environment, tmp_path).strip().splitlines()
    assert kinds == "edit_field set_render render"
    assert told == "1 9:16 8.0"


def test_the_documented_curl_call_streams_events(tmp_path: Path) -> None:
    script = block("prompts.md", "curl -N")
    with LiveServer(tmp_path / "outputs") as server:
        environment = {**os.environ, "URL": server.url, "TOKEN": TOKEN, "no_proxy": "*"}
        told = _shell(script.replace("curl -N", "curl -sSN"), environment, tmp_path)
    assert "event: answer" in told
    assert "enhanced_prompt" in told
