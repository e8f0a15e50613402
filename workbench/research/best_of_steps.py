"""The steps of a best-of-N run: queue, await, judge, revise. Each is stored when it is done.

Knows one run and its plan; the run itself knows the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import NotFound, WorkbenchError
from workbench.jobs.model import Job, JobState, Priority
from workbench.measures.critics import standings, weights_from
from workbench.measures.scene_check.model import SceneCheck
from workbench.measures.scorers import better_when_lower
from workbench.rendering import RenderParameters
from workbench.research.best_of_plan import Plan, Revision, Round, cost_ratio
from workbench.research.best_of_previews import blank_in, lacking_in, preview_of
from workbench.research.best_of_revision import revised_prompt

if TYPE_CHECKING:
    from workbench.research.best_of import BestOf

__all__ = ["ASKED_FOR", "Step", "render_s"]

ASKED_FOR: Final = "asked_for"
"""The critic that asks the scene check: the share of what was asked for that a video shows."""

_WAVE: Final = 4
"""With a budget, drafts are queued in groups of this size; no group that may exceed it starts."""
_LOOK_S: Final = 1.0
_CANCELLED: Final = "cancelled"


class Step:
    """The next thing to do in a run."""

    def __init__(self, plan: Plan, run: BestOf, tell: Callable[[str], None]) -> None:
        self._plan, self._run = plan, run
        self._tell = tell
        self._studio = run.studio
        self._budget_s: float | None = plan.asked["budget_s"]

    def take(self) -> None:
        """Queue, await, judge or revise: take one step, and store it when it is done."""
        plan = self._plan
        if plan.number < 0:
            self._begin(plan.fresh)
            return
        here = plan.rounds[-1]
        self._await(here)
        if here.left and (count := self._group(here)):
            self._queue(here, here.left[:count])
            self._say(f"{plan.title}, {len(here.jobs)} queued")
            return
        for candidate in here.left:
            plan.dropped[candidate] = "not rendered: the budget is spent"
        self._judge(here)

    def end_cancelled(self) -> None:
        """Cancel the unfinished renders, and end the run."""
        plan = self._plan
        self._cancel([job.job_id for job in self._run.jobs(plan.job_ids) if not job.state.final])
        whole = {job.job_id for job in self._run.jobs(list(plan.whole_jobs.values())) if _has(job)}
        kept = {c for c, job_id in plan.whole_jobs.items() if job_id in whole}
        for candidate in range(plan.count):
            if candidate not in kept:
                plan.dropped.setdefault(candidate, _CANCELLED)
        self._end(_CANCELLED)

    # rendering

    def _begin(self, candidates: list[int]) -> None:
        plan, number = self._plan, self._plan.number + 1
        is_whole = number == len(plan.sizes) - 1
        generation = len(plan.revisions)
        values = plan.values_of(number)
        plan.rounds.append(Round(candidates, values, is_whole, generation=generation))
        self._run.save(plan)

    def _queue(self, here: Round, group: Sequence[int]) -> None:
        """Queue the next group; a crash before it is noted does not queue it twice."""
        plan, number = self._plan, len(self._plan.rounds) - 1
        batch = self._studio.run(
            self._studio.render_batch(
                [plan.prompt(candidate) for candidate in group],
                name=f"{self._run.name}, {plan.title}",
                session_id=plan.asked.get("session_id"),
                priority=Priority.BATCH,
                parameters=RenderParameters.of(here.values_of),
                seeds=[plan.asked["seed"] + candidate for candidate in group],
                idempotency_key=f"{self._run.name}-{plan.planned_at}-{number}-{here.waves}",
            )
        )
        here.jobs |= {c: job.job_id for c, job in zip(group, batch.jobs, strict=True)}
        here.waves += 1
        self._run.save(plan)

    def _await(self, here: Round) -> None:
        """Wait until every render of the round has ended or is deleted."""
        plan = self._plan
        stopped = [job_id for c, job_id in here.jobs.items() if c in plan.dropped]
        self._cancel(stopped)
        for job in self._jobs_of(here).values():
            if job.video_gone and job.job_id not in stopped:
                self._studio.jobs.retry(job.job_id)
        looks = plan.asked.get("stop_early", True) and not here.is_whole
        while ids := [job.job_id for job in self._jobs_of(here).values() if not job.state.final]:
            try:
                self._studio.jobs.wait(ids, _LOOK_S)
            except (TimeoutError, NotFound):
                if looks:
                    self._look(here)

    def _look(self, here: Round) -> None:
        """Stop the drafts whose previews fail; at least as many continue as are kept."""
        plan = self._plan
        for candidate, job in self._jobs_of(here).items():
            going_on = [c for c in here.jobs if c not in plan.dropped]
            if candidate in plan.dropped or len(going_on) <= plan.asked["keep"]:
                continue
            if job.state is not JobState.RUNNING or job.job_id in plan.looks:
                continue
            picture = preview_of(self._studio, job)
            fault = None if picture is None else blank_in(picture)
            if picture is None or fault is None:
                continue
            # Noted before a model is asked: a run that is killed after the answer must not pay again.
            plan.looks[job.job_id] = fault
            if not fault and ASKED_FOR in plan.asked["critics"]:
                self._run.save(plan)
                fault, tokens = lacking_in(self._studio, job, picture)
                plan.looks[job.job_id] = fault
                plan.tokens += tokens
            if fault:
                plan.dropped[candidate] = f"stopped at {job.progress:.0f} %: {fault}"
            self._run.save(plan)
            if fault:
                self._cancel([job.job_id])
                self._say(f"{plan.round_name}, draft {candidate} {plan.dropped[candidate]}")

    def _group(self, here: Round) -> int:
        """Return how many candidates to queue next: all without a budget, as many as fit with one.

        One whole render is always made, so drafts leave time for it.
        """
        if self._budget_s is None:
            return len(here.left)
        most = min(_WAVE, len(here.left))
        cost_s = self._cost_s(here)
        if cost_s <= 0:
            return most
        spare_s = self._budget_s - self._run.spent_s
        if not here.is_whole:
            spare_s -= cost_s * cost_ratio(here.values_of, self._plan.asked["parameters"])
        fitting = min(most, int(max(0.0, spare_s) / cost_s))
        is_first = here.is_whole and not here.jobs and not here.generation
        return max(1, fitting) if is_first else fitting

    def _cost_s(self, here: Round) -> float:
        """Return the expected seconds of a render of this round; 0 without earlier ones."""
        before = here if here.jobs else next(iter(self._plan.rounds[-2:-1]), here)
        taken = [render_s(job) for job in self._jobs_of(before).values() if _has(job)]
        mean_s = sum(taken) / len(taken) if taken else 0.0
        return mean_s * cost_ratio(before.values_of, here.values_of)

    # judging

    def _judge(self, here: Round) -> None:
        plan = self._plan
        jobs = self._jobs_of(here)
        for candidate in here.jobs:
            job = jobs.get(candidate)
            if job is None or not _has(job):
                told = "deleted" if job is None else job.error or job.state
                plan.dropped.setdefault(candidate, f"no video in {plan.round_name}: {told}")
        made = {c: job.job_id for c, job in jobs.items() if c not in plan.dropped}
        if not made or (here.is_whole and not self._revises):
            self._end()
        elif here.is_whole:
            self._judge_whole(here, made)
        else:
            self._halve(here, made)

    def _halve(self, here: Round, made: Mapping[int, str]) -> None:
        plan = self._plan
        here.values = self._criticised(made)
        here.standings = self._standings(here.values)
        order = sorted(made, key=lambda c: (-here.standings[c], c))
        size = plan.sizes[plan.number + 1]
        for place, candidate in enumerate(order[size:], size + 1):
            told = _values_told(here.values[candidate])
            plan.dropped[candidate] = f"place {place} of {len(order)} in {plan.round_name}: {told}"
        self._say(f"{plan.round_name}: kept {min(size, len(order))} of {len(here.candidates)}")
        self._begin(order[:size])

    def _judge_whole(self, here: Round, made: Mapping[int, str]) -> None:
        """Rank all whole videos, and start another generation if the best lacks something."""
        plan = self._plan
        here.values = self._criticised(made)
        whole = [one for one in plan.rounds if one.is_whole]
        values = {c: row for one in whole for c, row in one.values.items()}
        found = self._standings(values)
        for one in whole:
            one.standings = {c: found[c] for c in one.values}
        preferred = self._run.preferred()
        order = sorted(values, key=lambda c: (-preferred.get(c, 0.0), -found[c], c))
        best = plan.whole_jobs[order[0]]
        if len(plan.revisions) < plan.asked.get("revise", 0) and self._revise(here, order[0], best):
            return
        keep = plan.asked["keep"]
        for place, candidate in enumerate(order[keep:], keep + 1):
            told = _values_told(values[candidate])
            plan.dropped[candidate] = f"place {place} of {len(order)} whole videos: {told}"
        self._end(plan.note)

    def _revise(self, here: Round, candidate: int, job_id: str) -> bool:
        """Start a generation with a revised prompt; False, with a note, if there is none."""
        plan = self._plan
        check = self._check(job_id)
        if check is None or not check.missing:
            plan.note = "not revised: nothing is known to be missing"
            return False
        cheapest_s = self._cost_s(here) * cost_ratio(here.values_of, plan.values_of(0))
        if self._budget_s is not None and self._budget_s - self._run.spent_s < (
            cheapest_s + self._cost_s(here)
        ):
            plan.note = "not revised: the budget is spent"
            return False
        session_id = plan.session_id or plan.asked.get("session_id")
        session_id = session_id or self._studio.sessions.begin()
        if is_new := plan.revisions_begun == len(plan.revisions):
            plan.revisions_begun += 1
            plan.session_id = session_id
            self._run.save(plan)
        missing = [answer.wanted.removeprefix("exactly ") for answer in check.missing]
        prompt = revised_prompt(
            self._studio, session_id, plan.prompt(candidate), check.request, missing, is_new=is_new
        )
        plan.revisions.append(Revision(prompt, check.request, job_id))
        self._say(f"revision {len(plan.revisions)}: {check.request}")
        self._begin(plan.fresh)
        return True

    def _standings(self, values: Mapping[int, Mapping[str, float | None]]) -> dict[int, float]:
        voted = weights_from(self._run.agreement())
        lower = better_when_lower(self._studio.settings)
        rows = {str(candidate): row for candidate, row in values.items()}
        weights = voted if any(voted.values()) else None
        return {int(c): s for c, s in standings(rows, lower=lower, weights=weights).items()}

    def _criticised(self, made: Mapping[int, str]) -> dict[int, dict[str, float | None]]:
        critics: list[str] = self._plan.asked["critics"]
        scored = dict(zip(made, self._studio.jobs.measure(list(made.values())), strict=True))
        found: dict[int, dict[str, float | None]] = {}
        for candidate, job_id in made.items():
            scores = scored[candidate].scores or {}
            found[candidate] = {name: scores.get(name) for name in critics if name != ASKED_FOR}
            if ASKED_FOR in critics:
                found[candidate][ASKED_FOR] = _share_shown(self._check(job_id))
        return found

    def _check(self, job_id: str) -> SceneCheck | None:
        try:
            return self._studio.run(self._studio.check(job_id))
        except WorkbenchError:
            return None

    # small things

    @property
    def _revises(self) -> bool:
        return bool(self._plan.asked.get("revise"))

    def _jobs_of(self, one: Round) -> dict[int, Job]:
        """Return the jobs of a round by candidate; deleted ones are left out."""
        by_id = {job.job_id: job for job in self._run.jobs(list(one.jobs.values()))}
        return {c: by_id[job_id] for c, job_id in one.jobs.items() if job_id in by_id}

    def _cancel(self, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            try:
                self._studio.jobs.cancel(job_id)
            except NotFound:
                continue

    def _end(self, note: str = "") -> None:
        plan = self._plan
        plan.is_done, plan.note = True, note
        plan.winners = plan.survivors(self._run.preferred())
        self._run.save(plan)
        told = f"done, {len(self._run.winners)} rendered whole, {self._run.spent_s:.0f} s"
        self._say(f"{told}{f' ({note})' if note else ''}")

    def _say(self, text: str) -> None:
        self._tell(f"{self._run.name}: {text}")


def render_s(job: Job) -> float:
    """Return the seconds that a job's render took, as far as known."""
    if job.started_at is None or job.finished_at is None:
        return 0.0
    return max(0.0, (job.finished_at - job.started_at).total_seconds())


def _has(job: Job) -> bool:
    return job.state is JobState.COMPLETE


def _share_shown(check: SceneCheck | None) -> float | None:
    """Return the share of what was asked for that a video shows, among known answers, or None."""
    known = len(check.answers) - check.unknown if check else 0
    return check.found / known if check and known else None


def _values_told(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {'unknown' if value is None else format(value, '.3g')}"
        for name, value in values.items()
    )
