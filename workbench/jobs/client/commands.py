"""``workbench jobs``, ``workbench doctor`` and ``workbench tidy``: thin wrappers of the manager."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from workbench.errors import WorkbenchError
from workbench.identifiers import Kind, is_identifier
from workbench.jobs.client.doctor import Verdict, examine
from workbench.jobs.client.manager import JobManager
from workbench.jobs.client.terminal import counted, details, json_line, line, shortened
from workbench.jobs.model import Job, JobState, Priority
from workbench.settings import Settings

__all__ = ["doctor", "jobs", "tidy"]


def jobs(arguments: Sequence[str]) -> int:
    """List and control jobs."""
    parser = argparse.ArgumentParser(prog="workbench jobs", description=jobs.__doc__)
    steps = parser.add_subparsers(dest="step", metavar="STEP")
    listing = steps.add_parser("list", help="list jobs, newest first (the default)")
    for one in (parser, listing):
        one.add_argument("--state", choices=[str(state) for state in JobState])
        one.add_argument("--query", default="", help="words of the prompt, or an id")
        one.add_argument("--limit", type=int, default=20)
        one.add_argument(
            "--sort", default="", metavar="SCORE", help="sort by a score; -SCORE for descending"
        )
        for name, end in (("min", "least"), ("max", "most")):
            one.add_argument(
                f"--{name}", action="append", default=[], type=_bound, metavar="SCORE=N",
                help=f"only jobs whose score is at {end} N",
            )  # fmt: skip
        one.add_argument("--json", action="store_true", help="one JSON object per line")
    for name in _STEPS:
        step = steps.add_parser(name, help=_STEPS[name][1])
        step.add_argument(
            "ids", nargs="+", metavar="ID", help="a job, or a batch for all of its jobs"
        )
    priority = steps.add_parser("priority", help="change the priority of a waiting job")
    priority.add_argument("ids", nargs=1, metavar="JOB")
    priority.add_argument("level", choices=[level.name.lower() for level in Priority])
    order = steps.add_parser("order", help="put waiting jobs in this order")
    order.add_argument("ids", nargs="+", metavar="JOB")
    for name, does in (("pause", "give no more jobs to"), ("resume", "give jobs again to")):
        step = steps.add_parser(name, help=f"{does} a device, or to any")
        step.add_argument("device", nargs="?", help="such as cuda:0; without one, the whole queue")
    delete = steps.add_parser("delete", help="delete ended or waiting jobs; undelete restores them")
    delete.add_argument(
        "ids", nargs="+", metavar="ID", help="a job, or a batch for all of its jobs"
    )
    delete.add_argument("--starred", action="store_true", help="also starred ones")
    undelete = steps.add_parser("undelete", help="restore deleted jobs")
    undelete.add_argument("ids", nargs="+", metavar="JOB")
    steps.add_parser("storage", help="disk space used by videos, per session")
    asked = parser.parse_args(arguments)
    return _guarded(lambda manager: _do(manager, asked))


def doctor(arguments: Sequence[str]) -> int:
    """Print the diagnosis; return 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="workbench doctor", description=doctor.__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
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
    parser.add_argument("--dry-run", action="store_true", help="only show what would be removed")
    asked = parser.parse_args(arguments)

    def remove(manager: JobManager) -> None:
        removals = manager.tidy(dry_run=asked.dry_run)
        for removal in removals:
            _say(f"{removal.job.job_id}  {removal.reason}  {shortened(removal.job.prompt)}")
        size = sum(removal.job.video_bytes for removal in removals)
        done = "would go" if asked.dry_run else "went"
        _say(f"{counted(len(removals), 'job')} {done}, {size / (1 << 20):.1f} MiB of videos")
        if not _retains(Settings()):
            _say("no retention is set: see WORKBENCH_RETENTION_DAYS, _JOBS and _BYTES")

    return _guarded(remove)


def _retains(settings: Settings) -> bool:
    limits = (settings.retention_days, settings.retention_jobs, settings.retention_bytes)
    return any(limit is not None for limit in limits)


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


