"""Best-of-N as one durable run: many drafts, judged in rounds, and only the best rendered whole.

Every step is written to the run's folder before and after it is taken. Repeating the call with the
same name and parameters resumes the run, in any process: finished renders are kept, and each batch
is queued once, whatever process dies in between.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from filelock import FileLock, Timeout

from workbench.errors import Conflict, FieldProblem, InvalidRequest, NotFound
from workbench.jobs.model import Job, JobState
from workbench.journey import Video, studio
from workbench.journey.tables import data_frame
from workbench.journey.videos import named_inputs
from workbench.measures.critics import Agreement, agreements
from workbench.measures.preferences import add_preference, preferences
from workbench.measures.rankings import next_pair
from workbench.measures.scorers import better_when_lower, score_names
from workbench.rendering import RenderParameters
from workbench.research.best_of_plan import Plan
from workbench.research.best_of_steps import ASKED_FOR, Step, render_s
from workbench.research.best_of_votes import places, star_votes, strengths
from workbench.studio import Studio

__all__ = ["ASKED_FOR", "BestOf", "best_of", "runs_of_session", "seconds_of"]

_PLAN: Final = "best_of.json"
_LOCK: Final = ".best_of.run.lock"
_CANCELLED: Final = "cancelled"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")
_VOTES: Final = "preferences.jsonl"
_RUNS: Final = "runs"
_DRAFT: Final[Mapping[str, Any]] = {"profile": "draft"}
_PATIENCE_S: Final = 2.0
"""Checking whether a run is carried out takes its lock for a moment."""
_MOST_REVISIONS: Final = 3
_LISTED: Final = 50
"""Most runs listed for a session."""
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
    stop_early: bool = True,
    revise: int = 0,
    seed: int = 1,
    name: str = "best-of",
    session_id: str | None = None,
    using: Studio | None = None,
    **parameters: Any,
) -> BestOf:
    """Plan a best-of-N run, or open the one with the same name and parameters; renders nothing yet.

    ``n`` drafts with seeds from ``seed`` on, of one prompt or of several in turn, are rendered with
    ``parameters`` overridden by ``draft`` (by default the profile ``draft``) and judged by
    ``critics``: names of scores, and ``asked_for``, the scene check. If both specify
    ``num_inference_steps``, half survive each round and get more steps; otherwise there is one
    round. The ``keep`` best are rendered with ``parameters`` alone. ``budget`` limits the total
    time of all renders: seconds, or text such as ``"20 GPU-min"``.

    With ``stop_early`` a draft is stopped after half its steps if its preview is blank or, with the
    critic ``asked_for`` and a vision model, lacks the subject. With ``revise`` (0 to 3) the prompt
    of the best whole video is revised by its scene check, at most so many times, then drafted,
    judged and rendered again; the ``keep`` best of all whole videos win. The renders belong to the
    session ``session_id``, if any.

    :meth:`BestOf.follow` carries out the run. Raises ``InvalidRequest`` with every problem,
    ``NotFound`` for an unknown session.
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
    # Defaults of later parameters are left out, so that an older run keeps its name.
    later = {
        "session_id": (session_id, None),
        "revise": (revise, 0),
        "stop_early": (stop_early, True),
    }
    asked |= {key: value for key, (value, usual) in later.items() if value != usual}
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


def runs_of_session(session_id: str, *, using: Studio) -> list[BestOf]:
    """Return the runs whose renders belong to a session, newest first, at most 50."""
    folder = using.settings.outputs / _RUNS
    found = (BestOf(path.parent, using=using) for path in folder.glob(f"*/{_PLAN}"))
    own = [run for run in found if run.session_id == session_id]
    return sorted(own, key=lambda run: run.planned_at, reverse=True)[:_LISTED]


