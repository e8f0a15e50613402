"""Best-of-N as one durable run: many drafts, judged in rounds, and only the best rendered whole.

Every step is written to the run's folder before and after it is taken. Whoever repeats the call with
the same name and parameters goes on where it ended, in any process: finished renders are kept, and
each batch is queued once, whatever dies in between.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from filelock import FileLock, Timeout

from workbench.errors import Conflict, FieldProblem, InvalidRequest, NotFound, WorkbenchError
from workbench.jobs.model import Job, JobState, Priority
from workbench.journey import Video, studio
from workbench.journey.tables import data_frame
from workbench.journey.videos import named_inputs
from workbench.measures.critics import (
    Agreement,
    agreements,
    standings,
    weights_from,
)
from workbench.measures.preferences import add_preference, preferences
from workbench.measures.scorers import better_when_lower, score_names
from workbench.rendering import RenderParameters
from workbench.research.best_of_plan import Plan, Round, cost_ratio
from workbench.studio import Studio

__all__ = ["ASKED_FOR", "BestOf", "best_of", "seconds_of"]

ASKED_FOR: Final = "asked_for"
"""The critic that asks the scene check: the share of what was asked for that a video shows."""

_PLAN: Final = "best_of.json"
_LOCK: Final = ".best_of.run.lock"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")
_VOTES: Final = "preferences.jsonl"
_RUNS: Final = "runs"
_DRAFT: Final[Mapping[str, Any]] = {"profile": "draft"}
_WAVE: Final = 4
"""With a budget, drafts are queued in groups of this many: no group is begun that might exceed it."""
_UNITS: Final = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0}
_BUDGET: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:gpu[- ])?(s|sec|min|h)\s*", re.IGNORECASE)


def best_of(
    prompt: str | Sequence[str],
    *,
    n: int = 16,
    keep: int = 2,
    budget: str | float | None = None,
    draft: Mapping[str, Any] | None = None,
    critics: Sequence[str] = (ASKED_FOR,),
    seed: int = 1,
    name: str = "best-of",
    using: Studio | None = None,
    **parameters: Any,
) -> BestOf:
    """Plan a best-of-N run, or open the one with the same name and parameters; renders nothing yet.

    ``n`` drafts with seeds from ``seed`` on, of one prompt or of several in turn, are rendered with
    ``parameters`` and ``draft`` laid over them (the profile ``draft`` if not given) and judged by
    ``critics``: names of scores, and ``asked_for``, the scene check. Where both say
    ``num_inference_steps``, half survive each round and get more steps; otherwise one round decides.
    The ``keep`` best are rendered with ``parameters`` alone. ``budget`` bounds the time of all
    renders together: seconds, or such as ``"20 GPU-min"``.

    :meth:`BestOf.follow` carries the run out. Raises ``InvalidRequest`` naming what is wrong.
    """
    used = using or studio()
    asked: dict[str, Any] = {
        "prompts": [prompt] if isinstance(prompt, str) else list(prompt),
        "n": n,
        "keep": keep,
        "budget_s": seconds_of(budget),
        "draft": dict(_DRAFT if draft is None else draft),
        "critics": list(critics),
        "seed": seed,
        "parameters": parameters,
    }
    _check(asked, used)
    asked |= {part: _plain(asked[part]) for part in ("draft", "parameters")}
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "best-of"
    folder = used.settings.outputs / _RUNS / f"{slug}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".best_of.lock"):
        plan = Plan.read(folder / _PLAN) or Plan(json.loads(text), datetime.now(UTC).isoformat())
        plan.write(folder / _PLAN)
    return BestOf(folder, using=used)


class BestOf:
    """A best-of-N run: a view on its folder, and the one that carries it out."""

    def __init__(self, folder: Path, *, using: Studio) -> None:
        self.folder = folder
        self.studio = using
        self._path = folder / _PLAN

    @property
    def name(self) -> str:
        """The run's name with its digest; its folder in ``outputs/runs``."""
        return self.folder.name

    @property
    def is_done(self) -> bool:
        """Whether the survivors are rendered whole."""
        return self._plan.is_done

    @property
    def winners(self) -> tuple[Video, ...]:
        """The videos rendered whole, best draft first; none until the run is done."""
        plan = self._plan
        if not plan.is_done or not plan.rounds[-1].is_whole:
            return ()
        last = plan.rounds[-1]
        left = [last.jobs[c] for c in last.candidates if c in last.jobs and c not in plan.dropped]
        return tuple(Video(job_id, using=self.studio) for job_id in left)

    @property
    def spent_s(self) -> float:
        """Seconds that its renders took so far, on all devices together."""
        return sum(_render_s(job) for job in self.jobs(self._plan.job_ids))

    @classmethod
    def open(cls, name: str, *, using: Studio) -> Self:
        """Return the run of this name, digest included; raises ``NotFound``."""
        folder = using.settings.outputs / _RUNS / name
        if not _NAME.fullmatch(name) or not (folder / _PLAN).is_file():
            raise NotFound("run", name)
        return cls(folder, using=using)

    def follow(self, tell: Callable[[str], None] = print, *, wait: bool = True) -> Self:
        """Carry the run out to its end, telling of each round; returns at once if it is done.

        Only one process carries a run out at a time: a second one waits for it or, without
        ``wait``, raises ``Conflict``. After a crash, call it again.
        """
        try:
            lock = FileLock(self.folder / _LOCK, timeout=-1 if wait else 0).acquire()
        except Timeout as error:
            raise Conflict(f"Another process carries out the run {self.name}.") from error
        with lock:
            while not (plan := self._plan).is_done:
                _Step(plan, self).take(tell)
        return self

    def report(self) -> list[dict[str, Any]]:
        """Return one row for each candidate, the best first.

        Prompt, seed, round reached, its last job, the critics' values, its standing (0 to 1), and
        why it was dropped; empty for the survivors.
        """
        plan = self._plan
        rows = []
        for candidate in range(plan.asked["n"]):
            met = [r for r in plan.rounds if candidate in r.jobs]
            last = met[-1] if met else None
            judged = next((r for r in reversed(met) if candidate in r.standings), None)
            rows.append(
                {
                    "candidate": candidate,
                    "prompt": plan.prompt(candidate),
                    "seed": plan.asked["seed"] + candidate,
                    "rounds": len(met),
                    "job_id": last.jobs[candidate] if last else None,
                    "standing": judged.standings[candidate] if judged else None,
                    "values": judged.values.get(candidate, {}) if judged else {},
                    "dropped": plan.dropped.get(candidate, ""),
                }
            )
        return sorted(rows, key=lambda r: (-r["rounds"], -(r["standing"] or 0), r["candidate"]))

    def to_dataframe(self) -> Any:
        """Return :meth:`report` as a ``pandas.DataFrame`` by candidate; or ``Unavailable``."""
        return data_frame(self.report(), "candidate")

    def prefer(self, better: int, worse: int) -> Self:
        """Record that one candidate is better than another; later rounds weigh the critics by it."""
        among = [str(n) for n in range(self._plan.asked["n"])]
        add_preference(self.folder / _VOTES, str(better), str(worse), among)
        return self

    def agreement(self) -> tuple[Agreement, ...]:
        """Return how often each critic preferred what was preferred, with 95 % intervals."""
        values: dict[str, Mapping[str, float | None]] = {}
        for one in self._plan.rounds:
            values |= {str(candidate): found for candidate, found in one.values.items()}
        return agreements(values, self.votes, lower=better_when_lower(self.studio.settings))

    @property
    def votes(self) -> list[tuple[str, str]]:
        """The recorded preferences: better, worse."""
        return [(vote.better, vote.worse) for vote in preferences(self.folder / _VOTES)]

    @property
    def _plan(self) -> Plan:
        plan = Plan.read(self._path)
        if plan is None:
            raise InvalidRequest(f"The plan of the run {self.name} cannot be read.")
        return plan

    @property
    def job_ids(self) -> list[str]:
        """The jobs of all rounds, in the order in which they were queued."""
        return self._plan.job_ids

    def jobs(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Return jobs of the run as they are now."""
        return tuple(self.studio.jobs.job(job_id) for job_id in job_ids)

    def save(self, plan: Plan) -> None:
        """Keep the plan."""
        plan.write(self._path)

    def __repr__(self) -> str:
        return f"<BestOf {self.name}: {'done' if self.is_done else 'not done'}>"


class _Step:
    """The next thing to do in a run."""

    def __init__(self, plan: Plan, run: BestOf) -> None:
        self._plan, self._run = plan, run
        self._studio = run.studio
        self._budget_s: float | None = plan.asked["budget_s"]

    def take(self, tell: Callable[[str], None]) -> None:
        """Queue, await or judge: one step, kept when it is done."""
        plan = self._plan
        if not plan.rounds:
            self._begin(list(range(plan.asked["n"])))
            return
        here = plan.rounds[-1]
        number = len(plan.rounds)
        self._await(here)
        if here.left and (count := self._group(here)):
            self._queue(here, here.left[:count])
            tell(f"{self._run.name}: round {number} of {len(plan.sizes)}, {len(here.jobs)} queued")
            return
        for candidate in here.left:
            plan.dropped[candidate] = "not rendered: the budget is spent"
        self._judge(here, tell, number)

    def _begin(self, candidates: list[int]) -> None:
        number = len(self._plan.rounds)
        is_whole = number == len(self._plan.sizes) - 1
        self._plan.rounds.append(Round(candidates, self._plan.values_of(number), is_whole))
        self._run.save(self._plan)

    def _queue(self, here: Round, group: Sequence[int]) -> None:
        """Queue the next group; a crash before it is noted does not queue it twice."""
        number = len(self._plan.rounds) - 1
        batch = self._studio.run(
            self._studio.render_batch(
                [self._plan.prompt(candidate) for candidate in group],
                name=f"{self._run.name}, round {number + 1}",
                priority=Priority.BATCH,
                parameters=RenderParameters.of(here.values_of),
                seeds=[self._plan.asked["seed"] + candidate for candidate in group],
                idempotency_key=f"{self._run.name}-{self._plan.planned_at}-{number}-{here.waves}",
            )
        )
        here.jobs |= {c: job.job_id for c, job in zip(group, batch.jobs, strict=True)}
        here.waves += 1
        self._run.save(self._plan)

    def _await(self, here: Round) -> None:
        if not here.jobs:
            return
        for job in self._run.jobs(list(here.jobs.values())):
            if job.video_gone:
                self._studio.jobs.retry(job.job_id)
        self._studio.jobs.wait(list(here.jobs.values()))

    def _group(self, here: Round) -> int:
        """Return how many candidates to queue next: all without a budget, as many as fit with one.

        One whole render is always made, and drafts leave room for it.
        """
        if self._budget_s is None:
            return len(here.left)
        most = min(_WAVE, len(here.left))
        cost_s = self._cost_s(here)
        if cost_s <= 0:
            return most
        whole_s = cost_s * cost_ratio(here.values_of, self._plan.asked["parameters"])
        spare_s = self._budget_s - self._run.spent_s - (0.0 if here.is_whole else whole_s)
        fitting = min(most, int(max(0.0, spare_s) / cost_s))
        return max(1, fitting) if here.is_whole and not here.jobs else fitting

    def _cost_s(self, here: Round) -> float:
        """Return what a render of this round takes, judged by those before it; 0 where none is."""
        before = here if here.jobs else next(iter(self._plan.rounds[-2:-1]), here)
        jobs = self._run.jobs(list(before.jobs.values()))
        taken = [seconds for job in jobs if (seconds := _render_s(job)) > 0]
        mean_s = sum(taken) / len(taken) if taken else 0.0
        return mean_s * cost_ratio(before.values_of, here.values_of)

    def _judge(self, here: Round, tell: Callable[[str], None], number: int) -> None:
        plan = self._plan
        jobs = dict(zip(here.jobs, self._run.jobs(list(here.jobs.values())), strict=True))
        for candidate, job in jobs.items():
            if job.state is not JobState.COMPLETE:
                plan.dropped[candidate] = f"no video in round {number}: {job.error or job.state}"
        made = {c: job.job_id for c, job in jobs.items() if job.state is JobState.COMPLETE}
        if here.is_whole or not made:
            plan.is_done = True
            self._run.save(plan)
            tell(f"{self._run.name}: done, {len(made)} rendered whole, {self._run.spent_s:.0f} s")
            return
        here.values = self._criticised(made)
        voted = weights_from(self._run.agreement()) if self._run.votes else None
        rows = {str(c): found for c, found in here.values.items()}
        lower = better_when_lower(self._studio.settings)
        here.standings = {int(c): s for c, s in standings(rows, lower=lower, weights=voted).items()}
        order = sorted(made, key=lambda c: (-here.standings[c], c))
        size = plan.sizes[number]
        for place, candidate in enumerate(order[size:], size + 1):
            plan.dropped[candidate] = _why(place, len(order), number, here.values[candidate])
        tell(
            f"{self._run.name}: round {number}: kept {min(size, len(order))} of {len(here.candidates)}"
        )
        self._begin(order[:size])

    def _criticised(self, made: Mapping[int, str]) -> dict[int, dict[str, float | None]]:
        critics: list[str] = self._plan.asked["critics"]
        scored = dict(zip(made, self._studio.jobs.measure(list(made.values())), strict=True))
        found: dict[int, dict[str, float | None]] = {}
        for candidate, job_id in made.items():
            scores = scored[candidate].scores or {}
            found[candidate] = {name: scores.get(name) for name in critics if name != ASKED_FOR}
            if ASKED_FOR in critics:
                found[candidate][ASKED_FOR] = self._shown(job_id)
        return found

    def _shown(self, job_id: str) -> float | None:
        """Return the share of what was asked for that a video shows, of what is known; or None."""
        try:
            check = self._studio.run(self._studio.check(job_id))
        except WorkbenchError:
            return None
        known = len(check.answers) - check.unknown
        return check.found / known if known else None


def _render_s(job: Job) -> float:
    if job.started_at is None or job.finished_at is None:
        return 0.0
    return max(0.0, (job.finished_at - job.started_at).total_seconds())


def _why(place: int, of: int, number: int, values: Mapping[str, float | None]) -> str:
    told = ", ".join(
        f"{name} {'unknown' if value is None else format(value, '.3g')}"
        for name, value in values.items()
    )
    return f"place {place} of {of} in round {number}: {told}"


def seconds_of(budget: str | float | None) -> float | None:
    """Return a budget such as "20 GPU-min" in seconds; raises ``InvalidRequest``."""
    if budget is None:
        return None
    found = _BUDGET.fullmatch(budget) if isinstance(budget, str) else None
    value = float(found[1]) * _UNITS[found[2].lower()] if found else budget
    if isinstance(value, str) or not 0 < value < float("inf"):
        problem = 'must be seconds, or a text such as "20 GPU-min"'
        raise InvalidRequest(f"The budget {problem}.", (FieldProblem("budget", problem),))
    return float(value)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return render parameters as JSON data, videos and paths named."""
    return RenderParameters.of(named_inputs(values)).model_dump(mode="json", exclude_none=True)


def _check(asked: Mapping[str, Any], used: Studio) -> None:
    """Raise ``InvalidRequest`` with every problem, before anything is kept."""
    most = used.settings.max_batch_prompts
    known = {ASKED_FOR, *score_names(used.settings)}
    problems = []
    if not asked["prompts"] or not all(isinstance(p, str) and p.strip() for p in asked["prompts"]):
        problems.append(FieldProblem("prompt", "must not be empty"))
    if not 1 <= asked["n"] <= most:
        problems.append(FieldProblem("n", f"must be 1 to {most}"))
    if not 1 <= asked["keep"] <= asked["n"]:
        problems.append(FieldProblem("keep", "must be at least 1 and at most n"))
    if unknown := [name for name in asked["critics"] if name not in known]:
        names = ", ".join(sorted(known))
        problems.append(FieldProblem("critics", f"{', '.join(unknown)}: choose among {names}"))
    if not asked["critics"]:
        problems.append(FieldProblem("critics", "name at least one"))
    for field_name in ("parameters", "draft"):
        try:
            _plain(asked[field_name])
        except (InvalidRequest, TypeError) as error:
            problems.append(FieldProblem(field_name, str(error)))
        if "seed" in asked[field_name]:
            problems.append(FieldProblem(field_name, "give seed beside them"))
    if problems:
        told = "; ".join(f"{p.field}: {p.problem}" for p in problems)
        raise InvalidRequest(f"The run is not valid. {told}.", tuple(problems))
