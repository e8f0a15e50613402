"""Control and camera paths as axes: one path on several models, one prompt by several controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import workbench as wb
from tests.live_server import end_supervisor
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.errors import InvalidRequest
from workbench.research.command import run
from workbench.research.runs import start_run

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

Models = Callable[[str], Path]

PROMPT = "a red car on a coast road"
SHAPE: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 9, "num_inference_steps": 2}
LIMIT_S = 300


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[wb.Studio]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(outputs))
    with wb.Studio(wb.Settings(outputs=outputs)) as made:
        yield made
    end_supervisor(outputs)


def _notes(video: wb.Video) -> list[str]:
    return list(video.recipe.request.options[AS_RENDERED]["notes"])


def test_one_path_runs_on_two_models_and_the_storyboard(studio: wb.Studio, models: Models) -> None:
    vace, ltx = str(models("wan-vace")), str(models("ltx"))
    shape = {**SHAPE, "profile": "reference", "camera": "orbit left 20 degrees", "using": studio}
    axes: dict[str, Any] = {"engine": ["diffusers", "animatic"], "model": [vace, ltx]}
    made = wb.grid(PROMPT, design="one_at_a_time", **axes, **shape).wait(LIMIT_S)
    requests = [video.job.request for video in made.batch.videos]
    assert [one.engine for one in requests] == ["diffusers", "animatic", "diffusers"]
    assert [Path(one.model).name for one in requests[::2]] == ["wan-vace", "ltx"]
    cameras = [one.camera for one in requests]
    assert all(camera is not None for camera in cameras)
    assert {camera.said for camera in cameras if camera} == {"orbit left 20 degrees"}
    assert [camera.way for camera in cameras if camera] == ["words", "poses", "words"]
    ends = [camera.camera_path().poses(9)[-1] for camera in cameras if camera]
    assert all(np.allclose(end, ends[0], atol=1e-9) for end in ends)
    for video in (made.batch.videos[0], made.batch.videos[2]):
        told = "the model is told the camera path in words, in the prompt"
        assert told in _notes(video)
        assert "orbit" in video.job.request.text_for_model


def test_control_is_an_axis_of_a_grid(studio: wb.Studio, models: Models, tmp_path: Path) -> None:
    drawn: dict[str, Any] = {
        "engine": "animatic",
        "channels": ["edges"],
        "using": studio,
        "fps": 16,
    }
    shape = {name: SHAPE[name] for name in ("width", "height", "num_frames")}
    (storyboard,) = wb.render(PROMPT, **drawn, **shape).wait(LIMIT_S).videos
    edges, film = storyboard.wait(LIMIT_S).channel("edges"), storyboard.path
    model = {"engine": "diffusers", "model": str(models("wan-vace")), "profile": "reference"}
    asked = {**SHAPE, **model, "fps": 16, "using": studio}
    ways = ["depth", edges, f"gray from {film}"]
    made = wb.grid(PROMPT, control=ways, **asked).wait(LIMIT_S)
    named = ("depth", f"edges={storyboard.job_id}", f"gray from {film}")
    assert made.axes["control"] == named
    videos = list(made.batch.videos)
    assert [video.state for video in videos] == ["complete"] * 3
    first, second, third = (video.job.request.options["control"] for video in videos)
    assert first["storyboard"]
    assert first["video"].endswith("depth.mkv")
    assert second["video"] == str(edges.path)
    assert third["video"] == str(film)
    assert not third["ready"]
    assert "the model follows the edges of a storyboard" in _notes(videos[1])
    assert any(note.startswith("the control is the video's gray") for note in _notes(videos[2]))
    with pytest.raises(InvalidRequest, match="control"):
        wb.grid(PROMPT, control=["depth", "smell"], **asked)
    missing = f"depth={storyboard.job_id}"
    with pytest.raises(InvalidRequest, match="has no depth"):
        wb.grid(PROMPT, control=[missing], **asked)


def test_control_is_a_parameter_of_a_run_a_column_and_an_option_of_the_command(
    studio: wb.Studio,
    models: Models,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("workbench.research.runs.studio", lambda: studio)
    model = {"engine": "diffusers", "model": str(models("wan-vace")), "profile": "reference"}
    shape = {**SHAPE, **model, "fps": 16, "enhance": False}
    file = tmp_path / "prompts.csv"
    file.write_text("prompt,control\na red car on a coast road,\na white boat on a lake,edges\n")
    asked = {"prompts": file, "control": "depth", **shape}
    done = start_run(asked, using=studio).follow().check()
    kinds = [job.request.options["control"]["kind"] for job in done.jobs]
    assert kinds == ["depth", "edges"]
    assert all(job.follows == job.preview_job_id for job in done.jobs)
    assert start_run(asked, using=studio).resumed
    with pytest.raises(InvalidRequest, match="needs the weights of a model that estimates depth"):
        start_run({**asked, "control": f"depth from {file}"}, using=studio)

    flags = [f"--{k.replace('_', '-')}={v}" for k, v in shape.items() if k != "enhance"]
    assert run([PROMPT, "--no-enhance", "--control", "edges", *flags]) == 0
    newest = max(studio.jobs.jobs().jobs, key=lambda job: job.created_at)
    assert newest.request.options["control"]["kind"] == "edges"
    assert run([PROMPT, "--no-enhance", "--control", "segments", *flags]) == 2
    assert "takes control by" in capsys.readouterr().err.replace("\n", " ")
