"""Regret of best-of-N with an imperfect vision model, against random choice at equal budget.

Run with ``python -m benchmarks.best_of``. The runs are real (plan, rounds, halving, standings), and
so are the questions, the messages and the reading of the answers; the answers come from the fake
vision endpoint, which knows the hidden truth of each video and errs at a set rate. Only renders are
stand-ins: a grey picture whose hidden truth is that of its candidate, changed a little for a draft.
Regret is the share of the request that the best candidate meets minus that of the chosen one.
"""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import cv2
import numpy as np

from benchmarks.report import Figure, print_report
from tests.vision_endpoint import Seeing
from workbench.jobs.model import Job, JobState
from workbench.measures.critics import standings
from workbench.measures.scene_check.asking import SheetAnswers, messages_about, verdicts_in
from workbench.measures.scene_check.contact_sheet import sheet_of_picture
from workbench.measures.scene_check.model import CheckAnswer, SceneCheck, Verdict
from workbench.measures.scene_check.questions import Question, questions_of
from workbench.prompts.writer import scene_of
from workbench.rendering import RenderParameters, RenderRequest
from workbench.research.best_of import BestOf, best_of
from workbench.research.best_of_plan import cost_ratio
from workbench.settings import Settings
from workbench.studio import Studio

__all__ = ["Regret", "regrets"]

_SEEDS: Final = 200
_N: Final = 16
_BLUR: Final = 0.15
"""Share of the truths about a video that its first draft shows differently; none in the whole one."""
_WHOLE: Final[Mapping[str, Any]] = {"num_inference_steps": 40, "width": 832, "height": 480}
_DRAFT: Final[Mapping[str, Any]] = {"num_inference_steps": 10, "width": 416, "height": 240}
_PROMPT: Final = (
    "Two red foxes cross a wooden bridge at night in the rain. Soft light. Low angle. Pan left."
)
_LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Regret:
    """The regrets of one seed, and the budget of all, in whole renders."""

    drafts: float
    at_random: float
    critic: float
    """Of the best, by the same model, of as many whole renders as the budget allows."""
    budget: int


def main() -> None:
    """Simulate and print."""
    for mistakes in (0.05, 0.15, 0.3):
        found = [regrets(seed, mistakes) for seed in range(_SEEDS)]
        whole = found[0].budget
        drafts, chance, plain = (
            np.array([getattr(one, name) for one in found])
            for name in ("drafts", "at_random", "critic")
        )
        gains = chance - drafts
        error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
        print_report(
            f"best of {_N} at the budget of {whole} whole renders, {_SEEDS} seeds, "
            f"{mistakes:.0%} wrong answers",
            [
                Figure(f"regret, best of {_N} by drafts", float(drafts.mean()), ""),
                Figure(f"regret, random choice of {whole} whole", float(chance.mean()), ""),
                Figure(f"regret, critic on {whole} whole", float(plain.mean()), ""),
                Figure("gain over random choice, mean", float(gains.mean()), ""),
                Figure("standard error of the gain", error, ""),
                Figure(
                    "regret over that of random choice", float(drafts.mean() / chance.mean()), "", 1
                ),
            ],
        )


