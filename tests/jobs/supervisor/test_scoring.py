"""Finished videos are measured automatically and durably, even if the scorer dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.jobs.shop import PATIENCE_S, Shop, request
from tests.measures.tiny_clip import save
from tests.measures.tiny_scorer import install
from workbench.cli import main
from workbench.errors import InvalidRequest
from workbench.jobs.devices import core_count
from workbench.jobs.model import Job, JobState
from workbench.measures.agreement import AgreementModel
from workbench.presentation import job_object


def _scorer(shop: Shop) -> psutil.Process:
    """Wait until the scorer process runs."""
    status = shop.manager.supervisor()
    assert status is not None
    supervisor = psutil.Process(status.pid)

    def found() -> psutil.Process | None:
        shop.note()
        for child in supervisor.children():
            if "workbench.jobs.worker.scorer" in child.cmdline():
                return child
        return None

    process: psutil.Process = shop.until(found)
    return process


def _scored(shop: Shop, job_id: str) -> Job:
    """Wait until a job has scores without asking for them."""
    job: Job = shop.until(lambda: (job := shop.manager.job(job_id)).scores and job)
    shop.note()
    return job


def _complete(shop: Shop, prompt: str = "a dog runs", **options: float) -> Job:
    return shop.ended(shop.submit(prompt, **options).job_id)[0]


def _video(shop: Shop, job: Job) -> Path:
    return shop.manager.video_path(job.job_id)


def test_a_finished_video_is_scored_automatically_and_every_client_is_notified(shop: Shop) -> None:
    shop.use(scores=True)
    heard: list[Job] = []
    stop = shop.manager.watch(lambda changes: heard.extend(changes.jobs))
    job = _scored(shop, _complete(shop).job_id)
    shop.until(lambda: any(told.scores == job.scores for told in heard))
    stop()
    assert job.scores is not None
    assert set(job.scores) == {
        "motion", "smoothness", "flicker", "sharpness", "exposure", "clipping", "colourfulness",
        "consistency",
    }  # fmt: skip
    assert job.state is JobState.COMPLETE
    assert shop.paths.job(job.job_id).scores.is_file()
    assert {device.kind for device in shop.manager.devices()} == {"cpu"}
    assert len(shop.manager.devices()) == 1


def test_scoring_yields_to_renders(shop: Shop) -> None:
    shop.use(scores=True, scores_niceness=19)
    _complete(shop)
    assert shop.until(lambda: _scorer(shop).nice() == 19)


def _busy_on_every_core(shop: Shop, release: Path, held_s: float) -> list[str]:
    """Start an endless render on every core; one more worker is left for others."""
    cores = core_count()
    shop.use(scores=True, cpu_workers=cores + 1, scores_held_s=held_s)
    busy = [shop.submit(until=release).job_id for _ in range(cores)]
    for job_id in busy:
        shop.running(job_id)
    return busy


def test_renders_on_every_core_go_first_except_where_somebody_waits_for_scores(
    shop: Shop, release: Path
) -> None:
    busy = _busy_on_every_core(shop, release, held_s=3_600.0)
    waiting = _complete(shop).job_id
    for _ in range(3):  # meanwhile what waits could be measured
        (measured,) = shop.manager.measure([_complete(shop).job_id], PATIENCE_S)
        assert measured.scores
    assert shop.manager.job(waiting).scores is None
    for job_id in busy:
        shop.manager.cancel(job_id)
    assert _scored(shop, waiting).scores


def test_renders_on_every_core_do_not_hold_scores_back_for_ever(shop: Shop, release: Path) -> None:
    busy = _busy_on_every_core(shop, release, held_s=0.5)
    done = [_complete(shop).job_id for _ in range(2)]
    assert all(_scored(shop, job_id).scores for job_id in done)
    for job_id in busy:
        shop.manager.cancel(job_id)


def test_with_automatic_scoring_off_only_requested_videos_are_scored(warm_shop: Shop) -> None:
    one, other = _complete(warm_shop), _complete(warm_shop)
    (measured,) = warm_shop.manager.measure([other.job_id], PATIENCE_S)
    warm_shop.note()
    assert measured.scores
    assert warm_shop.manager.job(one.job_id).scores is None
    assert warm_shop.manager.job(one.job_id).scores_error == ""


def test_a_placeholder_is_not_scored(shop: Shop) -> None:
    shop.use(scores=True)
    job = shop.manager.submit(request("a dog runs"), preview=request("a sketch of it"))
    assert job.preview_job_id is not None
    shop.ended(job.job_id, job.preview_job_id)
    _scored(shop, job.job_id)
    assert shop.manager.job(job.preview_job_id).scores is None


def test_scores_near_duplicates_stars_and_notes_survive_a_lost_index(shop: Shop) -> None:
    batch = shop.manager.submit_batch([request("a kite"), request("a kite")])
    ids = [job.job_id for job in batch.jobs]
    shop.ended(*ids)
    before = shop.manager.measure(ids, PATIENCE_S)
    shop.manager.star(ids[0])
    shop.manager.note(ids[0], "  the string is missing ")
    shop.end_supervisor(signal.SIGKILL)
    shop.manager.close()
    for path in shop.paths.control.glob("index.sqlite3*"):
        path.unlink()
    after = shop.use().batch(batch.batch_id).jobs
    assert [job.scores for job in after] == [job.scores for job in before]
    assert [job.near_duplicates for job in after] == [(ids[1],), (ids[0],)]
    assert [job.starred for job in after] == [True, False]
    assert [job.note for job in after] == ["the string is missing", ""]


def test_scores_of_another_video_are_not_reused(warm_shop: Shop) -> None:
    one, other = _complete(warm_shop), _complete(warm_shop, "a cat sleeps")
    warm_shop.manager.measure([one.job_id], PATIENCE_S)
    kept = warm_shop.paths.job(one.job_id).scores.read_bytes()
    recipe = warm_shop.paths.job(other.job_id).recipe
    digest = warm_shop.manager.recipe(other.job_id).outcome
    assert digest is not None
    recipe.write_text(recipe.read_text("utf-8").replace(digest.sha256, "0" * 64), "utf-8")
    warm_shop.paths.job(other.job_id).scores.write_bytes(kept)
    warm_shop.manager.rebuild()
    assert warm_shop.manager.job(one.job_id).scores
    assert warm_shop.manager.job(other.job_id).scores is None


def test_a_missing_or_damaged_video_gets_a_reason_instead_of_scores(warm_shop: Shop) -> None:
    gone, damaged = _complete(warm_shop), _complete(warm_shop)
    _video(warm_shop, gone).unlink()
    size = _video(warm_shop, damaged).stat().st_size
    _video(warm_shop, damaged).write_bytes(b"\0" * size)
    found = {
        job.job_id: job
        for job in warm_shop.manager.measure([gone.job_id, damaged.job_id], PATIENCE_S)
    }
    warm_shop.note()
    assert found[gone.job_id].scores is None
    assert found[gone.job_id].scores_error == "The video is gone."
    assert found[damaged.job_id].scores is None
    assert "cannot be opened" in found[damaged.job_id].scores_error


def test_a_killed_scorer_is_replaced_and_the_video_is_scored(warm_shop: Shop) -> None:
    first = _complete(warm_shop)
    warm_shop.manager.measure([first.job_id], PATIENCE_S)
    scorer = _scorer(warm_shop)
    scorer.suspend()
    second = _complete(warm_shop)  # renders continue meanwhile
    with pytest.raises(TimeoutError, match="1 of 1"):
        warm_shop.manager.measure([second.job_id], 0.5)
    scorer.kill()
    (measured,) = warm_shop.manager.measure([second.job_id], PATIENCE_S)
    assert measured.scores
    assert _scorer(warm_shop).pid != scorer.pid


def test_a_hung_scorer_costs_only_one_video_its_scores(shop: Shop) -> None:
    shop.use(scores_timeout_s=3.0)
    first = _complete(shop)
    shop.manager.measure([first.job_id], PATIENCE_S)
    _scorer(shop).suspend()
    second, third = _complete(shop), _complete(shop)
    (late,) = shop.manager.measure([second.job_id], PATIENCE_S)
    assert late.scores is None
    assert "took too long" in late.scores_error
    for one in (third, second):  # a further request tries again

        def measured(job_id: str = one.job_id) -> bool:
            (job,) = shop.manager.measure([job_id], PATIENCE_S)
            return bool(job.scores and not job.scores_error)

        shop.until(measured)  # on a busy machine even a healthy scorer may take too long


def test_scores_of_an_installed_scorer_appear_and_sort_as_our_own(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = install(tmp_path / "scorer")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    shop.use(scorers={"broken": "tiny_scorer:Failing"})
    long, short = (_complete(shop, prompt) for prompt in ("a dog runs", "dogs"))
    jobs = shop.manager.measure([long.job_id, short.job_id], PATIENCE_S)
    assert [(job.scores or {})["brevity"] for job in jobs] == pytest.approx([1 / 3, 1.0])
    assert all("broken" not in (job.scores or {}) for job in jobs)
    page = shop.manager.jobs(sort="-brevity", bounds={"brevity": (0.5, None)})
    assert [job.job_id for job in page.jobs] == [short.job_id]
    shown = job_object(jobs[0]).model_dump()["scores"]
    assert shown["brevity"] == pytest.approx(1 / 3)
    assert shown["seams"] is None  # too few frames: unknown, not 0


def test_a_videos_agreement_is_scored_by_its_model_in_a_process_of_its_own(
    shop: Shop, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    model = save(tmp_path / "clip")
    shop.use(scores=True, agreement_model=str(model))
    job = _scored(shop, _complete(shop, "a red kite").job_id)
    commands = [" ".join(p.cmdline()) for p in _scorer(shop).children(recursive=True)]
    assert any("scorer_process" in command for command in commands)
    ours = AgreementModel(str(model), offline=True).agreement(_video(shop, job), "a red kite")
    assert (job.scores or {})["agreement"] == pytest.approx(ours, abs=1e-5)


def test_a_model_that_cannot_be_loaded_leaves_the_other_scores(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")
    shop.use(scores=True, agreement_model=str(tmp_path / "damaged"))
    scores = _scored(shop, _complete(shop).job_id).scores or {}
    assert "agreement" not in scores
    assert "sharpness" in scores


def test_a_video_rendered_again_is_scored_again(warm_shop: Shop) -> None:
    job = _complete(warm_shop)
    warm_shop.manager.measure([job.job_id], PATIENCE_S)
    _video(warm_shop, job).unlink()
    assert warm_shop.manager.job(job.job_id).state is JobState.FAILED
    assert warm_shop.manager.job(job.job_id).scores is None
    warm_shop.manager.retry(job.job_id)
    warm_shop.ended(job.job_id)
    assert warm_shop.manager.job(job.job_id).scores is None
    assert warm_shop.manager.measure([job.job_id], PATIENCE_S)[0].scores


def test_jobs_are_sorted_by_a_score_and_filtered_by_bounds(warm_shop: Shop) -> None:
    ids = [
        _complete(warm_shop, prompt).job_id
        for prompt in ("a kite", "a boat", "a red kite", "a cat")
    ]
    given = [0.3, 0.1, 0.2, 0.4]
    with warm_shop.manager._index.write() as writer:
        for job_id, motion in zip(ids, given, strict=True):
            scores = f'{{"motion": {motion}, "flicker": {1 - motion}}}'
            writer.execute("UPDATE jobs SET scores = ? WHERE job_id = ?", (scores, job_id))
    unmeasured = _complete(warm_shop).job_id

    def listed(**asked: object) -> list[int]:
        found, cursor = [], None
        while True:
            page = warm_shop.manager.jobs(limit=2, cursor=cursor, **asked)  # type: ignore[arg-type]
            found += [ids.index(job.job_id) for job in page.jobs]
            cursor = page.cursor
            if cursor is None:
                assert page.total == len(found)
                return found

    assert listed(sort="motion") == [1, 2, 0, 3]
    assert listed(sort="-motion") == [3, 0, 2, 1]
    assert listed(sort="-motion", query="kite") == [0, 2]
    assert listed(sort="flicker", bounds={"motion": (0.2, None)}) == [3, 0, 2]
    assert listed(bounds={"motion": (0.2, 0.3)}) == [2, 0]
    assert listed(bounds={"motion": (0.2, 0.3)}, query="red k") == [2]
    assert listed(bounds={"motion": (None, 0.1)}, state=JobState.COMPLETE) == [1]
    assert listed(sort="motion", state=JobState.FAILED) == []
    assert warm_shop.manager.jobs().jobs[0].job_id == unmeasured
    for wrong in ({"sort": "beauty"}, {"bounds": {"beauty": (0.0, None)}}):
        with pytest.raises(InvalidRequest, match="no score 'beauty'"):
            warm_shop.manager.jobs(**wrong)
    with pytest.raises(InvalidRequest, match="not a cursor"):
        warm_shop.manager.jobs(sort="motion", cursor="nan:3")


def test_the_command_line_sorts_and_filters_by_score(
    warm_shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [_complete(warm_shop, prompt).job_id for prompt in ("a kite", "a boat", "a cat")]
    with warm_shop.manager._index.write() as writer:
        for job_id, motion in zip(ids, (0.25, 0.5, 0.75), strict=True):
            scores = f'{{"motion": {motion}}}'
            writer.execute("UPDATE jobs SET scores = ? WHERE job_id = ?", (scores, job_id))
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(warm_shop.paths.outputs))
    assert main(["jobs", "--sort=-motion", "--max", "motion=0.6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == [ids[1], ids[0]]
    assert ["0.5  a boat" in lines[0], "0.25  a kite" in lines[1]] == [True, True]
    assert lines[2] == "2 jobs"
    assert main(["jobs", "--sort", "beauty"]) != 0
    assert "no score 'beauty'" in capsys.readouterr().err


def test_a_note_has_a_maximum_length(warm_shop: Shop) -> None:
    job = _complete(warm_shop)
    assert warm_shop.manager.note(job.job_id, "ein schöner Hund").note == "ein schöner Hund"
    with pytest.raises(InvalidRequest, match="at most 4,000"):
        warm_shop.manager.note(job.job_id, "x" * 4_001)
    assert warm_shop.manager.job(job.job_id).note == "ein schöner Hund"
