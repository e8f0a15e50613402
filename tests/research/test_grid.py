"""Experiments: designs, cells, effects, and their synchronised display."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.measures.clips import FPS, HEIGHT, WIDTH
from tests.research.conftest import SMALL
from tests.videos import decode
from workbench.control import control_json, path_from_drawing, path_from_keys
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import probe_video
from workbench.errors import Conflict, InvalidRequest, NotFound
from workbench.research.designs import Span, combinations
from workbench.research.matrix import Layout, matrix_page, write_matrix_video

SCENE = wb.Scene(subject="a dog", action="running", setting="a beach", time_of_day="midday")
AXES: dict[str, Any] = {"a": [1, 2, 3], "b": ["x", "y"], "c": [True, False]}


@pytest.fixture(scope="module")
def grid(studio: wb.Studio) -> wb.Grid:
    return wb.grid(
        SCENE,
        camera_movement=["pans left", "static"],
        time_of_day=["midday", "midnight"],
        seeds=2,
        using=studio,
        **SMALL,
    ).wait(120)


def test_a_factorial_design_covers_every_combination_once() -> None:
    found = combinations(AXES)
    assert [tuple(c.values()) for c in found] == list(itertools.product(*AXES.values()))


def test_one_at_a_time_varies_one_axis_from_the_baseline() -> None:
    found = combinations(AXES, "one_at_a_time")
    base = {"a": 1, "b": "x", "c": True}
    assert found[0] == base
    assert len(found) == 1 + 2 + 1 + 1
    assert all(sum(c[k] != base[k] for k in base) == 1 for c in found[1:])


def test_a_latin_hypercube_samples_every_stratum_once() -> None:
    axes: dict[str, Any] = {"kind": ["x", "y", "z"], "scale": Span(1.0, 7.0), "steps": Span(10, 40)}
    found = combinations(axes, "latin", samples=12, seed=5)
    parts = sorted(int((c["scale"] - 1.0) / 6.0 * 12) for c in found)
    assert parts == list(range(12))
    assert set(Counter(c["kind"] for c in found).values()) == {4}
    assert all(isinstance(c["steps"], int) and 10 <= c["steps"] <= 40 for c in found)
    assert found == combinations(axes, "latin", samples=12, seed=5)


@pytest.mark.parametrize(
    ("axes", "design", "told"),
    [
        ({"a": []}, "factorial", "has no value"),
        ({"a": [1, 1]}, "factorial", "same value twice"),
        ({"a": Span(0, 1)}, "factorial", "design 'latin'"),
        ({"a": Span(1, 1)}, "latin", "lower to a higher"),
        ({"a": [1]}, "latin", "samples"),
        ({"a": [1]}, "guessing", "must be one of"),
        ({n: list(range(100)) for n in "abc"}, "factorial", "1,000,000 combinations"),
    ],
)
def test_an_impossible_design_is_refused(axes: Any, design: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        combinations(axes, design)


def test_cells_differ_only_in_their_axes_and_share_seeds(grid: wb.Grid) -> None:
    assert grid.axes == {"camera_movement": ("pans left", "static"),
                         "time_of_day": ("midday", "midnight")}  # fmt: skip
    assert grid.seeds == (1, 2)
    for cell, job in zip(grid.cells, grid.batch.record.jobs, strict=True):
        scene = job.request.scene
        assert scene.camera_movement == cell.labels["camera_movement"].replace("pans", "pan")
        assert scene.time_of_day == cell.labels["time_of_day"]
        assert (scene.subject, scene.setting) == ("a dog", "a beach")
        assert job.request.seed == cell.values["seed"]
        assert (job.request.width, job.request.num_frames) == (96, 5)
    prompts = {cell.prompt for cell in grid.cells}
    assert len(prompts) == 4
    assert all("dog" in prompt and "beach" in prompt for prompt in prompts)


def test_a_video_is_found_by_its_values(grid: wb.Grid) -> None:
    night = grid.video(time_of_day="midnight", camera_movement="static", seed=2)
    assert night.job.request.scene.time_of_day == "midnight"
    assert night.job.request.seed == 2
    with pytest.raises(NotFound, match="no cell"):
        grid.video(time_of_day="teatime")


def test_effects_show_how_time_of_day_changes_exposure(grid: wb.Grid) -> None:
    effects = {(e["axis"], e["value"]): e for e in grid.effects("exposure")}
    day, night = effects["time_of_day", "midday"], effects["time_of_day", "midnight"]
    assert day["effect"] == pytest.approx(-night["effect"])
    assert day["effect"] > 3 * abs(effects["camera_movement", "static"]["effect"])
    assert day["videos"] == 4
    frame = grid.to_dataframe()
    assert {"camera_movement", "time_of_day", "exposure"} <= set(frame.columns)
    with pytest.raises(InvalidRequest, match="no score"):
        grid.effects("beauty")


def test_a_prompt_keeps_its_words_except_for_an_axis_change(studio: wb.Studio) -> None:
    session = wb.enhance("a fox crossing a bridge", seed=3, using=studio)
    grid = wb.grid(session.prompt, time_of_day=["dawn", "night"], **SMALL)
    assert {job.session_id for job in grid.batch.record.jobs} == {session.session_id}
    before = set(session.prompt.text.split())
    for cell in grid.cells:
        kept = before & set(cell.prompt.split())
        assert len(kept) > 0.5 * len(before)
    grid.wait(300)


def test_a_dynamic_prompt_is_an_axis(studio: wb.Studio) -> None:
    grid = wb.grid("a {red|blue} kite", using=studio, **SMALL).wait(300)
    assert grid.axes == {"prompt": ("a red kite", "a blue kite")}
    assert [job.request.prompt for job in grid.batch.record.jobs] == ["a red kite", "a blue kite"]


def test_render_parameters_are_axes_too(studio: wb.Studio) -> None:
    small = {**SMALL, "num_frames": [3, 5]}
    grid = wb.grid(SCENE, using=studio, **small).wait(300)
    assert [probe_video(v.path).num_frames for v in grid.batch.videos] == [3, 5]


def test_a_mistake_queues_nothing(studio: wb.Studio) -> None:
    before = studio.jobs.jobs(limit=1).total
    for wrong in ({"nose": ["long"]}, {"width": [64, 3]}, {"seeds": 0}, {"engine": ["nobody"]}):
        with pytest.raises(InvalidRequest):
            wb.grid(SCENE, using=studio, **wrong)
    with pytest.raises(InvalidRequest):
        wb.grid("  ", using=studio)
    assert studio.jobs.jobs(limit=1).total == before


def test_what_only_some_cells_are_refused_for_names_their_value(studio: wb.Studio) -> None:
    axes: dict[str, Any] = {"width": [96, 3], "time_of_day": ["night", "noon"], "using": studio}
    with pytest.raises(InvalidRequest) as caught:
        wb.grid(SCENE, **axes)
    assert all(p.problem.endswith(" (width 3)") for p in caught.value.problems)
    with pytest.raises(InvalidRequest) as caught:
        wb.grid(SCENE, width=3, time_of_day=["night", "noon"], using=studio)
    assert not any(" (" in p.problem for p in caught.value.problems), "all are refused alike"


def test_the_page_contains_every_video_and_makes_no_requests(grid: wb.Grid, tmp_path: Path) -> None:
    page = grid.save_html(tmp_path / "grid.html").read_text("utf-8")
    assert page.count("data:video/mp4;base64,") == 8
    assert "time of day: midnight" in page
    assert "http" not in page
    assert "<iframe srcdoc=" in grid._repr_html_()


def test_the_matrix_places_each_video_and_holds_the_last_frame_of_short_ones(
    tmp_path: Path,
) -> None:
    def plain(level: int, count: int) -> Path:
        path = tmp_path / f"{level}.mp4"
        with VideoWriter(path, WIDTH, HEIGHT, FPS) as writer:
            writer.write(np.full((count, HEIGHT, WIDTH, 3), level, np.uint8))
        return path

    labels = [{"light": light, "seed": seed} for seed in "12" for light in ("dim", "bright")]
    layout = Layout.of(labels, "light")
    assert layout.columns == ("light: dim", "light: bright")
    assert layout.rows == ("seed: 1", "seed: 2")
    files = [plain(60, 12), plain(200, 6), None, plain(120, 12)]
    target = write_matrix_video(tmp_path / "m.mp4", layout, files, 160)
    facts = probe_video(target)
    assert (facts.num_frames, facts.fps) == (12, FPS)
    frames = decode(target)
    for number in (0, 11):
        frame = frames[number]
        height, width = frame.shape[:2]
        right, left = width - 80, width - 80 - 166
        lower, upper = height - 50, height - 50 - 98
        assert abs(int(frame[upper, left, 0]) - 60) < 8
        assert abs(int(frame[upper, right, 0]) - 200) < 8
        assert abs(int(frame[lower, right, 0]) - 120) < 8
        assert frame[lower, left, 0] > 215
    page = matrix_page("m", layout, files, 160)
    assert page.count("<video muted") == 3
    assert "no video" in page
    with pytest.raises(Conflict, match="No video"):
        write_matrix_video(tmp_path / "n.mp4", layout, [None] * 4, 160)


def test_a_grid_is_exported_as_one_video_with_its_headers(grid: wb.Grid, tmp_path: Path) -> None:
    target = grid.save_video(tmp_path / "grid.mp4", width=96)
    facts = probe_video(target)
    assert facts.num_frames == 5
    assert facts.width >= 2 * 96
    assert facts.height >= 4 * 64
    frame = decode(target)[0]
    assert frame[: frame.shape[0] // 10].min() < 120


def test_colours_stay_in_their_place_whatever_the_size_of_the_matrix(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    with VideoWriter(video, 100, 52, FPS) as writer:
        writer.write(np.full((2, 52, 100, 3), (200, 40, 40), np.uint8))
    for count in (1, 2, 3):
        layout = Layout.of([{"a": "x", "seed": str(n)} for n in range(count)], "a")
        frame = decode(write_matrix_video(tmp_path / "m.mp4", layout, [video] * count, 90))[0]
        red = (frame[..., 0] > 170) & (frame[..., 1] < 80)
        assert red.mean() == pytest.approx(count * 92 * 48 / red.size, rel=0.05)
        grey = np.abs(frame.astype(int) - frame.mean(axis=2, keepdims=True)).max(axis=2) < 12
        assert (red | grey).mean() > 0.98


def test_labels_are_escaped_on_the_page() -> None:
    page = matrix_page("<i>t</i>", Layout.of([{"a": "<script>x</script>"}], "a"), [None], 96)
    assert "<script>x" not in page
    assert "&lt;i&gt;t" in page


def test_eight_camera_paths_are_an_axis_of_one_prompt(studio: wb.Studio, tmp_path: Path) -> None:
    file = tmp_path / "path.json"
    file.write_text(path_from_keys("d-4").value.model_dump_json())
    drawn = path_from_drawing([(0, 0, 0), (0.2, 0.3, 0.2)]).value
    paths = ["orbit left", "orbit right", "push in", "crane up", "w-4", "a-4", drawn, file]
    made = wb.grid(SCENE, camera=paths, using=studio, **SMALL).wait(120)
    cameras = [job.request.camera for job in made.batch.record.jobs]
    assert [camera is not None and camera.way for camera in cameras] == ["poses"] * 8
    assert len({camera and control_json(camera.camera_path()) for camera in cameras}) == 8
    assert made.axes["camera"][:6] == (
        "orbit left",
        "orbit right",
        "push in",
        "crane up",
        "w-4",
        "a-4",
    )
    assert made.axes["camera"][6].startswith("dolly in")
    assert made.video(camera="crane up").state == "complete"


def test_a_grid_with_one_bad_camera_queues_nothing(studio: wb.Studio, tmp_path: Path) -> None:
    before = studio.jobs.jobs(limit=1).total
    with pytest.raises(InvalidRequest, match="no movement is understood"):
        wb.grid(SCENE, camera=["orbit left", "a nice day"], using=studio, **SMALL)
    with pytest.raises(InvalidRequest, match=r"missing\.json"):
        wb.grid(SCENE, camera=[tmp_path / "missing.json"], using=studio, **SMALL)
    assert studio.jobs.jobs(limit=1).total == before
