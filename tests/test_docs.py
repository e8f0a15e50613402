"""The documentation: examples run, generated pages are up to date, links work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from docs.rest_reference import TARGET, rest_reference
from tests.live_server import ROOT, end_supervisor
from tests.videos import decode

DOCS = ROOT / "docs"


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def test_the_example_engine_in_the_docs_renders(outputs: Path, tmp_path: Path) -> None:
    text = (DOCS / "engines.md").read_text("utf-8")
    module = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    setting = re.search(r"export WORKBENCH_ENGINES='(.*)'", text)
    assert module
    assert setting
    (tmp_path / "colours.py").write_text(module[1], "utf-8")
    script = """
import workbench as wb
night, day = wb.render(["a dog at night", "a dog at noon"], engine="colours").wait(300).videos
print(night.wait().path, day.wait().path, night.recipe.request.engine, sep="\\n")
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "WORKBENCH_OUTPUTS": str(outputs),
            "WORKBENCH_ENGINES": setting[1],
            "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    night, day, engine = run.stdout.split()
    assert engine == "colours"
    dark, bright = (decode(Path(path))[0].mean(axis=(0, 1)) for path in (night, day))
    assert np.argmax(dark) == 2
    assert np.argmax(bright) == 0
    assert Path(night).with_name("poster.jpg").is_file()


def test_the_rest_reference_is_up_to_date() -> None:
    assert TARGET.read_text("utf-8") == rest_reference(), "run python -m docs.rest_reference"


def test_every_link_between_pages_has_a_target() -> None:
    checked = 0
    for page in DOCS.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
                checked += 1
    assert checked > 20


def test_every_setting_that_the_documentation_names_exists() -> None:
    from workbench.settings import Settings

    text = (DOCS / "operations.md").read_text("utf-8") + (DOCS / "security.md").read_text("utf-8")
    named = set(re.findall(r"WORKBENCH_([A-Z_]+[A-Z])", text))
    assert "OUTPUTS" in named
    for name in named:
        assert name.lower() in Settings.model_fields, name


def test_every_setting_is_in_the_documentation() -> None:
    from workbench.settings import Settings

    text = (DOCS / "operations.md").read_text("utf-8") + (DOCS / "cluster.md").read_text("utf-8")
    named = set(re.findall(r"(?:WORKBENCH|…)_([A-Z_]+[A-Z])", text))
    assert {name.upper() for name in Settings.model_fields} - named == set()


def _build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet"]
    return subprocess.run(
        [*command, str(source), str(target)], capture_output=True, text=True, check=False
    )


def test_the_documentation_builds_without_a_warning_and_needs_no_network(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    built = _build(DOCS, tmp_path / "html")
    assert built.returncode == 0, built.stderr
    pages = {page.stem: page.read_text("utf-8") for page in (tmp_path / "html").glob("*.html")}
    assert {page.stem for page in DOCS.glob("*.md")} <= set(pages)
    fetched = re.compile(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']https?:")
    assert [name for name, page in pages.items() if fetched.search(page)] == []


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_text((DOCS / "conf.py").read_text("utf-8"), "utf-8")
    (source / "index.md").write_text("# One page\n\n[Another](nowhere.md)\n", "utf-8")
    broken = _build(source, tmp_path / "html")
    assert broken.returncode != 0
    assert "nowhere.md" in broken.stderr
