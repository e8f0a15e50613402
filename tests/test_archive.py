"""The ZIP of a batch: any number of videos with few descriptors, none silently left out."""

from __future__ import annotations

import csv
import io
import json
import resource
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from workbench.archive import BatchArchive
from workbench.errors import NotFound
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Batch, Job, JobState
from workbench.rendering import RenderRequest
from workbench.scene import Scene

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Folder:
    """A fake manager over finished jobs' files, with the methods the archive uses."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self.jobs = tuple(job_at(place) for place in range(count))
        for job in self.jobs:
            self._file(job.job_id, "mp4").write_bytes(job.job_id.encode())
            self._file(job.job_id, "json").write_text("{}")

    @property
    def manager(self) -> JobManager:
        return cast("JobManager", self)

    @property
    def batch(self) -> Batch:
        return Batch("b_0", "many", None, NOW, self.jobs)

    def video_path(self, job_id: str) -> Path:
        path = self._file(job_id, "mp4")
        if not path.exists():
            raise NotFound("file", job_id)
        return path

    def recipe_path(self, job_id: str) -> Path:
        return self._file(job_id, "json")

    def _file(self, job_id: str, ending: str) -> Path:
        return self._folder / f"{job_id}.{ending}"


def job_at(position: int) -> Job:
    """Return a finished job of a batch."""
    return Job(
        job_id=f"j_{position}",
        batch_id="b_0",
        position=position,
        session_id=None,
        entry_index=None,
        state=JobState.COMPLETE,
        priority=10,
        request=RenderRequest(prompt="a dog"),
        progress=100,
        stage="",
        message="",
        step=0,
        total_steps=0,
        device="cpu:0",
        gpu_id=None,
        attempt=1,
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
        error="",
        eta_s=None,
        queue_position=None,
        has_video=True,
        has_poster=True,
        preview_job_id=None,
        has_preview=False,
        parent_prompt="",
        revision=1,
    )


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    """At most 256 open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_descriptors")
def test_two_thousand_videos_fit_256_descriptors(tmp_path: Path) -> None:
    made = Folder(tmp_path, 2_000)
    archive = BatchArchive(made.manager, made.batch)
    written = archive.write(tmp_path / "videos.zip")
    assert written.stat().st_size == archive.size_bytes
    with zipfile.ZipFile(written) as found:
        assert found.testzip() is None
        manifest = json.loads(found.read("manifest.json"))
    assert len(manifest["videos"]) == 2_000
    assert manifest["missing"] == []


def test_the_zip_tells_its_videos_apart_and_lists_what_they_are(tmp_path: Path) -> None:
    made = Folder(tmp_path, 2)
    original, night = made.jobs
    scene = Scene(subject="a dog", time_of_day="night")
    asked = RenderRequest(prompt="a dog, at night", scene=scene, seed=7, width=832, height=480)
    varied = replace(
        night, request=asked, parent_prompt="a dog", starred=True, note='the "best", so far',
        scores={"motion": 0.25},
    )  # fmt: skip
    batch = replace(made.batch, jobs=(original, varied))
    written = BatchArchive(made.manager, batch).write(tmp_path / "videos.zip")
    with zipfile.ZipFile(written) as found:
        names = found.namelist()
        rows = list(csv.DictReader(io.StringIO(found.read("videos.csv").decode())))
    assert names[:4:2] == ["01_a-dog-original.mp4", "02_dog-night-832x480.mp4"]
    assert [row["file"] for row in rows] == names[:4:2]
    told = {name: rows[1][name] for name in ("prompt", "seed", "starred", "note", "motion")}
    assert told == {
        "prompt": "a dog, at night", "seed": "7", "starred": "True",
        "note": 'the "best", so far', "motion": "0.25",
    }  # fmt: skip


def test_a_deleted_video_is_listed_as_missing(tmp_path: Path) -> None:
    made = Folder(tmp_path, 3)
    made.video_path("j_1").unlink()
    written = BatchArchive(made.manager, made.batch).write(tmp_path / "videos.zip")
    with zipfile.ZipFile(written) as found:
        manifest = json.loads(found.read("manifest.json"))
    assert [entry["job_id"] for entry in manifest["videos"]] == ["j_0", "j_2"]
    assert [(one["job_id"], one["error"]) for one in manifest["missing"]] == [
        ("j_1", "Its video is gone.")
    ]


@pytest.mark.parametrize("harm", ["removed", "shortened", "unreadable"])
def test_an_unreadable_video_aborts_the_zip_instead_of_being_left_out(
    tmp_path: Path, harm: str
) -> None:
    made = Folder(tmp_path, 3)
    archive = BatchArchive(made.manager, made.batch)
    video = made.video_path("j_1")
    video.unlink()
    if harm == "shortened":
        video.write_bytes(b"j")
    elif harm == "unreadable":
        video.mkdir()
    with pytest.raises(OSError, match=r"j_1|directory"):
        archive.write(tmp_path / "videos.zip")
    assert not (tmp_path / "videos.zip").exists()
    assert list(tmp_path.glob(".*.part")) == []
