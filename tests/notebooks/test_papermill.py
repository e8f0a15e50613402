"""papermill runs of batch.ipynb from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.held import Hold
from tests.live_server import PATIENCE_S, ROOT, end_supervisor
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.settings import Settings


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def _papermill(outputs: Path, target: Path, **parameters: Any) -> subprocess.CompletedProcess[str]:
    yaml = json.dumps(parameters)
    return subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/batch.ipynb", str(target), "-y", yaml],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_OUTPUTS": str(outputs)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_run_writes_its_report_and_a_repeat_renders_nothing(
    outputs: Path, tmp_path: Path
) -> None:
    target, results = tmp_path / "out.ipynb", tmp_path / "results"
    asked = {
        "prompts": ["a red kite"],
        "variations": 3,
        "num_frames": 9,
        "results": str(results),
    }
    run = _papermill(outputs, target, **asked)
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(results / "videos.zip") as found:
        assert sum(name.endswith(".mp4") for name in found.namelist()) == 3
    shown = target.read_text("utf-8")
    assert shown.count("data:image/jpeg;base64,") == 3
    assert shown.count("file://") == 3
    assert "Mean render time by device" in shown
    assert "3 of 3" in shown
    first = json.loads((results / "results.json").read_text("utf-8"))
    again = _papermill(outputs, target, **asked)
    assert again.returncode == 0, again.stderr
    assert "Taken up" in target.read_text("utf-8")
    second = json.loads((results / "results.json").read_text("utf-8"))
    created = [[job["job_id"], job["created_at"], job["attempt"]] for job in first["jobs"]]
    assert [[j["job_id"], j["created_at"], j["attempt"]] for j in second["jobs"]] == created


def test_a_robots_actions_are_a_parameter_and_reach_the_model(
    outputs: Path, tmp_path: Path
) -> None:
    pytest.importorskip("diffusers")
    from PIL import Image

    from tests.engines.diffusers.tiny import save

    model = save("cosmos-3-actions", tmp_path)
    Image.effect_noise((96, 96), 60).convert("RGB").save(tmp_path / "start.png")
    rows = [[0.01 * step] * 10 for step in range(4)]
    (tmp_path / "arm.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    actions = {"embodiment": "umi", "values": str(tmp_path / "arm.csv"), "resolution_tier": 256}
    run = _papermill(
        outputs, tmp_path / "out.ipynb", prompts=["the arm lifts the cup"], enhance=False,
        variations=1, engine="diffusers", model=str(model), profile="reference",
        num_inference_steps=2, num_frames=5, actions=actions, results=str(tmp_path / "results"),
        options={"image": str(tmp_path / "start.png"), "safety_checker": False, "previews": 0},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (job,) = json.loads((tmp_path / "results/results.json").read_text("utf-8"))["jobs"]
    manager = JobManager(Settings(outputs=outputs))
    request = manager.recipe(job["job_id"]).request
    manager.close()
    assert request.actions is not None
    assert request.actions.sequence().values == tuple(map(tuple, rows))
    assert f"the model is told {request.actions.label}" in request.options["as_rendered"]["notes"]


def test_bad_parameters_are_all_named_before_anything_is_rendered(
    outputs: Path, tmp_path: Path
) -> None:
    wrong = {"variations": 0, "engine": "nobody", "varations": 3}
    run = _papermill(outputs, tmp_path / "out.ipynb", prompts=["x"], **wrong)
    assert run.returncode != 0
    assert "varations: there is no such parameter; did you mean variations?" in run.stderr
    assert "no engine 'nobody'" in run.stderr
    assert "variations" in run.stderr
    assert not list(outputs.glob("b_*"))


def test_interrupting_a_run_cancels_its_jobs_when_so_configured(
    outputs: Path, tmp_path: Path
) -> None:
    asked = {"prompts": ["a kite"], "variations": 1, "seeds": 8, "num_frames": 9}
    hold = Hold(tmp_path / "held", after=1)
    process = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "papermill",
                "notebooks/batch.ipynb",
                str(tmp_path / "o.ipynb"),
            ),
            *("--log-output", "-y", json.dumps({**asked, "on_interrupt": "cancel"})),
        ],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_OUTPUTS": str(outputs), **hold.environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "1 of 8" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode != 0
    manager = JobManager(Settings(outputs=outputs))
    try:
        (batch,) = manager.batches()
        jobs = manager.wait([job.job_id for job in batch.jobs], PATIENCE_S)
        states = Counter(job.state for job in jobs)
        assert states == {JobState.COMPLETE: 1, JobState.CANCELLED: 7}
    finally:
        manager.close()
