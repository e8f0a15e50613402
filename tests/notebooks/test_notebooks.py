"""The notebooks run from top to bottom, and their runs see the same jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import papermill
import pytest
from nbclient import NotebookClient

from tests.live_server import end_supervisor
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.settings import Settings

NOTEBOOKS = Path(__file__).resolve().parent.parent.parent / "notebooks"


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(folder))
    yield folder
    end_supervisor(folder)


def _read(name: str) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.read(NOTEBOOKS / name, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def _run(name: str, folder: Path) -> nbformat.NotebookNode:
    notebook = _read(name)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return notebook


def test_the_tour_runs_and_every_render_of_it_completes(outputs: Path, tmp_path: Path) -> None:
    notebook = _run("tour.ipynb", tmp_path)
    told = "".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )
    assert "time of day" in told
    assert "MiB with 8 videos" in told
    shown = notebook.cells[-1].outputs[-1].data["text/html"]
    assert shown.count("<video ") == 8
    assert shown.count("autoplay") == 8
    assert "<progress" not in shown
    assert "widget-view" in str(notebook.cells), "the wait shows a bar"
    manager = JobManager(Settings(outputs=outputs))
    jobs = manager.jobs(limit=50).jobs
    manager.close()
    assert len(jobs) == 10
    assert {job.state for job in jobs} == {JobState.COMPLETE}


def test_best_of_renders_the_winners_whole_and_says_what_was_dropped(
    outputs: Path, tmp_path: Path
) -> None:
    asked = {
        "n": 3,
        "keep": 1,
        "critics": ["sharpness"],
        "draft": {"width": 64, "height": 64},
        "parameters": {"num_frames": 5, "width": 96, "height": 64, "fps": 24},
    }
    notebook = papermill.execute_notebook(
        str(NOTEBOOKS / "best_of.ipynb"), str(tmp_path / "out.ipynb"), asked, cwd=str(tmp_path)
    )
    told = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())
    )
    assert told.count("in round 1") == 2
    assert "asked for" in told
    manager = JobManager(Settings(outputs=outputs))
    jobs = manager.jobs(limit=50).jobs
    manager.close()
    assert sorted(job.request.width or 0 for job in jobs) == [64, 64, 64, 96]


@pytest.mark.parametrize("name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_a_notebook_is_committed_clean(name: str) -> None:
    notebook = _read(name)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_worlds_goes_from_an_idea_to_a_tree_of_eight_branches(
    outputs: Path, tmp_path: Path
) -> None:
    asked = {"width": 128, "height": 96, "seconds": 1.0}
    notebook = papermill.execute_notebook(
        str(NOTEBOOKS / "worlds.ipynb"), str(tmp_path / "out.ipynb"), asked, cwd=str(tmp_path)
    )
    told = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())
    )
    assert "8 branches" in told
    assert told.count("equal up to the fork: True") == 8
    shown = notebook.cells[-1].outputs[-1].data["text/html"]
    assert shown.count("<video ") == 8
    manager = JobManager(Settings(outputs=outputs))
    jobs = manager.jobs(limit=50).jobs
    manager.close()
    assert len(jobs) == 1 + 2 + 8, "the storyboard, the trunk in two segments, eight branches"
    assert {job.state for job in jobs} == {JobState.COMPLETE}
