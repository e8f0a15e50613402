"""Every command and every block of code that the README and the documentation show does what it says."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

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
    ("models.md", "python", "import workbench"): "here",
    ("prompts.md", "python", "import workbench"): "here",
    ("prompts.md", "sh", "curl -N"): "here",
    ("models.md", "bash", "export WORKBENCH_REMOTE"): "here",
}
"""Page, language and first words of a block → the test that runs it. All of research.md's are run."""
NEEDS_MORE: Final = {
    ("models.md", "python", "video = wb.render"): "two models' weights and a GPU",
    ("cluster.md", "python", "import subprocess, submitit"): "Slurm",
}
"""The blocks that cannot run here: they are read as Python, and what they name of ours is there."""


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield page, language and text of every block that is code to run."""
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text("utf-8")):
            if language in {"python", "bash", "toml", "sh", "json"}:
                yield page.name, language, text


def block(name: str, start: str) -> str:
    """Return the one block of a page that begins with ``start``."""
    (found,) = (text for page, _, text in blocks() if page == name and text.startswith(start))
    return found


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a shell that works in an outputs/ folder of its own."""
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
        timeout=180,
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
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_block_of_code_is_run_by_a_test() -> None:
    left = [
        (page, language, text.splitlines()[0])
        for page, language, text in blocks()
        if page != "research.md"
        and not any(
            (page, language) == known[:2] and text.startswith(known[2])
            for known in (*RUN_BY, *NEEDS_MORE)
        )
    ]
    assert left == []


@pytest.mark.parametrize(("page", "start"), [(page, start) for page, _, start in NEEDS_MORE])
def test_a_block_that_needs_more_than_a_test_has_names_what_there_is(page: str, start: str) -> None:
    import workbench

    tree = ast.parse(block(page, start))
    ours = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "wb"
    ]
    assert all(hasattr(workbench, name) for name in ours)
    methods = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert page != "models.md" or {"wait", "continued"} <= set(methods) & set(dir(workbench.Video))


def test_the_readme_s_shell_commands_render_and_list(
    environment: dict[str, str], tmp_path: Path
) -> None:
    told = _shell(block("README.md", "workbench run"), environment, tmp_path)
    assert "videos.zip" in told
    assert told.count("complete") >= 4


def test_every_make_target_that_is_named_has_steps() -> None:
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


def test_every_command_of_ours_that_is_named_in_a_sentence_is_one(
    environment: dict[str, str], tmp_path: Path
) -> None:
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


def test_every_module_that_is_to_be_run_is_there() -> None:
    for page in PAGES:
        for module in re.findall(r"`python -m ([a-z_.]+)", page.read_text("utf-8")):
            path = ROOT.joinpath(*module.split("."))
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_an_engine_is_found_by_the_entry_point_that_the_page_shows(
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


def test_a_model_that_is_not_here_is_answered_with_the_command_that_gets_it(
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


def test_the_endpoint_s_settings_are_the_ones_that_the_page_exports(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = block("models.md", "export WORKBENCH_REMOTE") + (
        f"'{sys.executable}' -c 'from workbench.settings import Settings; s = Settings(); "
        "print(s.remote_base_url, s.remote_model, s.remote_api_key.get_secret_value())'"
    )
    assert _shell(script, environment, tmp_path).split() == [
        "http://host:30000/v1", "my-model", "…",
    ]  # fmt: skip


def test_prompts_are_told_as_they_grow_as_the_page_shows(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = block("prompts.md", "import workbench") + (
        "import asyncio\nprint(asyncio.run(enhance('dog running')))\n"
    )
    told = _python(script, environment, tmp_path).strip().splitlines()
    assert len(told) == 8  # seven variations beside the prompt, then what counts
    assert "dog" in told[-1]


def test_a_prompt_comes_over_curl_as_events(tmp_path: Path) -> None:
    script = block("prompts.md", "curl -N")
    with LiveServer(tmp_path / "outputs") as server:
        environment = {**os.environ, "URL": server.url, "TOKEN": TOKEN, "no_proxy": "*"}
        told = _shell(script.replace("curl -N", "curl -sSN"), environment, tmp_path)
    assert "event: answer" in told
    assert "enhanced_prompt" in told
