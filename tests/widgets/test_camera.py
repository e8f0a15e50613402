"""The camera panel's commands, asked as the page asks them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import workbench
from tests.widgets.talk import Talk
from workbench.settings import Settings
from workbench.studio import Studio


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    studio = Studio(Settings(outputs=tmp_path / "outputs"))
    bench = workbench.Workbench(using=studio)
    yield Talk(bench)
    bench.close()
    studio.close()


def _edit(talk: Talk, camera: Any, **edit: Any) -> dict[str, Any]:
    settings = {} if camera is None else {"camera": camera}
    answer = talk.ask("camera", settings=settings, edit=edit)
    assert "value" in answer, answer
    found: dict[str, Any] = answer["value"]
    return found


def test_without_a_path_there_is_nothing_to_see_from_above(talk: Talk) -> None:
    found = talk.ask("camera", settings={})["value"]
    assert found["camera"] is None
    assert "curve" not in found


def test_a_named_move_is_shown_from_above_with_its_keyframes(talk: Talk) -> None:
    found = _edit(talk, None, do="say", said="orbit left 40 degrees")
    assert found["camera"] == "orbit left 40 degrees"
    assert found["label"] == "orbit left 40 degrees"
    assert found["curve"][0] == [0, 0, 0, 0]
    assert found["curve"][-1][1] < -0.5, "the camera goes to the left"
    assert found["curve"][-1][3] > 30, "and turns to the right, to the subject"
    assert found["gaze"] == "subject"
    assert found["duration_s"] == found["video_s"] == pytest.approx(80 / 24, abs=0.01)
    assert found["way"] == "poses"


def test_moves_and_keys_follow_one_another(talk: Talk) -> None:
    assert (
        _edit(talk, "pan left", do="append", said="push in")["camera"] == "pan left, then push in"
    )
    assert _edit(talk, "w-8", do="append", said="jw-4")["camera"] == "w-8,jw-4"
    both = _edit(talk, "pan left", do="append", said="w-8")
    assert both["camera"]["type"] == "camera_path"
    assert both["duration_s"] == pytest.approx(both["video_s"], abs=0.01), "it fits the video"
    assert both["keyframes"][-1]["turn_deg"] == pytest.approx(-30, abs=0.5)


def test_a_keyframe_is_moved_added_and_removed_and_each_is_told(talk: Talk) -> None:
    drawn = _edit(talk, None, do="draw", points=[[0.2, 0.0], [0.6, 0.0], [0.6, 0.4]])
    count = len(drawn["keyframes"])
    assert drawn["told"] == f"Drawn: {count} keyframes."
    moved = _edit(talk, drawn["camera"], do="place", at=1, right=-1.2, forward=0.3, time_s=1.5)
    assert moved["told"] == "Keyframe 2 at 1.5 s: 1.2 left, 0.3 forward."
    assert moved["chosen"] == 1
    more = _edit(talk, moved["camera"], do="add")
    assert len(more["keyframes"]) == count + 1
    fewer = _edit(talk, more["camera"], do="remove", at=more["chosen"])
    assert fewer["keyframes"] == moved["keyframes"]


def test_a_keyframe_that_is_turned_keeps_its_own_gaze(talk: Talk) -> None:
    path = _edit(talk, None, do="draw", points=[[0.5, 0.0], [0.5, 0.4]])
    turned = _edit(talk, path["camera"], do="place", at=1, turn_deg=-70)
    assert turned["gaze"] == "own"
    assert turned["keyframes"][1]["turn_deg"] == pytest.approx(-70)
    back = _edit(talk, turned["camera"], do="look", gaze="subject")
    assert back["gaze"] == "subject"
    assert back["told"] == "The camera looks at the subject."


def test_a_short_path_is_stretched_over_the_video(talk: Talk) -> None:
    short = talk.ask("camera", settings={"camera": "w-8"})["value"]
    assert any("stands still" in note for note in short["notes"])
    whole = _edit(talk, "w-8", do="fit")
    assert whole["duration_s"] == pytest.approx(whole["video_s"], abs=0.01)


@pytest.mark.parametrize(
    ("camera", "edit", "told"),
    [
        (None, {"do": "say", "said": "a nice day"}, "no movement is understood"),
        (None, {"do": "say", "said": "x-20"}, "unknown keys"),
        (None, {"do": "place", "at": 1, "right": 1.0}, "no path yet"),
        ("pan left", {"do": "place", "at": 0, "right": 1.0}, "cannot be the first one"),
        ("pan left", {"do": "place", "at": 40, "right": 1.0}, "keyframes"),
        ("pan left", {"do": "remove", "at": 0}, "needs its start"),
        (None, {"do": "fly"}, "append"),
        (None, {"do": "draw", "points": [[0, float("nan")]]}, "finite"),
    ],
)
def test_what_cannot_be_is_answered_with_a_reason(
    talk: Talk, camera: Any, edit: dict[str, Any], told: str
) -> None:
    settings = {} if camera is None else {"camera": camera}
    assert told in talk.ask("camera", settings=settings, edit=edit)["error"]["message"]


def _pictures(answer: dict[str, Any], count: int) -> list[bytes]:
    whole = Image.open(io.BytesIO(answer["buffers"][0]))
    width = whole.width // count
    return [
        whole.crop((i * width, 0, (i + 1) * width, whole.height)).tobytes() for i in range(count)
    ]


def test_the_storyboard_is_seen_along_a_path_before_it_is_rendered(talk: Talk) -> None:
    idea = "a red car on a coast road"
    plain = talk.ask("camera_preview", settings={}, idea=idea, count=4)
    still = talk.ask("camera_preview", settings={"camera": "static"}, idea=idea, count=4)
    orbit = talk.ask("camera_preview", settings={"camera": "orbit left"}, idea=idea, count=4)
    assert len({len(answer["buffers"]) for answer in (plain, still, orbit)}) == 1
    first, *_, last = _pictures(orbit, 4)
    assert first != last
    assert _pictures(orbit, 4)[-1] != _pictures(still, 4)[-1]
    assert talk.jobs == [], "no job is queued for it"


def test_a_path_holds_for_the_first_video_and_its_top_view_is_kept_with_it(talk: Talk) -> None:
    answer = talk.ask("enhance", text="dog running", settings={"camera": "orbit left"})
    job = answer["value"]["job"]
    view = talk.ask("job_camera", job=job)["value"]
    assert view["label"] == "orbit left"
    assert view["curve"][-1][1] < -0.5
    assert talk.entries[-1]["settings"]["camera"] == "orbit left"
    talk.ask("set_render", values={"camera": None})
    assert "camera" not in talk.entries[-1]["settings"]
    plain = talk.ask("render", index=answer["value"]["index"])["value"]["job"]
    assert talk.ask("job_camera", job=plain)["value"] is None


def test_what_the_storyboard_holds_back_is_told_beside_the_panel_and_shown_over_the_video(
    talk: Talk,
) -> None:
    index = talk.ask("enhance", text="a rock in a desert", settings={})["value"]["index"]
    settings = {"camera": "w-80", "engine": "animatic"}
    view = talk.ask("camera", settings=settings, index=index)["value"]
    (told,) = view["held"]
    assert "units further forward than the storyboard's stage" in told
    assert talk.ask("camera", settings={"camera": "w-8"}, index=index)["value"]["held"] == []
    studio = talk.bench._studio
    job = talk.ask("render", index=index, options={"camera": "w-80", "engine": "animatic"})
    job = job["value"]["job"]
    camera = studio.jobs.job(job).request.camera
    assert camera is not None
    assert any("stage" in note for note in camera.notes), "at once"
    shown = talk.ask("job_camera", job=job)["value"]
    assert shown["curve"][-1][2] == 2.0, "where the video's camera is held"
    assert shown["asked"][-1][2] == 4.0, "where it was sent"
    assert told in shown["notes"]