def regrets(seed: int, mistakes: float, *, count: int = _N) -> Regret:
    """Carry out a run of ``count`` candidates and return the regrets of its choice and of others."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(seed, mistakes, count)
        settings = Settings(outputs=Path(folder), index=Path(folder) / "index.sqlite3")
        using = cast("Studio", StandIn(settings, world))
        run = best_of(
            _PROMPT, n=count, keep=1, seed=0, draft=_DRAFT, using=using, **_WHOLE
        ).follow(lambda _line: None)  # fmt: skip
        (winner,) = run.winners
        budget = math.ceil(_spent(run))
    rng = np.random.default_rng(seed)
    quality = world.quality
    some = rng.choice(count, min(budget, count), replace=False).tolist()
    shares = {str(c): {"asked_for": world.share(c, 0.0)} for c in some}
    told = standings(shares)
    chosen = max(some, key=lambda c: told[str(c)])
    best = max(quality)
    return Regret(
        best - quality[winner.job.request.seed or 0],
        best - float(np.mean([quality[c] for c in some])),
        best - quality[chosen],
        budget,
    )


def _spent(run: BestOf) -> float:
    """Return the cost of all renders of a run, in whole ones."""
    return sum(len(one.jobs) * cost_ratio(_WHOLE, one.values_of) for one in run.plan.rounds)


class World:
    """The hidden truth about the videos of one seed, and the model that is asked about them."""

    def __init__(self, seed: int, mistakes: float, count: int) -> None:
        self._random = random.Random(f"world {seed}")
        self.questions = questions_of(scene_of(_PROMPT))
        self._shown: dict[int, Mapping[str, bool]] = {}
        """What the video behind each sheet's number shows, by question."""
        self._truth = [self._candidate() for _ in range(count)]
        self._seeing = Seeing(self._said, mistakes=mistakes, seed=seed)
        self._picture = cv2.imencode(".jpg", np.full((24, 32, 3), 128, np.uint8))[1].tobytes()

    @property
    def quality(self) -> list[float]:
        """The share of the request that each candidate meets."""
        return [sum(truth.values()) / len(truth) for truth in self._truth]

    def check(self, candidate: int, blur: float) -> SceneCheck:
        """Ask the model about a new video of a candidate, which shows ``blur`` of it differently."""
        truth = self._truth[candidate]
        number = 100 + len(self._shown)
        self._shown[number] = {
            q: shown ^ (self._random.random() < blur) for q, shown in truth.items()
        }
        sheet = sheet_of_picture(self._picture, f"{len(self._shown) - 1:012x}")
        assert sheet.number == number
        reply = self._seeing({"messages": messages_about(sheet, self.questions)})
        told = verdicts_in(
            SheetAnswers.model_validate_json(reply.text or ""), sheet, len(self.questions)
        )
        assert told is not None
        pairs = zip(self.questions, told, strict=True)
        return SceneCheck(video="", answers=tuple(_answer(q, verdict) for q, (verdict, _) in pairs))

    def share(self, candidate: int, blur: float) -> float:
        """Return the share of the request that the model finds in a video of a candidate."""
        check = self.check(candidate, blur)
        return check.found / len(check.answers)

    def _candidate(self) -> Mapping[str, bool]:
        quality = self._random.betavariate(2, 2)
        return {q.text: self._random.random() < quality for q in self.questions}

    def _said(self, number: int, question: str) -> str:
        return "yes" if self._shown[number][question] else "no"


@dataclass(slots=True)
class StandIn:
    """The part of a studio that a run uses; every render is complete at once."""

    settings: Settings
    world: World
    made: dict[str, Job] = field(default_factory=dict)

    @property
    def jobs(self) -> StandIn:
        """The job manager: itself."""
        return self

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Return the result of a coroutine that waits for nothing."""
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("it waits")

    async def render_batch(
        self,
        prompts: Sequence[str],
        *,
        parameters: RenderParameters,
        seeds: Sequence[int],
        **_: Any,
    ) -> Any:
        """Return jobs that are complete."""
        values = parameters.model_dump(exclude_none=True)
        new = [
            _complete(
                f"j{len(self.made) + n}", RenderRequest(prompt=prompt, **{**values, "seed": seed})
            )
            for n, (prompt, seed) in enumerate(zip(prompts, seeds, strict=True))
        ]
        self.made |= {job.job_id: job for job in new}
        return SimpleNamespace(jobs=new)

    async def check(self, job_id: str) -> SceneCheck:
        """Ask the fake endpoint about the video of a job; a draft shows some of it differently."""
        request = self.made[job_id].request
        steps = request.num_inference_steps or 1
        first, whole = (part["num_inference_steps"] for part in (_DRAFT, _WHOLE))
        return self.world.check(
            request.seed or 0, _BLUR * math.log(whole / steps) / math.log(whole / first)
        )

    def job(self, job_id: str) -> Job:
        """Return a job."""
        return self.made[job_id]

    def measure(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Return jobs, without scores."""
        return tuple(self.made[job_id] for job_id in job_ids)


def _answer(question: Question, verdict: Verdict) -> CheckAnswer:
    return CheckAnswer(
        field=question.field, question=question.text, wanted=question.wanted, verdict=verdict
    )


def _complete(job_id: str, request: RenderRequest) -> Job:
    return Job(
        job_id=job_id, batch_id=None, position=0, session_id=None, entry_index=None,
        state=JobState.COMPLETE, priority=0, request=request, progress=100, stage="", message="",
        step=0, total_steps=0, device=None, gpu_id=None, attempt=1, created_at=_LONG_AGO,
        started_at=_LONG_AGO, finished_at=_LONG_AGO, error="", eta_s=None, queue_position=None,
        has_video=True, has_poster=False, preview_job_id=None, has_preview=False, parent_prompt="",
        revision=0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
