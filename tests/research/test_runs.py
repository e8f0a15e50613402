"""Unattended runs: refused whole, resumed without duplicates, failures named."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.held import Hold
from tests.live_server import PATIENCE_S, ROOT, end_supervisor
from tests.research.conftest import SMALL
from workbench.control import ActionSequence, path_from_keys
from workbench.errors import InvalidRequest, RenderError
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.research.parameters import check
from workbench.research.report import Report
from workbench.research.runs import start_run

BROKEN = """
from workbench.engines.animatic.engine import AnimaticEngine
from workbench.errors import RenderError

class Moody(AnimaticEngine):
    '''Refuses cats.'''
    name = "moody"

    def complete(self, request):
        return super().complete(request).model_copy(update={"engine": self.name})

    def render(self, task):
        if "cat" in task.recipe.request.prompt:
            raise RenderError("no cats today")
        return super().render(task)
"""


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def _jobs(outputs: Path) -> int:
    manager = JobManager(wb.Settings(outputs=outputs))
    total = manager.jobs(limit=1).total
    manager.close()
    return total


def _command(outputs: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "run", *arguments],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_OUTPUTS": str(outputs), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_all_bad_parameters_are_reported_at_once_and_nothing_is_queued(
    studio: wb.Studio, tmp_path: Path
) -> None:
    before = studio.jobs.jobs(limit=1).total
    asked = {
        "prompts": ["", {"prompt": "a cat", "width": 3}, "a {red|blue"],
        "variations": 0,
        "axes": ["nose"],
        "engine": "nobody",
        "seeds": [],
        "num_frames": 10**6,
        "on_interrupt": "panic",
        "bogus": 1,
        "results": str(tmp_path / "never"),
    }
    with pytest.raises(InvalidRequest) as caught:
        start_run(asked, using=studio)
    fields = {p.field for p in caught.value.problems}
    assert fields >= {
        "prompts[0]", "prompts[1]", "variations", "axes", "engine", "seeds", "num_frames",
        "on_interrupt", "bogus",
    }  # fmt: skip
    for field in fields:
        assert field in str(caught.value)
    assert studio.jobs.jobs(limit=1).total == before
    assert not (tmp_path / "never").exists()


def test_a_run_renders_every_prompt_variation_and_seed(studio: wb.Studio, tmp_path: Path) -> None:
    asked = {
        "prompts": ["a {red|blue} kite"],
        "variations": 2,
        "axes": ["time_of_day"],
        "seeds": [5, 8],
        "results": tmp_path,
        **SMALL,
    }
    run = start_run(asked, using=studio).follow(lambda _: None).check()
    assert not run.resumed
    assert [job.request.seed for job in run.jobs] == [5, 8] * 4
    varied = [cell for cell in run.cells if cell.changes]
    assert len(varied) == 4
    assert {cell.labels["idea"] for cell in run.cells} == {"1", "2"}
    assert all("time_of_day" in cell.labels for cell in varied)
    assert {job.request.width for job in run.jobs} == {96}


def test_the_same_run_again_renders_nothing_and_another_does(
    studio: wb.Studio, tmp_path: Path
) -> None:
    asked = {"prompts": ["a lone kite"], "seeds": 2, "name": "again", **SMALL}
    first = start_run(asked, using=studio).follow(lambda _: None)
    ended = [job.finished_at for job in first.jobs]
    second = start_run(asked, using=studio).follow(lambda _: None)
    assert second.resumed
    assert second.batch.batch_id == first.batch.batch_id
    assert [job.finished_at for job in second.jobs] == ended
    other = start_run({**asked, "seeds": 3}, using=studio).follow(lambda _: None)
    assert not other.resumed
    assert other.folder != first.folder


def test_a_resumed_run_renders_only_what_is_missing(studio: wb.Studio) -> None:
    asked = {"prompts": ["a kite", "a boat", "a fox"], "name": "mend", **SMALL}
    first = start_run(asked, using=studio).follow(lambda _: None)
    kept = [job.finished_at for job in first.jobs]
    first.batch[1].path.unlink()
    second = start_run(asked, using=studio).follow(lambda _: None).check()
    now = [job.finished_at for job in second.jobs]
    assert (now[0], now[2]) == (kept[0], kept[2])
    assert now[1] != kept[1]
    assert second.batch[1].path.is_file()


def test_a_crash_between_planning_and_queueing_does_not_queue_twice(
    studio: wb.Studio, tmp_path: Path
) -> None:
    asked = {"prompts": ["a kite"], "name": "crash", "results": tmp_path, **SMALL}
    first = start_run(asked, using=studio).follow(lambda _: None)
    plan = json.loads((tmp_path / "run.json").read_text("utf-8"))
    (tmp_path / "run.json").write_text(json.dumps({**plan, "batch_id": ""}), "utf-8")
    assert start_run(asked, using=studio).batch.batch_id == first.batch.batch_id


def test_the_report_holds_every_job_with_its_labels_and_scores(
    studio: wb.Studio, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas")
    ideas = tmp_path / "ideas.csv"
    with ideas.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows(
            [["prompt", "seed", "group"], ["a <b>kite</b>", 4, "one"], ["sea", "", "two"]]
        )
    asked = {"prompts": ideas, "variations": 2, "results": tmp_path / "out", **SMALL}
    report = Report(start_run(asked, using=studio).follow(lambda _: None))
    archive = report.zip()
    assert archive is not None
    with zipfile.ZipFile(archive) as found:
        assert sum(name.endswith(".mp4") for name in found.namelist()) == 4
    document, parquet = report.write()
    told = json.loads(document.read_text("utf-8"))
    assert [row["label_group"] for row in told["jobs"]] == ["one", "one", "two", "two"]
    assert [row["seed"] for row in told["jobs"]] == [4, 4, 1, 1]
    assert all(Path(row["video"]).is_file() for row in told["jobs"])
    frame = pandas.read_parquet(parquet)
    assert list(frame["job_id"]) == [row["job_id"] for row in told["jobs"]]
    assert (frame["exposure"] > 0).all()
    table = report.table()._repr_html_()
    assert "<b>kite" not in table
    assert table.count("<a href=") == 4
    plots = report.plots("exposure")._repr_html_()
    assert plots.count("<svg") == 2
    counted = [int(n) for n in re.findall(r"n = (\d+)", plots.partition("</svg>")[0])]
    assert sum(counted) == 4  # whichever devices rendered them
    assert " ± " in plots
    assert report.sheet()._repr_html_().count("data:image/jpeg") == 4


def test_the_command_names_failed_jobs_after_finishing_the_others(
    outputs: Path, tmp_path: Path
) -> None:
    (tmp_path / "moody.py").write_text(BROKEN, "utf-8")
    environment = {
        "WORKBENCH_ENGINES": '{"moody": "moody:Moody"}',
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
    }
    results = tmp_path / "results"
    arguments = ["a kite", "a cat", "a boat", "--engine=moody", "--no-enhance", "--num-frames=5"]
    process = _command(outputs, *arguments, f"--results={results}", **environment)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1, err
    document = json.loads((results / "results.json").read_text("utf-8"))
    (failed,) = document["failed"]
    assert f"{failed}: no cats today" in err
    assert str(results / "videos.zip") in out
    with zipfile.ZipFile(results / "videos.zip") as found:
        assert sum(name.endswith(".mp4") for name in found.namelist()) == 2


def test_the_command_refuses_bad_parameters_with_status_2(outputs: Path) -> None:
    process = _command(outputs, "none.csv", "--variations=0", "--engine=nobody")
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "3 problems" in err
    assert not list(outputs.glob("b_*"))


def test_interrupting_the_command_cancels_unfinished_jobs_when_so_configured(
    outputs: Path, tmp_path: Path
) -> None:
    hold = Hold(tmp_path / "held", after=1)
    arguments = ["a kite", "--seeds=12", "--num-frames=5", "--on-interrupt=cancel"]
    process = _command(outputs, *arguments, **hold.environment)
    assert process.stderr is not None
    assert "1 of 12" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert "are cancelled" in err
    manager = JobManager(wb.Settings(outputs=outputs))
    try:
        (batch,) = manager.batches()
        jobs = manager.wait([job.job_id for job in batch.jobs], PATIENCE_S)
        states = Counter(job.state for job in jobs)
        assert states == {JobState.COMPLETE: 1, JobState.CANCELLED: 11}
    finally:
        manager.close()


def test_interrupting_leaves_the_jobs_running_by_default(studio: wb.Studio, tmp_path: Path) -> None:
    asked = {"prompts": ["a kite"], "seeds": 4, "results": tmp_path, **SMALL}
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        if len(told) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_run(asked, using=studio).follow(tell)
    assert "continues to render" in told[-1]
    assert start_run(asked, using=studio).follow(lambda _: None).check().resumed


def test_a_check_raises_for_a_cancelled_run_only(studio: wb.Studio, tmp_path: Path) -> None:
    studio.jobs.pause()
    asked: dict[str, Any] = {"prompts": ["a kite"], "results": tmp_path, **SMALL}
    try:
        run = start_run(asked, using=studio)
        run.batch.cancel()
        told: list[str] = []
        with pytest.raises(RenderError, match=run.jobs[0].job_id):
            run.follow(told.append).check()
        report = Report(run)
        assert report.zip() is None
        assert json.loads(report.write()[0].read_text("utf-8"))["failed"] == [run.jobs[0].job_id]
    finally:
        studio.jobs.resume()
    assert "1 of 1  cancelled" in told[0]
    assert start_run(asked, using=studio).follow(lambda _: None).check().resumed


def test_a_run_follows_the_camera_of_its_parameters_and_of_a_prompts_column(
    outputs: Path, tmp_path: Path
) -> None:
    prompts = tmp_path / "prompts.csv"
    prompts.write_text("prompt,camera\na dog runs,\na cat sits,w-4\n")
    path = tmp_path / "path.json"
    path.write_text(path_from_keys("d-4").value.model_dump_json())
    asked = {"prompts": prompts, "enhance": False, "camera": str(path), **SMALL}
    with wb.Studio(wb.Settings(outputs=outputs)) as studio:
        run = start_run(asked, using=studio).follow(lambda _: None)
        jobs = {job.request.prompt: job.request.camera for job in run.jobs}
        bad = {**asked, "camera": "a nice day", "prompts": ["a dog runs"]}
        with pytest.raises(InvalidRequest, match="camera: no movement is understood"):
            start_run(bad, using=studio)
    dog, cat = jobs["a dog runs"], jobs["a cat sits"]
    assert dog is not None
    assert dog.camera_path().c2w[-1, 0, 3] == pytest.approx(0.2)
    assert cat is not None
    assert cat.said == "w-4"


def test_actions_of_a_run_are_rows_a_file_or_a_mode_and_are_checked_before_anything_is_queued(
    outputs: Path, tmp_path: Path
) -> None:
    rows = [[0.5] * 10] * 4
    csv, named = tmp_path / "arm.csv", tmp_path / "arm.json"
    csv.write_text("\n".join(",".join(map(str, row)) for row in rows))
    named.write_text(ActionSequence.of(rows, "umi", fps=10).model_dump_json())
    ways: list[Any] = [
        {"embodiment": "umi", "values": rows},
        {"embodiment": "umi", "values": str(csv)},
        str(named),
        named,
    ]
    settings = wb.Settings(outputs=outputs)
    for way in ways:
        asked = {"prompts": ["an arm"], "engine": "diffusers", "actions": way}
        with pytest.raises(InvalidRequest) as caught:  # without a model nothing more is wrong
            check(asked, settings)
        assert [p.field for p in caught.value.problems] == ["model"]
    wrong = {
        "another width": ({"embodiment": "pusht", "values": str(csv)}, "2"),
        "no such body": ({"embodiment": "nobody", "mode": "policy"}, "not an embodiment"),
        "no such file": ({"embodiment": "umi", "values": str(tmp_path / "gone.npy")}, "gone"),
        "a storyboard": ({"embodiment": "umi", "mode": "policy"}, "does not accept actions"),
    }
    for way, told in wrong.values():
        with pytest.raises(InvalidRequest, match=told) as caught:
            check({"prompts": ["an arm"], "actions": way}, settings)
        assert "actions" in {p.field for p in caught.value.problems}
