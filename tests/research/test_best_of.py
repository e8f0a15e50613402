"""Best-of-N: the best drafts are rendered whole, whatever is killed, and nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import workbench as wb
from tests.live_server import ROOT, end_supervisor
from tests.prompts.misbehaving import KEY, Misbehaving, Reply
from tests.research.conftest import SMALL
from tests.vision_endpoint import Seeing
from workbench.errors import InvalidRequest, NotFound
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job, JobState
from workbench.research.best_of import BestOf, best_of, runs_of_session, seconds_of
from workbench.research.best_of_overview import overview

PROMPT = "A red kite flies over a beach."
RAIN = "A red kite flies over a beach in the rain."
ASKED: dict[str, Any] = {
    **SMALL,
    "critics": ["sharpness"],
    "draft": {"width": 64, "height": 64},
}

DRIVER = """
import json, os, signal, sys
from pathlib import Path
import workbench as wb
from workbench.research.best_of_plan import Plan
from workbench.research.best_of_steps import Step

write, saves = Plan.write, 0

def dying(plan, path):
    # Passes once: when the plan is opened. Then one step is kept, and the next dies undone.
    global saves
    saves += 1
    if saves == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    write(plan, path)

look, looks = Step._look, 0

def telling(step, here):
    # Lets drafts that linger end once their previews have been looked at again.
    global looks
    look(step, here)
    looks += bool(step._plan.looks)
    if looks == 3 and "PREVIEWS_SEEN" in os.environ:
        Path(os.environ["PREVIEWS_SEEN"]).touch()

Step._look = telling
if sys.argv[1] == "dying":
    Plan.write = dying
