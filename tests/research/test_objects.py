"""Sessions, batches and videos in a notebook: tables, progress, display, order of arrival."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import select
import struct
import sys
import termios
import threading
from typing import Any

import pytest

import workbench as wb
from tests.research.conftest import SMALL
from workbench.errors import InvalidRequest, NotFound
from workbench.journey.showing import table_html

PAGES = re.compile(r"https?://|<script", re.IGNORECASE)


@pytest.fixture(scope="module")
def session(studio: wb.Studio) -> wb.Session:
    return wb.enhance("a fox <b>crossing</b> a bridge", seed=3, using=studio)


@pytest.fixture(scope="module")
def batch(session: wb.Session) -> wb.Batch:
    return wb.render(session.variations(3, seed=3), name="foxes", seed=11, **SMALL).wait(300)


def test_a_batch_is_a_table_with_changes_times_and_scores(batch: wb.Batch) -> None:
    frame = batch.to_dataframe()
    assert list(frame.index) == [job.job_id for job in batch.record.jobs]
    assert set(frame["state"]) == {"complete"}
    assert set(frame["seed"]) == {11}
    assert frame["changes"].iloc[0] == []
    assert all(frame["changes"].iloc[1:])
    assert (frame["render_s"] >= 0).all()
    assert frame["motion"].notna().all()
    assert frame["device"].str.startswith("cpu").all()


def test_a_table_without_scores_measures_nothing(batch: wb.Batch) -> None:
    assert "motion" not in batch.to_table()[0]
    assert batch.to_table()[0]["prompt"] == batch[0].prompt


def test_a_session_is_a_table_of_prompts_and_scene_fields(session: wb.Session) -> None:
    session.variations(3, seed=3)
    frame = session.to_dataframe()
    assert frame.loc[0, "kind"] == "enhanced"
    assert frame.loc[1, "parent"] == 0
    assert "fox" in frame.loc[0, "subject"]
    assert frame.loc[1, "changes"]


def test_videos_are_yielded_once_each_as_they_finish(studio: wb.Studio) -> None:
    batch = wb.render(["a red kite", "a blue kite", "a kite"], using=studio, **SMALL)
    videos = list(batch)
    assert {v.job_id for v in videos} == {j.job_id for j in batch.record.jobs}
    ended = [v.job.finished_at for v in videos]
    assert ended == sorted(m for m in ended if m)


def test_a_batch_supports_await_and_async_iteration(batch: wb.Batch) -> None:
    async def journey() -> list[str]:
        await batch
        return [video.job_id async for video in batch]

    assert sorted(asyncio.run(journey())) == sorted(j.job_id for j in batch.record.jobs)


def test_progress_ends_at_the_total(studio: wb.Studio, capsys: pytest.CaptureFixture[str]) -> None:
    batch = wb.render(["a kite", "a boat"], name="bar", using=studio, **SMALL)
    assert batch.wait(60, progress=True) is batch
    told = capsys.readouterr().err
    assert "bar: 100%" in told
    assert "2/2 complete" in told


def test_in_a_terminal_waiting_shows_a_bar_by_itself(
    studio: wb.Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, far_end = os.openpty()
    fcntl.ioctl(far_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # rows, columns
    studio.jobs.pause()
    batch = wb.render(["a kite"], name="kite", using=studio, **SMALL)
    with os.fdopen(far_end, "w") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        waiting = threading.Thread(target=batch.wait)
        waiting.start()
        told = os.read(terminal, 1 << 16)  # returns when something is shown
        assert b"kite:" in told
        studio.jobs.resume()
        while waiting.is_alive() or select.select([terminal], [], [], 0)[0]:
            if select.select([terminal], [], [], 0.1)[0]:
                told += os.read(terminal, 1 << 16)
    os.close(terminal)
    assert b"100%" in told


def test_selected_videos_are_shown_as_a_sheet(studio: wb.Studio, batch: wb.Batch) -> None:
    batch.wait()
    bench = wb.Workbench(using=studio)
    try:
        assert "no video" in bench.selected._repr_html_()
        bench.selected_ids = [video.job_id for video in batch.videos[:2]]
        shown = bench.selected._repr_html_()
    finally:
        bench.close()
    assert shown.count("<video ") == 2
    assert "2 videos" in shown


def test_a_wide_table_scrolls_in_its_own_width() -> None:
    assert table_html([{"a": 1}]).startswith('<div style="overflow-x:auto')


def test_waiting_with_progress_times_out(studio: wb.Studio) -> None:
    studio.jobs.pause()
    batch = wb.render(["a kite"], using=studio, **SMALL)
    try:
        with pytest.raises(TimeoutError, match="1 of 1"):
            batch.wait(0.3, progress=True)
    finally:
        studio.jobs.resume()
        batch.cancel()


def test_html_representations_are_escaped_and_self_contained(
    session: wb.Session, batch: wb.Batch
) -> None:
    shown = [session._repr_html_(), session.prompt._repr_html_(), batch._repr_html_()]
    shown.append(batch[0]._repr_html_())
    for page in shown:
        assert page is not None
        assert "<b>crossing" not in page
        assert not PAGES.search(page)
    assert shown[2].count("data:image/jpeg;base64,") == 3
    assert 'poster="data:image/jpeg' in shown[3]


def test_an_unfinished_video_shows_its_progress_or_its_error(studio: wb.Studio) -> None:
    studio.jobs.pause()
    video = wb.render(["a kite"], using=studio, **SMALL)[0]
    assert "<progress" in video._repr_html_()
    video.cancel()
    studio.jobs.resume()
    assert "cancelled" in video._repr_html_()
    with pytest.raises(NotFound):
        _ = video.scores


def test_a_jupyterhub_prefix_is_part_of_the_videos_url(
    batch: wb.Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    assert 'src="/user/ada/static/videos/' in batch[0]._repr_html_()


def test_reprs_are_one_short_line(session: wb.Session, batch: wb.Batch) -> None:
    for thing in (session, session.prompt, batch, batch[0]):
        assert "\n" not in repr(thing)
        assert len(repr(thing)) < 100
    assert repr(batch).endswith("complete, 3 of 3 complete>")


def test_videos_sort_by_a_score_and_an_unknown_one_is_refused(batch: wb.Batch) -> None:
    ordered = batch.sorted_by("exposure")
    values = [video.scores.exposure for video in ordered]
    assert values == sorted(values, reverse=True)
    assert batch.scores()[ordered[0]].exposure == values[0]
    with pytest.raises(InvalidRequest, match="no score 'beauty'"):
        batch.sorted_by("beauty")


def test_videos_are_filtered_by_a_score(batch: wb.Batch) -> None:
    values = {video: s.exposure for video, s in batch.scores().items()}
    middle = sorted(values.values())[1]
    assert set(batch.where("exposure", at_least=middle)) == {
        v for v, value in values.items() if value >= middle
    }
    assert len(batch.where("exposure", at_most=middle, at_least=middle)) == 1


def test_the_same_prompt_and_seed_twice_is_found_as_a_duplicate(studio: wb.Studio) -> None:
    batch = wb.render(["a kite", "a city at night", "a kite"], seed=1, using=studio, **SMALL)
    (group,) = batch.wait(300).near_duplicates()
    assert set(group) == {batch[0], batch[2]}


def test_videos_can_be_starred_annotated_and_compared(batch: wb.Batch) -> None:
    one, two, three = batch.videos
    one.star().note("the best tail")
    assert one.job.starred
    assert one.job.note == "the best tail"
    assert batch.to_table()[0]["note"] == "the best tail"
    assert one.note("").job.note == ""
    batch.prefer(three, one).prefer(three, two).prefer(one, two)
    assert [r.item for r in batch.ranking()] == [three.job_id, one.job_id, two.job_id]
    pair = batch.next_pair()
    assert pair is not None
    assert set(pair) <= {one, two, three}
    assert not one.star(starred=False).job.starred


def test_ipython_shows_prompts_scenes_jobs_and_batches_and_their_records(
    session: wb.Session, batch: wb.Batch
) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    from workbench.journey.formatters import register_records

    shell = InteractiveShell.instance()
    try:
        register_records()
        assert shell.display_formatter is not None
        show: Any = shell.display_formatter.format
        for thing in (session, session.prompt, batch, batch[0]):
            assert show(thing)[0] == thing._repr_mimebundle_()
        scene, job, record = (
            show(one)[0]["text/html"] for one in (session.scene, batch[0].job, batch.record)
        )
    finally:
        InteractiveShell.clear_instance()
    assert "<table>" in scene
    assert batch[0].job_id in job
    assert str(batch[0].job.request.seed) in job
    assert batch.batch_id in record
    assert record.count("<figure") == len(batch)
