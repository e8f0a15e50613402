"""A very full index: time to list, search, read a status and start, and memory use."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

import psutil

from benchmarks.report import Figure, percentile
from benchmarks.workplace import light, workplace
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.jobs.paths import JobPaths
from workbench.settings import Settings

__all__ = ["measure_full_index"]

_BATCH: Final = 2_000
_WORDS: Final = [
    "dog",
    "cat",
    "horse",
    "robot",
    "dancer",
    "train",
    "river",
    "forest",
    "city",
    "desert",
    "ocean",
    "storm",
    "sunrise",
    "night",
    "rain",
    "neon",
    "paper",
    "glass",
    "slow",
    "fast",
    "wide",
    "close",
    "golden",
    "silver",
    "quiet",
    "busy",
    "ancient",
    "future",
    "running",
    "flying",
]


def measure_full_index(count: int) -> list[Figure]:
    """Fill an index with ``count`` complete jobs, each with its files, and use it."""
    figures = []
    with workplace() as (settings, manager):
        manager._contact.launcher.enabled = False
        took, ids = _fill(manager, settings, count)
        manager._contact.launcher.enabled = True
        figures.append(Figure(f"{count:,} jobs, submitting {_BATCH:,} at once, median", took, "s"))
        asks: dict[str, Callable[[], object]] = {
            "list 50": manager.jobs,
            "list 50, of one state": lambda: manager.jobs(state=JobState.COMPLETE),
            "list 50, 40,000 jobs down": lambda: manager.jobs(cursor=str(count * 6 // 10)),
            "search two words": lambda: manager.jobs(query="dog storm"),
            "search one common word": lambda: manager.jobs(query="golden"),
            "search a word's beginning": lambda: manager.jobs(query="hor"),
            "search, of one state": lambda: manager.jobs(query="dog", state=JobState.COMPLETE),
            "status": lambda: manager.job(random.choice(ids)),
        }
        os.sync()  # measure the queries, not the end of the filling
        for name, ask in asks.items():
            times, worked = [], []
            for _ in range(40):
                began, before = time.perf_counter(), time.process_time()
                ask()
                times.append((time.perf_counter() - began) * 1e3)
                worked.append((time.process_time() - before) * 1e3)
            figures.append(Figure(f"– {name}, p95", percentile(times, 0.95), "ms", 20))
            figures.append(Figure(f"– {name}, median", percentile(times, 0.5), "ms"))
            # Comparable even on a machine with other load.
            figures.append(Figure(f"– {name}, processor time, p95", percentile(worked, 0.95), "ms"))
        figures += _starts(manager, settings)
    return figures


def _starts(manager: JobManager, settings: Settings) -> list[Figure]:
    manager.close()
    began = time.perf_counter()
    fresh = JobManager(settings)
    fresh.jobs()
    opened = time.perf_counter() - began
    fresh.ensure_supervisor()
    started = time.perf_counter() - began
    fresh.wait([fresh.submit(light()).job_id], 60)
    status = fresh.supervisor()
    assert status is not None
    memory = psutil.Process(status.pid).memory_info().rss / (1 << 20)
    fresh.close()
    environment = {**os.environ, **settings_environment(settings)}
    script = (
        "import time; t = time.perf_counter()\n"
        "from workbench.jobs.client.manager import JobManager\n"
        "from workbench.settings import Settings\n"
        "JobManager(Settings()).jobs()\n"
        "print(time.perf_counter() - t)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True
    )
    return [
        Figure("– a new process: import, open and list", float(said.stdout), "s", 2),
        Figure("– open and list", opened, "s", 2),
        Figure("– start of the supervisor until it answers", started, "s", 2),
        Figure("– memory of the supervisor", memory, "MB", 150),
    ]


def _fill(manager: JobManager, settings: Settings, count: int) -> tuple[float, list[str]]:
    """Submit ``count`` jobs and complete them by hand; return a batch's time, and all ids."""
    rng = random.Random(7)
    paths = JobPaths(settings.outputs)
    whole = b"".join(b"\0\0\0\x10" + box + bytes(8) for box in (b"ftyp", b"moov", b"mdat"))
    times, ids = [], []
    for _ in range(0, count, _BATCH):
        requests = [light(" ".join(rng.choices(_WORDS, k=40))) for _ in range(min(_BATCH, count))]
        began = time.perf_counter()
        batch = manager.submit_batch(requests)
        times.append(time.perf_counter() - began)
        # One file for a batch's folders: a file has room for 65,000 names on ext4.
        sample = settings.outputs.parent / f"{batch.batch_id}.mp4"
        sample.write_bytes(whole)
        recipe = settings.outputs.parent / f"{batch.batch_id}.json"
        recipe.write_text(json.dumps({"attempt": 1}))
        for job in batch.jobs:
            ids.append(job.job_id)
            files = paths.job(job.job_id, job.batch_id)
            files.folder.mkdir()
            os.link(sample, files.video)
            os.link(recipe, files.recipe)
        with manager._index.write() as writer:
            writer.execute(
                "UPDATE jobs SET state = 'complete', attempt = 1, progress = 100, finished_at = ?, "
                "video_bytes = 48, revision = ? WHERE state = 'queued'",
                (writer.now, writer.revision),
            )
    return percentile(times, 0.5), ids