run = wb.best_of(
    num_frames=5, width=96, height=64, fps=24, draft={"width": 64, "height": 64},
    **json.loads(sys.argv[2]),
)
run.follow()
"""


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def _quiet(_line: str) -> None:
    """Say nothing."""


def _run(studio: wb.Studio, **asked: Any) -> BestOf:
    return best_of(PROMPT, using=studio, **{**ASKED, **asked}).follow(_quiet)


def _seen_by(endpoint: Misbehaving, outputs: Path) -> wb.Settings:
    """Return settings whose language model, ``seer``, is behind ``endpoint``."""
    return wb.Settings(
        outputs=outputs,
        language_provider="openai",
        language_model="seer",
        language_base_url=endpoint.base_url,
        language_api_key=SecretStr(KEY),
        language_retries=0,
    )


def _sharpness(job: Job) -> float:
    assert job.scores is not None
    return job.scores["sharpness"]


def test_the_best_drafts_are_rendered_whole_and_the_rest_say_why_not(studio: wb.Studio) -> None:
    run = _run(studio, n=5, keep=2, name="whole", seed=11)
    assert run.is_done
    assert [video.job.request.width for video in run.winners] == [96, 96]
    rows = run.report()
    assert [row["rounds"] for row in rows] == [2, 2, 1, 1, 1]
    assert [bool(row["dropped"]) for row in rows] == [False, False, True, True, True]
    assert "in round 1: sharpness" in rows[-1]["dropped"]
    kept = {row["candidate"] for row in rows[:2]}
    values = {row["candidate"]: row["values"]["sharpness"] for row in rows}
    assert min(values[c] for c in kept) >= max(values[c] for c in values.keys() - kept)
    assert {video.job.request.seed for video in run.winners} == {11 + c for c in kept}


def test_a_run_that_is_done_renders_nothing_when_repeated(studio: wb.Studio) -> None:
    first = _run(studio, n=3, keep=1, name="again")
    before = studio.jobs.jobs(limit=1).total
    second = _run(studio, n=3, keep=1, name="again")
    assert studio.jobs.jobs(limit=1).total == before
    assert second.winners == first.winners


def test_half_survive_each_round_where_steps_grow(studio: wb.Studio) -> None:
    run = _run(
        studio, n=4, keep=1, name="steps", num_inference_steps=40,
        draft={"width": 64, "height": 64, "num_inference_steps": 10},
    )  # fmt: skip
    assert sorted(row["rounds"] for row in run.report()) == [1, 1, 2, 3]
    steps = {job.request.num_inference_steps for job in run.jobs(run.job_ids)}
    assert steps == {10, 20, 40}


def test_a_budget_bounds_the_drafts_and_always_leaves_a_whole_render(studio: wb.Studio) -> None:
    run = _run(studio, n=9, keep=3, name="poor", budget=0.0001)
    rows = run.report()
    unrendered = [row for row in rows if "budget is spent" in row["dropped"]]
    assert len(unrendered) == 7  # five drafts, and two of the three survivors
    assert len(run.winners) == 1


def test_drafts_that_fail_are_dropped_with_their_reason(studio: wb.Studio) -> None:
    run = best_of(PROMPT, n=2, keep=1, name="doomed", using=studio, **ASKED)
    studio.jobs.pause()
    try:
        driver = threading.Thread(target=run.follow, args=(_quiet,))
        driver.start()
        queued = _until(lambda: studio.jobs.jobs(state=JobState.QUEUED, limit=10).jobs, 2)
        studio.jobs.cancel(min(queued, key=lambda job: job.position).job_id)
    finally:
        studio.jobs.resume()
    driver.join()
    rows = {row["candidate"]: row for row in run.report()}
    assert rows[0]["dropped"].startswith("no video in round 1")
    assert [video.job.request.seed for video in run.winners] == [2]


def _until(look: Any, count: int) -> Any:
    limit = time.monotonic() + 120
    while len(found := look()) < count:
        assert time.monotonic() < limit
        time.sleep(0.02)
    return found


def test_votes_decide_which_critics_count(studio: wb.Studio) -> None:
    asked = {"n": 4, "keep": 1, "name": "votes", "critics": ["sharpness", "exposure"]}
    run = _run(studio, **asked)
    values = {row["candidate"]: row["values"] for row in run.report()}
    order = sorted(values, key=lambda c: values[c]["exposure"])
    for worse, better in pairwise(order):
        run.prefer(better, worse)
    by_critic = {one.critic: one for one in run.agreement()}
    assert by_critic["exposure"].foretold == 1
    assert by_critic["exposure"].of == 3
    assert by_critic["exposure"].low < 0.75  # three votes prove little


@pytest.fixture(scope="module")
def opinionated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wb.Studio]:
    """Return a studio with two scorers that never agree."""
    folder = tmp_path_factory.mktemp("opinionated") / "outputs"
    scorers = {name: f"tests.research.seed_scorers:{name.title()}" for name in ("early", "late")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with wb.Studio(wb.Settings(outputs=folder, scorers=scorers)) as studio:
            yield studio
        end_supervisor(folder)


STEPS: dict[str, Any] = {
    **SMALL,
    "critics": ["early", "late"],
    "num_inference_steps": 40,
    "draft": {"width": 64, "height": 64, "num_inference_steps": 10},
}


@pytest.mark.parametrize(("votes", "winner"), [([], 1), ([(1, 0)], 2), ([(0, 1)], 1)])
def test_a_later_round_is_decided_by_the_critic_that_the_votes_side_with(
    opinionated: wb.Studio, votes: list[tuple[int, int]], winner: int
) -> None:
    run = best_of(
        PROMPT, n=4, keep=1, name=f"sided {votes}", using=opinionated, **STEPS
    )  # fmt: skip

    def vote(line: str) -> None:
        if "round 1: kept 2 of 4" in line:  # by candidate number, as the critics disagree
            for better, worse in votes:
                run.prefer(better, worse)

    run.follow(vote)
    assert [video.job.request.seed for video in run.winners] == [winner]


def test_a_star_weighs_like_votes_over_the_unstarred_of_its_round(opinionated: wb.Studio) -> None:
    run = best_of(PROMPT, n=4, keep=1, name="starred", using=opinionated, **STEPS)

    def star(line: str) -> None:
        if "round 1: kept 2 of 4" in line:
            opinionated.jobs.star(run.plan.rounds[0].jobs[1])

    run.follow(star)
    by_critic = {one.critic: one for one in run.agreement()}
    assert run.stars == [("1", "0"), ("1", "2"), ("1", "3")]
    assert (by_critic["late"].foretold, by_critic["late"].of) == (1 / 3, 3)
    assert (by_critic["early"].foretold, by_critic["early"].of) == (2 / 3, 3)
    assert [row["place"] for row in sorted(run.report(), key=lambda r: r["candidate"])] == [
        2,
        1,
        2,
        2,
    ]
    run.prefer(0, 1)  # a vote on a pair counts instead of the star
    assert run.stars == [("1", "2"), ("1", "3")]


def test_votes_reorder_the_winners_until_the_run_is_done(opinionated: wb.Studio) -> None:
    asked = {**STEPS, "critics": ["early"]}
    run = best_of(PROMPT, n=4, keep=2, name="reordered", using=opinionated, **asked)

    def vote(line: str) -> None:
        if "round 2 of 2, 2 queued" in line:
            run.prefer(1, 0)

    run.follow(vote)
    assert [video.job.request.seed for video in run.winners] == [2, 1]
    by_candidate = {row["candidate"]: row for row in overview(run)["candidates"]}
    assert [by_candidate[c]["place"] for c in range(4)] == [2, 1, None, None]
    assert by_candidate[0]["standing"] > by_candidate[1]["standing"]  # the critics' order stays
    for _ in range(3):
        run.prefer(0, 1)
    assert [video.job.request.seed for video in run.winners] == [2, 1]


def test_a_run_in_groups_takes_turns_with_another_persons_jobs(studio: wb.Studio) -> None:
    run = best_of(PROMPT, n=8, keep=1, name="turns", using=studio, budget="1 h", **ASKED)
    studio.jobs.pause()
    try:
        others = studio.run(
            studio.render_batch(
                ["waves at night"] * 32, parameters=wb.RenderParameters.of(SMALL), name="other"
            )
        )
        driver = threading.Thread(target=run.follow, args=(_quiet,))
        driver.start()
        _until(lambda: run.plan.job_ids, 4)
    finally:
        studio.jobs.resume()
    driver.join()
    theirs = [job.job_id for job in others.jobs]
    studio.jobs.wait(theirs, 300)
    started = {
        job.job_id: job.started_at
        for job in run.jobs([*theirs, *run.plan.job_ids])
        if job.started_at is not None
    }
    order = sorted(started, key=lambda job_id: started[job_id])
    last = max(order.index(job_id) for job_id in theirs)
    drafts = run.plan.rounds[0].jobs
    places = [order.index(drafts[candidate]) for candidate in sorted(drafts)]
    assert places[:4] == sorted(places[:4])
    between = [after - before for before, after in pairwise(places) if after < last]
    assert len(between) >= 3
    assert min(between) >= 2  # one of theirs between any two of the run's


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 10_000}, "n"),
        ({"keep": 9}, "keep"),
        ({"critics": ["beauty"]}, "critics"),
        ({"critics": []}, "critics"),
        ({"budget": "a lot"}, "budget"),
        ({"budget": -1}, "budget"),
        ({"draft": {"colour": 1}}, "draft"),
        ({"width": 3}, "parameters"),
        ({"revise": 4}, "revise"),
    ],
)
def test_what_is_wrong_is_named_before_anything_renders(
    studio: wb.Studio, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        best_of(PROMPT, using=studio, **{**ASKED, "n": 4, "keep": 1, "name": "bad", **asked})
    assert field in {problem.field for problem in caught.value.problems}
    assert not list((studio.settings.outputs / "runs").glob("bad-*"))


def test_a_run_of_an_unknown_session_is_refused(studio: wb.Studio) -> None:
    with pytest.raises(NotFound):
        best_of(PROMPT, using=studio, **ASKED, session_id="s_01h2xcejqtf2nbrexx3v")


def test_a_budget_is_read_with_its_unit() -> None:
    told = {"20 GPU-min": 1200.0, "90 s": 90.0, "1.5h": 5400.0, "2 min": 120.0}
    assert {text: seconds_of(text) for text in told} == told
    assert seconds_of(30) == 30.0


def test_a_draft_whose_preview_shows_nothing_is_stopped_and_as_many_go_on_as_are_kept(
    outputs: Path,
) -> None:
    engines = {"previewing": "tests.research.previewing_engine:PreviewingEngine"}
    settings = wb.Settings(outputs=outputs, engines=engines, engine="previewing")
    with wb.Studio(settings) as studio:
        run = best_of(PROMPT, n=4, keep=2, name="blank", using=studio, seed=10, **ASKED)
        run.follow(_quiet)
        rows = {row["seed"]: row for row in run.report()}
        assert {seed for seed, row in rows.items() if row["dropped"]} == {11, 13}
        for seed in (11, 13):
            assert rows[seed]["dropped"] == "stopped at 69 %: the preview shows nothing"
            assert studio.jobs.job(rows[seed]["job_id"]).state is JobState.CANCELLED
        assert {video.job.request.seed for video in run.winners} == {10, 12}


def _frames_s(asked: dict[str, Any]) -> list[float]:
    """Return the times of the frames that a model is shown."""
    text, *_ = asked["messages"][-1]["content"]
    times: list[float] = json.loads(text["text"])["frames_s"]
    return times


def _denies_the_subject_of_previews(asked: dict[str, Any]) -> Reply:
    """Deny everything of a single picture, and see everything in a video."""
    is_preview = len(_frames_s(asked)) == 1
    return Seeing(lambda _n, _question: "no" if is_preview else "yes")(asked)


def test_a_draft_is_stopped_whose_preview_lacks_the_subject_and_its_cost_is_kept(
    outputs: Path,
) -> None:
    engines = {"previewing": "tests.research.previewing_engine:PreviewingEngine"}
    with Misbehaving.running() as endpoint:
        endpoint.behaviour = _denies_the_subject_of_previews
        settings = _seen_by(endpoint, outputs)
        settings = settings.model_copy(update={"engines": engines, "engine": "previewing"})
        with wb.Studio(settings) as studio:
            asked: dict[str, Any] = {**ASKED, "critics": ["asked_for"], "seed": 101}
            run = best_of(PROMPT, n=3, keep=1, name="lacking", using=studio, **asked)
            run.follow(_quiet)
            rows = {row["seed"]: row for row in run.report()}
            for seed in (101, 103):
                assert rows[seed]["dropped"] == "stopped at 69 %: the preview lacks a kite"
            assert [video.job.request.seed for video in run.winners] == [102]
            assert run.plan.tokens == 2 * 18


def test_a_run_is_cancelled_by_another_process_and_stays_so(studio: wb.Studio) -> None:
    run = best_of(PROMPT, n=3, keep=1, name="cancelled", using=studio, **ASKED)
    studio.jobs.pause()
    try:
        driver = threading.Thread(target=run.follow, args=(_quiet,))
        driver.start()
        _until(lambda: run.plan.job_ids, 3)
        assert run.is_followed
        BestOf.open(run.name, using=studio).cancel()
        driver.join(300)
        assert not driver.is_alive()
    finally:
        studio.jobs.resume()
    assert {job.state for job in run.jobs(run.job_ids)} == {JobState.CANCELLED}
    assert run.is_done
    assert run.is_cancelled
    assert run.winners == ()
    assert all("cancelled" in row["dropped"] for row in run.report())
    before = studio.jobs.jobs(limit=1).total
    best_of(PROMPT, n=3, keep=1, name="cancelled", using=studio, **ASKED).follow(_quiet)
    assert studio.jobs.jobs(limit=1).total == before


def test_a_pair_of_which_nobody_can_say_is_not_asked_again_and_counts_for_no_critic(
    studio: wb.Studio,
) -> None:
    run = _run(studio, n=3, keep=1, name="ties")
    asked = []
    while pair := run.pair():
        (one, _), (other, _) = pair
        asked.append(frozenset((one, other)))
        run.prefer(one, other, is_tie=True)
    assert sorted(map(sorted, asked)) == [[0, 1], [0, 2], [1, 2]]
    assert [one.of for one in run.agreement()] == [0]


def test_a_draft_that_was_deleted_is_left_out(studio: wb.Studio) -> None:
    run = _run(studio, n=3, keep=1, name="deleted")
    gone = next(row for row in run.report() if row["dropped"])
    studio.jobs.delete([gone["job_id"]])
    pair = run.pair()
    assert pair is not None
    assert gone["candidate"] not in {candidate for candidate, _ in pair}
    assert overview(run)["state"] == "done"


def test_the_votes_of_all_runs_of_a_session_count_together(studio: wb.Studio) -> None:
    session, _ = studio.run(studio.enhance("a red kite"))
    runs = [
        _run(studio, n=2, keep=1, name="session", seed=seed, session_id=session) for seed in (1, 5)
    ]
    for run in runs:
        run.prefer(0, 1)
    assert {job.session_id for job in runs[0].jobs(runs[0].job_ids)} == {session}
    (sharpness,) = runs[0].agreement()
    assert sharpness.of == 2
    assert [run.name for run in runs_of_session(session, using=studio)] == [
        run.name for run in reversed(runs)
    ]


def _is_about_a_picture(asked: dict[str, Any]) -> bool:
    return isinstance(asked["messages"][-1]["content"], list)


def _denies_the_rain(asked: dict[str, Any]) -> Reply:
    """See everything but the rain, and write nothing."""
    if not _is_about_a_picture(asked):
        return Reply("No.")  # so that the composer writes
    return Seeing(lambda _n, question: "no" if "weather" in question else "yes")(asked)


def test_a_prompt_is_revised_from_the_critique_and_the_best_of_all_whole_videos_win(
    outputs: Path,
) -> None:
    with Misbehaving.running() as endpoint:
        endpoint.behaviour = _denies_the_rain
        with wb.Studio(_seen_by(endpoint, outputs)) as studio:
            asked: dict[str, Any] = {**ASKED, "critics": ["asked_for"]}
            run = best_of(
                RAIN, n=2, keep=1, revise=1, name="revised", using=studio, **asked
            ).follow(_quiet)  # fmt: skip
            plan = run.plan
            assert [one.request for one in plan.revisions] == ["make sure that this shows: rain"]
            assert plan.prompt(2) == f"{RAIN} Rain."
            rows = run.report()
            assert len(rows) == 4
            assert sum(row["is_whole"] for row in rows) == 2
            assert len(run.winners) == 1
            (loser,) = [row for row in rows if row["is_whole"] and row["dropped"]]
            assert loser["dropped"].startswith("place 2 of 2 whole videos")


def _killed_at_every_step(environment: dict[str, str], **asked: Any) -> list[int]:
    """Carry a run out by processes that die after each step that they keep; return their ends."""
    ends: list[int] = []
    for how in (*["dying"] * 20, "living"):
        command = [sys.executable, "-c", DRIVER, how, json.dumps(asked)]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
        ends.append(done.returncode)
        if ends[-1] == 0:
            break
    assert ends[-1] == 0
    return ends


def _all_jobs(outputs: Path) -> tuple[Job, ...]:
    manager = JobManager(wb.Settings(outputs=outputs))
    page = manager.jobs(limit=100)
    manager.close()
    return page.jobs


def test_a_kill_at_every_step_renders_nothing_twice(outputs: Path) -> None:
    ends = _killed_at_every_step(
        {"WORKBENCH_OUTPUTS": str(outputs)},
        prompt=PROMPT, n=4, keep=1, critics=["sharpness"], name="killed",
    )  # fmt: skip
    assert ends.count(-signal.SIGKILL) >= 3  # after planning, after each batch, after judging
    jobs = _all_jobs(outputs)
    assert len(jobs) == 5  # four drafts and one whole, although batches were queued and not noted
    assert {(job.state, job.attempt) for job in jobs} == {(JobState.COMPLETE, 1)}
    assert sorted(job.request.width or 0 for job in jobs) == [64, 64, 64, 64, 96]
    assert len(list((outputs / "runs").iterdir())) == 1


def test_a_kill_at_every_step_of_a_revised_run_asks_and_renders_nothing_twice(
    outputs: Path,
) -> None:
    with Misbehaving.running() as endpoint:
        endpoint.behaviour = _denies_the_rain
        ends = _killed_at_every_step(
            _environment(endpoint, outputs), prompt=RAIN, n=2, keep=1, critics=["asked_for"], revise=1, name="killed",
        )  # fmt: skip
        looked = [body for body in endpoint.requests if _is_about_a_picture(body)]
        written = len(endpoint.requests) - len(looked)
    assert ends.count(-signal.SIGKILL) >= 6
    jobs = _all_jobs(outputs)
    assert sorted(job.request.width or 0 for job in jobs) == [64, 64, 64, 64, 96, 96]
    assert {(job.state, job.attempt) for job in jobs} == {(JobState.COMPLETE, 1)}
    assert len(looked) == 6  # each video once
    assert written == _asked_for_one_revision(outputs.parent / "alone")


def _environment(endpoint: Misbehaving, outputs: Path) -> dict[str, str]:
    return {
        "WORKBENCH_OUTPUTS": str(outputs),
        "WORKBENCH_LANGUAGE_PROVIDER": "openai",
        "WORKBENCH_LANGUAGE_MODEL": "seer",
        "WORKBENCH_LANGUAGE_BASE_URL": endpoint.base_url,
        "WORKBENCH_LANGUAGE_API_KEY": KEY,
        "WORKBENCH_LANGUAGE_RETRIES": "0",
    }


def test_a_kill_around_the_look_at_a_preview_asks_about_it_once(outputs: Path) -> None:
    with Misbehaving.running() as endpoint:
        endpoint.behaviour = Seeing(lambda _n, _question: "yes")
        environment = _environment(endpoint, outputs) | {
            "WORKBENCH_ENGINES": json.dumps(
                {"previewing": "tests.research.previewing_engine:PreviewingEngine"}
            ),
            "WORKBENCH_ENGINE": "previewing",
            "PYTHONPATH": str(ROOT),
            "PREVIEWS_SEEN": str(outputs.parent / "seen"),
        }
        ends = _killed_at_every_step(
            environment, prompt=PROMPT, n=2, keep=1, critics=["asked_for"], name="looked",
            seed=101,
        )  # fmt: skip
        pictures = [
            body["messages"][-1]["content"][1]["image_url"]["url"]
            for body in endpoint.requests
            if _is_about_a_picture(body) and len(_frames_s(body)) == 1
        ]
    assert ends.count(-signal.SIGKILL) >= 4  # before and after the model's answer, too
    assert pictures
    assert len(pictures) == len(set(pictures))
    assert {(job.state, job.attempt) for job in _all_jobs(outputs)} == {(JobState.COMPLETE, 1)}


def _asked_for_one_revision(outputs: Path) -> int:
    """Return how often a model is asked for text by one revision."""
    with Misbehaving.running() as endpoint:
        endpoint.behaviour = _denies_the_rain
        with wb.Studio(_seen_by(endpoint, outputs)) as studio:
            session = studio.sessions.begin()
            studio.run(studio.sessions.place(session, RAIN))
            studio.run(studio.update(session, "make sure that this shows: rain", RAIN))
        return len(endpoint.requests)