class BestOf:
    """A best-of-N run: reads its folder and carries it out."""

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
        """Whether the survivors are rendered whole or the run is cancelled."""
        return self.plan.is_done

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled before it was done."""
        return (self.folder / _CANCELLED).exists()

    @property
    def is_followed(self) -> bool:
        """Whether a process is carrying it out now."""
        try:
            with FileLock(self.folder / _LOCK, timeout=0):
                return False
        except Timeout:
            return True

    @property
    def session_id(self) -> str | None:
        """The session that its renders belong to; None if none, or if its plan is unreadable."""
        try:
            session: str | None = self.plan.asked.get("session_id")
        except InvalidRequest:
            return None
        return session

    @property
    def planned_at(self) -> str:
        """Time of planning, ISO 8601."""
        return self.plan.planned_at

    @property
    def winners(self) -> tuple[Video, ...]:
        """The videos rendered whole, best first; none until the run is done.

        The person's order as of its end comes first, then the critics'.
        """
        plan = self.plan
        if not plan.is_done:
            return ()
        jobs = plan.whole_jobs
        order = plan.winners if plan.winners is not None else plan.survivors({})
        return tuple(Video(jobs[c], using=self.studio) for c in order)

    @property
    def spent_s(self) -> float:
        """Seconds of rendering so far, summed over all devices."""
        return sum(render_s(job) for job in self.jobs(self.plan.job_ids))

    @classmethod
    def open(cls, name: str, *, using: Studio) -> Self:
        """Return the run of this name, digest included; raises ``NotFound``."""
        folder = using.settings.outputs / _RUNS / name
        if not _NAME.fullmatch(name) or not (folder / _PLAN).is_file():
            raise NotFound("run", name)
        return cls(folder, using=using)

    def follow(self, tell: Callable[[str], None] = print, *, wait: bool = True) -> Self:
        """Carry out the run to its end, reporting each round; returns at once if it is done.

        Only one process carries out a run at a time: a second one waits for it or, without
        ``wait``, raises ``Conflict``. After a crash, call it again.
        """
        try:
            lock = FileLock(self.folder / _LOCK, timeout=-1 if wait else _PATIENCE_S).acquire()
        except Timeout as error:
            raise Conflict(f"Another process is executing the run {self.name}.") from error
        with lock:
            while not (plan := self.plan).is_done:
                step = Step(plan, self, tell)
                if self.is_cancelled:
                    step.end_cancelled()
                else:
                    step.take()
        return self

    def cancel(self) -> Self:
        """Cancel the run: its unfinished renders are cancelled, and no others are started.

        Finished renders are kept. Does nothing if the run is done. To try again, use another seed.
        """
        if self.is_done:
            return self
        (self.folder / _CANCELLED).touch()
        for job in self.jobs(self.plan.job_ids):
            if not job.state.final:
                self.studio.jobs.cancel(job.job_id)
        if not self.is_followed:
            self.follow(lambda _line: None)
        return self

    def report(self) -> list[dict[str, Any]]:
        """Return one row per candidate, best first.

        Prompt, seed, round reached, its last job, the critics' values, its standing (0 to 1), the
        person's place for it (from 1, None without a vote or star), and why it was dropped; empty
        for the survivors.
        """
        plan = self.plan
        by_person = places(self.preferred())
        rows = []
        for candidate in range(plan.count):
            met = [r for r in plan.rounds if candidate in r.jobs]
            last = met[-1] if met else None
            judged = next((r for r in reversed(met) if candidate in r.standings), None)
            rows.append(
                {
                    "candidate": candidate,
                    "prompt": plan.prompt(candidate),
                    "seed": plan.asked["seed"] + candidate,
                    "rounds": len(met),
                    "is_whole": bool(last and last.is_whole),
                    "job_id": last.jobs[candidate] if last else None,
                    "standing": judged.standings[candidate] if judged else None,
                    "place": by_person.get(candidate),
                    "values": judged.values.get(candidate, {}) if judged else {},
                    "dropped": plan.dropped.get(candidate, ""),
                }
            )
        return sorted(
            rows,
            key=lambda r: (
                bool(r["dropped"]), -r["rounds"], -(r["standing"] or 0), r["candidate"],
            ),
        )  # fmt: skip

    def to_dataframe(self) -> Any:
        """Return :meth:`report` as a ``pandas.DataFrame`` by candidate; or ``Unavailable``."""
        return data_frame(self.report(), "candidate")

    def prefer(self, better: int, worse: int, *, is_tie: bool = False) -> Self:
        """Record that one candidate is better than another, or that neither is.

        Later rounds weight the critics by it, and until the run is done it reorders the winners.
        Raises ``InvalidRequest`` unless both are candidates.
        """
        among = [str(n) for n in range(self.plan.count)]
        add_preference(self.folder / _VOTES, str(better), str(worse), among, is_tie=is_tie)
        return self

    def pair(self) -> tuple[tuple[int, str], tuple[int, str]] | None:
        """Return the two videos to compare next: candidates with jobs, of the same round.

        None if every pair has been compared, or fewer than two candidates have a video.
        """
        plan = self.plan
        videos = {
            (c, number): job_id
            for number, one in enumerate(plan.rounds)
            for c, job_id in one.jobs.items()
        }
        states = {job.job_id: job.state for job in self.jobs(list(videos.values()))}
        seen: dict[int, set[int]] = {}
        for (c, number), job_id in videos.items():
            if states.get(job_id) is JobState.COMPLETE:  # leave out deleted ones
                seen.setdefault(c, set()).add(number)
        compared = {frozenset(pair) for pair in (*self.votes, *self.undecided)}
        known = [str(c) for c in seen]
        among = set(known)
        votes, ties = (
            [pair for pair in some if among.issuperset(pair)]
            for some in (self.votes, self.undecided)
        )
        best = next_pair(known, votes, undecided=ties)
        if best is None or frozenset(best) in compared:
            return None
        one, other = (int(c) for c in best)
        common = seen[one] & seen[other]
        return tuple(  # type: ignore[return-value]
            (c, videos[c, max(common or seen[c])]) for c in (one, other)
        )

    def agreement(self) -> tuple[Agreement, ...]:
        """Return how often each critic agreed with the votes, with 95 % intervals.

        The votes of all runs of its session count, as they come from one person. A star counts as a
        vote for that video over each unstarred one of its round.
        """
        session = self.session_id
        runs = runs_of_session(session, using=self.studio) if session else [self]
        values: dict[str, Mapping[str, float | None]] = {}
        votes: list[tuple[str, str]] = []
        for run in runs:
            for one in run.plan.rounds:
                values |= {f"{run.name} {c}": found for c, found in one.values.items()}
            votes += [(f"{run.name} {a}", f"{run.name} {b}") for a, b in (*run.votes, *run.stars)]
        return agreements(values, votes, lower=better_when_lower(self.studio.settings))

    @property
    def votes(self) -> list[tuple[str, str]]:
        """The recorded preferences: better, worse."""
        return [(v.better, v.worse) for v in preferences(self.folder / _VOTES) if not v.is_tie]

    @property
    def stars(self) -> list[tuple[str, str]]:
        """The preferences that follow from stars on its videos: better, worse."""
        plan = self.plan
        said = {frozenset(int(c) for c in pair) for pair in (*self.votes, *self.undecided)}
        found = star_votes(plan, self.jobs(plan.job_ids), said)
        return [(str(better), str(worse)) for better, worse in found]

    def preferred(self) -> dict[int, float]:
        """Return the strength of each candidate that the person voted on or starred; 0 is average.

        Bradley–Terry, as a logarithm.
        """
        return strengths([(int(a), int(b)) for a, b in (*self.votes, *self.stars)])

    @property
    def undecided(self) -> list[tuple[str, str]]:
        """The pairs judged undecided."""
        return [(v.better, v.worse) for v in preferences(self.folder / _VOTES) if v.is_tie]

    @property
    def plan(self) -> Plan:
        """The current plan; raises ``InvalidRequest`` if it cannot be read."""
        plan = Plan.read(self._path)
        if plan is None:
            raise InvalidRequest(f"The plan of the run {self.name} cannot be read.")
        return plan

    @property
    def job_ids(self) -> list[str]:
        """The jobs of all rounds, in the order in which they were queued."""
        return self.plan.job_ids

    def jobs(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Return the current state of jobs of the run; deleted ones are left out."""
        return tuple(_known(self.studio, job_ids))

    def save(self, plan: Plan) -> None:
        """Store the plan."""
        plan.write(self._path)

    def __repr__(self) -> str:
        return f"<BestOf {self.name}: {'done' if self.is_done else 'not done'}>"


def _known(using: Studio, job_ids: Sequence[str]) -> Iterator[Job]:
    for job_id in job_ids:
        try:
            yield using.jobs.job(job_id)
        except NotFound:
            continue


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
    """Return render parameters as JSON data, with videos as ids and paths as text."""
    return RenderParameters.of(named_inputs(values)).model_dump(mode="json", exclude_none=True)


def _check(asked: Mapping[str, Any], used: Studio) -> None:
    """Raise ``InvalidRequest`` with every problem, before anything is stored."""
    if session_id := asked.get("session_id"):
        used.sessions.current(session_id)  # raises ``NotFound``
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
    if not 0 <= asked.get("revise", 0) <= _MOST_REVISIONS:
        problems.append(FieldProblem("revise", f"must be 0 to {_MOST_REVISIONS}"))
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
