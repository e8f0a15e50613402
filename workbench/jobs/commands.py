"""``workbench jobs``, ``workbench doctor`` and ``workbench tidy``: thin over the manager."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from workbench.errors import WorkbenchError
from workbench.jobs.doctor import Verdict, examine
from workbench.jobs.manager import JobManager
from workbench.jobs.model import Job, JobState, Priority
from workbench.settings import Settings

__all__ = ["doctor", "jobs", "tidy"]

_PROMPT_CHARS: Final = 60


def jobs(arguments: Sequence[str]) -> int:
    """List and steer jobs."""
    parser = argparse.ArgumentParser(prog="workbench jobs", description=jobs.__doc__)
    steps = parser.add_subparsers(dest="step", metavar="STEP")
    listing = steps.add_parser("list", help="list jobs, newest first (the default)")
    for one in (parser, listing):
        one.add_argument("--state", choices=[str(state) for state in JobState])
        one.add_argument("--query", default="", help="words of the prompt, or an id")
        one.add_argument("--limit", type=int, default=20)
        one.add_argument("--json", action="store_true", help="one JSON object a line")
    for name in _STEPS:
        step = steps.add_parser(name, help=f"{name} jobs")
        step.add_argument("ids", nargs="+", metavar="JOB")
    priority = steps.add_parser("priority", help="give a waiting job another priority")
    priority.add_argument("ids", nargs=1, metavar="JOB")
    priority.add_argument("level", choices=[level.name.lower() for level in Priority])
    for name in ("pause", "resume"):
        step = steps.add_parser(name, help=f"{name} a device, or the whole queue")
        step.add_argument("device", nargs="?")
    asked = parser.parse_args(arguments)
    return _guarded(lambda manager: _do(manager, asked))


def doctor(arguments: Sequence[str]) -> int:
    """Say what jobs depend on here, what is wrong, and what to do; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="workbench doctor", description=doctor.__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = parser.parse_args(arguments)
    findings = examine(Settings())
    for found in findings:
        if asked.json:
            facts = {"verdict": found.verdict, "what": found.what, "found": found.found}
            _say(json.dumps({**facts, "advice": found.advice}))
            continue
        _say(f"{found.verdict:<6} {found.what}: {found.found}")
        if found.advice:
            _say(f"       → {found.advice}")
    return int(any(found.verdict is Verdict.BAD for found in findings))


def tidy(arguments: Sequence[str]) -> int:
    """Remove the ended jobs that the retention settings no longer keep."""
    parser = argparse.ArgumentParser(prog="workbench tidy", description=tidy.__doc__)
    parser.add_argument("--dry-run", action="store_true", help="only show what would go")
    asked = parser.parse_args(arguments)

    def remove(manager: JobManager) -> None:
        removals = manager.tidy(dry_run=asked.dry_run)
        for removal in removals:
            _say(f"{removal.job.job_id}  {removal.reason}  {_short(removal.job.prompt)}")
        size = sum(removal.job.video_bytes for removal in removals)
        done = "would go" if asked.dry_run else "went"
        _say(f"{len(removals)} jobs {done}, {size / (1 << 20):.1f} MiB of videos")

    return _guarded(remove)


def _guarded(step: Callable[[JobManager], None]) -> int:
    manager = JobManager(Settings())
    try:
        step(manager)
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        manager.close()
    return 0


_STEPS: Final[Mapping[str, Callable[[JobManager, str], Job]]] = MappingProxyType(
    {
        "show": lambda manager, job_id: manager.job(job_id),
        "cancel": lambda manager, job_id: manager.cancel(job_id),
        "retry": lambda manager, job_id: manager.retry(job_id),
        "star": lambda manager, job_id: manager.star(job_id),
        "unstar": lambda manager, job_id: manager.star(job_id, starred=False),
    }
)


def _do(manager: JobManager, asked: argparse.Namespace) -> None:
    if asked.step in {None, "list"}:
        state = JobState(asked.state) if asked.state else None
        page = manager.jobs(state=state, query=asked.query, limit=asked.limit)
        for job in page.jobs:
            _say(_as_json(job) if asked.json else _line(job))
        if not asked.json:
            _say(f"{len(page.jobs)} of {page.total} jobs")
    elif asked.step == "pause":
        manager.pause(asked.device)
    elif asked.step == "resume":
        manager.resume(asked.device)
    elif asked.step == "priority":
        _say(_line(manager.set_priority(asked.ids[0], Priority[asked.level.upper()])))
    else:
        for job_id in asked.ids:
            _say(_line(_STEPS[asked.step](manager, job_id)))


def _line(job: Job) -> str:
    where = job.device or (f"#{job.queue_position}" if job.queue_position is not None else "-")
    told = job.error or job.request.prompt
    done = f"{job.progress:3.0f}%"
    return f"{job.job_id}  {job.created_at:%m-%d %H:%M}  {job.state:<9} {done}  {where:<7} {_short(told)}"


def _as_json(job: Job) -> str:
    return json.dumps(
        {
            "job_id": job.job_id,
            "batch_id": job.batch_id,
            "state": job.state,
            "progress": job.progress,
            "device": job.device,
            "attempt": job.attempt,
            "created_at": job.created_at.isoformat(),
            "prompt": job.request.prompt,
            "error": job.error,
        }
    )


def _short(text: str) -> str:
    flat = "".join(letter if letter.isprintable() else " " for letter in text)
    return flat if len(flat) <= _PROMPT_CHARS else f"{flat[: _PROMPT_CHARS - 1]}…"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