_STEPS: Final[Mapping[str, tuple[Callable[[JobManager, Job], str], str]]] = MappingProxyType(
    {
        "show": (details, "show all details of jobs, and the paths of their files"),
        "cancel": (lambda jobs, job: line(jobs.cancel(job.job_id)), "end jobs that have not ended"),
        "retry": (
            lambda jobs, job: line(jobs.retry(job.job_id)),
            "queue failed or cancelled jobs again; of a batch, the failed ones",
        ),
        "star": (
            lambda jobs, job: line(jobs.star(job.job_id)),
            "star jobs, so that no retention removes them",
        ),
        "unstar": (lambda jobs, job: line(jobs.star(job.job_id, starred=False)), "unstar jobs"),
    }
)


def _do(manager: JobManager, asked: argparse.Namespace) -> None:
    match asked.step:
        case None | "list":
            _list(manager, asked)
        case "pause" | "resume":
            (manager.pause if asked.step == "pause" else manager.resume)(asked.device)
            _say(_paused(manager.paused()))
        case "priority":
            _say(line(manager.set_priority(asked.ids[0], Priority[asked.level.upper()])))
        case "delete":
            named = [job.job_id for job in _named(manager, asked.ids, failed_alone=False)]
            for job_id in manager.delete(named, starred=asked.starred):
                _say(f"{job_id}  deleted")
            hours = f"{Settings().undo_s / 3_600:g} h"
            _say(f"workbench jobs undelete restores them within {hours}")
        case "undelete":
            for job in manager.undelete(asked.ids):
                _say(line(job))
        case "storage":
            _storage(manager)
        case "order":
            for job in manager.reorder(asked.ids):
                _say(line(job))
        case _:
            step, _ = _STEPS[asked.step]
            for job in _named(manager, asked.ids, failed_alone=asked.step == "retry"):
                _say(step(manager, job))


def _named(manager: JobManager, ids: Sequence[str], *, failed_alone: bool) -> Iterator[Job]:
    """Yield the jobs of these ids, a batch's in its order."""
    for identifier in ids:
        if not is_identifier(identifier, Kind.BATCH):
            yield manager.job(identifier)
            continue
        for job in manager.batch(identifier).jobs:
            if not failed_alone or job.state is JobState.FAILED:
                yield job


def _storage(manager: JobManager) -> None:
    found = manager.storage()
    for session, (count, size) in sorted(found.by_session.items(), key=lambda item: -item[1][1]):
        _say(f"{session or 'no session':<24} {counted(count, 'job'):>10}  {_mib(size):>12}")
    _say(f"{'all':<24} {counted(found.job_count, 'job'):>10}  {_mib(found.video_bytes):>12}")
    if found.deleted_bytes:
        _say(f"deleted, can be restored: {_mib(found.deleted_bytes)}")


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"


def _list(manager: JobManager, asked: argparse.Namespace) -> None:
    state = JobState(asked.state) if asked.state else None
    least, most = dict(asked.min), dict(asked.max)
    page = manager.jobs(
        state=state,
        query=asked.query,
        sort=asked.sort,
        bounds={name: (least.get(name), most.get(name)) for name in {**least, **most}},
        limit=asked.limit,
    )
    for job in page.jobs:
        _say(json_line(job) if asked.json else line(job, score=asked.sort.removeprefix("-")))
    if asked.json:
        return
    shown = "" if len(page.jobs) == page.total else f"{len(page.jobs)} of "
    _say(f"{shown}{counted(page.total, 'job')}" if page.total else "no jobs")
    if paused := manager.paused():
        _say(_paused(paused))


def _bound(text: str) -> tuple[str, float]:
    """Return a score's name and a number from ``name=number``; argparse reports ``ValueError``."""
    name, _, number = text.partition("=")
    return name, float(number)


def _paused(names: frozenset[str]) -> str:
    if "" in names:
        return "the queue is paused; `workbench jobs resume` resumes it"
    return f"paused: {', '.join(sorted(names))}" if names else "nothing is paused"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
