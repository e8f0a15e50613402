"""The finished videos of a batch as one ZIP, generated while it is read.

Decides the names of its files; gets the videos from the job manager.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from zipstream import ZipStream

from workbench.captions import Captions
from workbench.errors import Conflict, NotFound
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Batch, Job, JobState
from workbench.measures.scores import SCORE_NAMES

__all__ = ["BatchArchive"]

_CHUNK_BYTES: Final = 1 << 18
_SLUG_CHARS: Final = 60


class BatchArchive:
    """One ZIP of a batch's finished videos, their recipes, a table and a manifest.

    Files are named by what distinguishes each video: see :class:`Captions`. ``among`` are the
    videos to distinguish them from, if more than the batch.

    Files are opened one at a time, so that any number needs only a few descriptors. A finished
    video is never left out silently: one that cannot be read ends the ZIP with an ``OSError``, one
    that is gone is listed in the manifest as missing. Raises ``Conflict`` if no video has finished.
    """

    def __init__(self, jobs: JobManager, batch: Batch, among: Iterable[Job] = ()) -> None:
        self._zip = ZipStream(sized=True)
        captions = Captions((*among, *batch.jobs))
        self.name = f"{batch_slug(batch)}.zip"
        included: list[dict[str, object]] = []
        rows: list[dict[str, object]] = []
        gone: set[str] = set()
        for job in batch.jobs:
            if job.state is not JobState.COMPLETE:
                continue
            try:
                video, recipe = jobs.video_path(job.job_id), jobs.recipe_path(job.job_id)
            except NotFound:
                gone.add(job.job_id)
                continue
            caption = captions.of(job)
            stem = video_stem(job, caption)
            self._add(video, f"{stem}.mp4")
            self._add(recipe, f"recipes/{stem}.json")
            included.append(_manifest_entry(job, f"{stem}.mp4", f"recipes/{stem}.json"))
            rows.append(_row(job, f"{stem}.mp4", caption))
        if not included:
            raise Conflict(
                f"No video of batch {batch.batch_id} has finished yet; try again when one has."
            )
        self._zip.add(_table(rows), "videos.csv")
        self._zip.add(_manifest(batch, included, gone), "manifest.json")

    @property
    def size_bytes(self) -> int:
        """Length of the whole ZIP."""
        return len(self._zip)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._zip

    def write(self, path: Path) -> Path:
        """Write the ZIP to ``path`` (aside first, then renamed) and return it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.part")
        try:
            with aside.open("wb") as out:
                for chunk in self:
                    out.write(chunk)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return path

    def _add(self, path: Path, name: str) -> None:
        size = path.stat().st_size
        self._zip.add(_chunks(path, size), name, size=size)


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    """Yield a file of ``size`` bytes; raises ``OSError`` if it was replaced meanwhile."""
    sent = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            sent += len(chunk)
            yield chunk
    if sent != size:
        raise OSError(f"{path} changed while it was read: {sent:,} bytes instead of {size:,}.")


def video_stem(job: Job, caption: str) -> str:
    """Return a readable, portable file name for ``job``'s video, without its suffix."""
    return f"{job.position + 1:02d}_{_slug(caption) or job.job_id}"


def batch_slug(batch: Batch) -> str:
    """Return a readable, portable name for ``batch``."""
    named = _slug(batch.name)
    return f"{named}_{batch.batch_id}" if named else f"videos_{batch.batch_id}"


def _slug(text: str) -> str:
    plain = (
        unicodedata.normalize("NFKD", text.replace("×", "x"))
        .encode("ascii", "ignore")
        .decode()
        .lower()
    )
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) <= _SLUG_CHARS:
        return words
    return words[:_SLUG_CHARS].rsplit("-", 1)[0]


def _table(rows: Sequence[dict[str, object]]) -> bytes:
    """Return the videos as CSV: UTF-8, a header, one line each."""
    out = io.StringIO(newline="")
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(out, fieldnames=list(columns))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _row(job: Job, video: str, caption: str) -> dict[str, object]:
    request = job.request
    scores = job.scores or {}
    return {
        "file": video,
        "number": job.position + 1,
        "caption": caption,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "engine": request.engine,
        "model": request.model,
        "seed": request.seed,
        "width": request.width,
        "height": request.height,
        "num_frames": request.num_frames,
        "fps": request.fps,
        "num_inference_steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale,
        "profile": request.profile,
        "loras": " ".join(f"{lora.path}:{lora.weight:g}" for lora in request.loras),
        "starred": job.starred,
        "note": job.note,
        **dict.fromkeys(SCORE_NAMES),
        **scores,
        "device": job.device,
        "job_id": job.job_id,
    }


def _manifest(batch: Batch, included: Sequence[dict[str, object]], gone: AbstractSet[str]) -> bytes:
    document = {
        "batch_id": batch.batch_id,
        "name": batch.name,
        "created_at": batch.created_at.isoformat(),
        "videos": included,
        "missing": [
            {
                "job_id": job.job_id,
                "prompt": job.request.prompt,
                "state": job.state,
                "error": "Its video is gone." if job.job_id in gone else job.error,
            }
            for job in batch.jobs
            if job.job_id not in {entry["job_id"] for entry in included}
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def _manifest_entry(job: Job, video: str, recipe: str) -> dict[str, object]:
    return {
        "file": video,
        "recipe": recipe,
        "job_id": job.job_id,
        "prompt": job.request.prompt,
        "seed": job.request.seed,
        "engine": job.request.engine,
        "model": job.request.model,
        "device": job.device,
        "has_audio": job.has_audio,
    }
