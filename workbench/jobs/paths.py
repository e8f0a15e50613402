"""File names of outputs/: the one place that knows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from workbench.errors import NotFound
from workbench.identifiers import Kind, is_identifier

__all__ = ["CHANNEL_FILES", "JobFiles", "JobPaths", "WalkFiles"]

CHANNEL_FILES: Final = MappingProxyType(
    {
        "camera": "camera.json",
        "depth": "depth.mkv",
        "segments": "segments.mkv",
        "boxes": "boxes.json",
        "flow": "flow.mkv",
        "edges": "edges.mkv",
        "gray": "gray.mkv",
        "frames": "frames.mkv",
        "latents": "latents.safetensors",
        "actions": "actions.npy",
        "facts": "channels.json",
    }
)
"""Channel → its file beside the video; ``facts`` names and scales the others."""

_CONTROL = ".workbench"
_ATTEMPT = ".attempt-"


@dataclass(frozen=True, slots=True)
class JobFiles:
    """The files of one job: published ones, and those of its attempts."""

    folder: Path

    @property
    def video(self) -> Path:
        """The finished video."""
        return self.folder / "video.mp4"

    @property
    def recipe(self) -> Path:
        """The recipe; exists only beside a video."""
        return self.folder / "recipe.json"

    @property
    def poster(self) -> Path:
        """A still of the finished video."""
        return self.folder / "poster.jpg"

    @property
    def preview(self) -> Path:
        """A small preview of a running render."""
        return self.folder / "preview.jpg"

    @property
    def scores(self) -> Path:
        """The scores of the finished video."""
        return self.folder / "scores.json"

    @property
    def check(self) -> Path:
        """Whether the finished video shows what its scene asks for."""
        return self.folder / "check.json"

    @property
    def judgement(self) -> Path:
        """The job's star and note."""
        return self.folder / "judgement.json"

    @property
    def log(self) -> Path:
        """The log of this job's renders, attempt after attempt."""
        return self.folder / "render.log"

    @property
    def asked(self) -> Path:
        """The submission of a single job, written when it is submitted."""
        return self.folder / "job.json"

    @property
    def ended(self) -> Path:
        """Marks how a job without a video ended, so that it is not queued again."""
        return self.folder / "ended.json"

    def channel(self, name: str) -> Path:
        """Return the file of a channel, one of ``CHANNEL_FILES``."""
        return self.folder / CHANNEL_FILES[name]

    def channels(self) -> list[Path]:
        """Return the existing channel files."""
        return [path for name in CHANNEL_FILES if (path := self.channel(name)).is_file()]

    def attempt(self, number: int) -> JobFiles:
        """Return the folder that attempt ``number`` (from 1) writes into."""
        return JobFiles(self.folder / f"{_ATTEMPT}{number}")

    def attempts_made(self) -> list[int]:
        """Return the numbers of the attempts whose folders are there now."""
        numbers = (path.name.removeprefix(_ATTEMPT) for path in self.attempts())
        return [int(number) for number in numbers if number.isdecimal()]

    def attempts(self) -> list[Path]:
        """Return the attempt folders that are there now."""
        return sorted(self.folder.glob(f"{_ATTEMPT}*"))


@dataclass(frozen=True, slots=True)
class WalkFiles:
    """The files of one walk through a live world, until its job needs them no more."""

    folder: Path

    @property
    def journal(self) -> Path:
        """What was done, line by line; it is there until the walk has become a job."""
        return self.folder / "walk.jsonl"

    @property
    def frames(self) -> Path:
        """The frames of a world that keys alone do not bring back."""
        return self.folder / "frames.bin"

    @property
    def jobs(self) -> Path:
        """The ids of the jobs that are made of the frames, one a line."""
        return self.folder / "jobs.txt"

    def note(self, job_id: str) -> None:
        """Note that a job is made of the frames."""
        with self.jobs.open("a", encoding="utf-8") as file:
            file.write(f"{job_id}\n")

    def noted(self) -> list[str]:
        """Return the ids of the jobs that are made of the frames."""
        return self.jobs.read_text("utf-8").split() if self.jobs.is_file() else []


class JobPaths:
    """Paths within one outputs/ folder, built from identifiers alone."""

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.control = control = outputs / _CONTROL
        """The folder of the workbench's own files."""
        self.lock = control / "supervisor.lock"
        """The supervisor's lock; its content identifies the holder."""
        self.log = control / "supervisor.log"
        """The supervisor's log, one JSON object per line."""
        self.socket = control / "supervisor.sock"
        """The supervisor's socket, if this file system supports sockets."""
        self.start_errors = control / "supervisor.start"
        """The output of a starting supervisor; removed once it has served for a few seconds."""
        self.temporary = control / "tmp"
        """The temporary folder of helper processes if the machine has no usable one."""
        self.cluster = control / "cluster.json"
        """The state of the cluster, if one was chosen."""
        self.cluster_log = control / "cluster.log"
        """The last output of the bridge to the cluster, including Ray's."""
        self.inputs = control / "inputs"
        """Images and videos that renders start from."""
        self.deleted = control / "deleted"
        """Folders of deleted jobs that can be restored."""
        self.live = control / "live"
        """Walks through live worlds that have not become jobs yet."""

    def job(self, job_id: str, batch_id: str | None = None) -> JobFiles:
        """Return the files of a job; raises ``NotFound`` for a malformed identifier."""
        if not is_identifier(job_id, Kind.JOB):
            raise NotFound("job", job_id)
        return JobFiles(self._parent(batch_id) / job_id)

    def walk(self, name: str) -> WalkFiles:
        """Return the files of a walk through a live world."""
        return WalkFiles(self.live / name)

    def walks(self) -> list[WalkFiles]:
        """Return the files of every walk that is still there, oldest first."""
        return [WalkFiles(folder) for folder in sorted(self.live.glob("*")) if folder.is_dir()]

    def batch_record(self, batch_id: str) -> Path:
        """Return the file of a batch's submission."""
        return self._parent(batch_id) / "batch.json"

    def preferences(self, batch_id: str) -> Path:
        """Return the file of the preferences between a batch's videos."""
        return self._parent(batch_id) / "preferences.jsonl"

    def records(self) -> Iterator[Path]:
        """Yield the record of every job and batch that was submitted, oldest first."""
        for folder in self._folders(self.outputs, Kind.JOB, Kind.BATCH):
            record = folder / ("batch.json" if folder.name[0] == Kind.BATCH else "job.json")
            if record.is_file():
                yield record

    def jobs(self) -> Iterator[tuple[str, str | None, JobFiles]]:
        """Yield job id, batch id and files of every job folder, oldest first."""
        for folder in self._folders(self.outputs, Kind.JOB, Kind.BATCH):
            if folder.name[0] == Kind.JOB:
                yield folder.name, None, JobFiles(folder)
                continue
            for inner in self._folders(folder, Kind.JOB):
                yield inner.name, folder.name, JobFiles(inner)

    def _parent(self, batch_id: str | None) -> Path:
        if batch_id is None:
            return self.outputs
        if not is_identifier(batch_id, Kind.BATCH):
            raise NotFound("batch", batch_id)
        return self.outputs / batch_id

    @staticmethod
    def _folders(parent: Path, *kinds: Kind) -> list[Path]:
        try:
            names = sorted(
                (
                    path
                    for path in parent.iterdir()
                    if any(is_identifier(path.name, k) for k in kinds)
                ),
                key=lambda path: path.name[2:],
            )
        except FileNotFoundError:
            return []
        return [path for path in names if path.is_dir()]
