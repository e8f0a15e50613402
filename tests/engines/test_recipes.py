"""Recipes in files: they round-trip, and damage is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.filming import recipe_for, render
from workbench.engines.commands import recipe
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video, probe_video
from workbench.engines.recipes import METADATA_KEY, embeddable, read_recipe, write_recipe
from workbench.errors import DamagedFile
from workbench.rendering import Outcome
from workbench.scene import Origin, Scene

RECIPE = recipe_for(
    Scene(subject="two dogs", provenance={"subject": Origin.LOCKED}), seed=2**62, num_frames=7
)


def video(folder: Path, metadata: dict[str, str]) -> Path:
    with VideoWriter(folder / "v.mp4", 64, 64, 24, metadata=metadata) as writer:
        writer.write(np.zeros((2, 64, 64, 3), np.uint8))
    return folder / "v.mp4"


def test_a_video_file_alone_contains_its_recipe(tmp_path: Path) -> None:
    read = read_recipe(video(tmp_path, embeddable(RECIPE)))
    assert read == RECIPE
    assert read.request.scene.is_locked("subject")


def test_the_process_that_reads_a_recipe_does_not_open_the_video_itself(tmp_path: Path) -> None:
    path = video(tmp_path, embeddable(RECIPE))
    code = (
        "import sys; from pathlib import Path; from workbench.engines.recipes import read_recipe;"
        f"print(read_recipe(Path({str(path)!r})).request.seed, 'av' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert told.split() == [str(2**62), "False"]


def test_a_video_whose_tag_is_too_large_is_refused(tmp_path: Path) -> None:
    path = video(tmp_path, {METADATA_KEY: "x" * (9 << 20)})
    with pytest.raises(DamagedFile, match="too large to be a recipe"):
        read_recipe(path)


def test_a_recipe_round_trips_with_its_outcome(tmp_path: Path) -> None:
    outcome = Outcome(width=2, height=2, num_frames=1, fps=1, size_bytes=3, sha256="0")
    whole = RECIPE.model_copy(update={"outcome": outcome})
    write_recipe(whole, tmp_path / "recipe.json")
    assert read_recipe(tmp_path / "recipe.json") == whole


def test_the_embedded_recipe_holds_no_outcome() -> None:
    outcome = Outcome(width=2, height=2, num_frames=1, fps=1, size_bytes=3, sha256="0")
    whole = RECIPE.model_copy(update={"outcome": outcome})
    assert embeddable(whole) == embeddable(RECIPE)


def test_fields_of_a_newer_release_survive(tmp_path: Path) -> None:
    data: dict[str, Any] = json.loads(RECIPE.model_dump_json())
    data |= {"version": 9, "weather_station": {"id": 4}}
    data["request"] |= {"sharpness": 3}
    data["request"]["scene"] |= {"smell": "hay"}
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(data))
    write_recipe(read_recipe(path), path)
    again = read_recipe(path)
    kept = again.model_dump()
    assert kept["weather_station"] == {"id": 4}
    assert kept["newer_fields"] == {"request": {"sharpness": 3}, "scene": {"smell": "hay"}}
    assert (again.version, again.request.seed) == (9, 2**62)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"{", "not valid JSON"),
        (b"[1, 2]", "has no recipe"),
        (b'{"a": 1}', "has no recipe"),
        (b"\x00\x01\xff\xfe" * 20, "neither an mp4 nor"),
        (
            b'{"job_id": "x", "request": {"prompt": ""}, "created_at": "2026-01-02T00:00:00Z"}',
            "damaged at request.prompt",
        ),
        (b"\x00\x00\x00\x1cftypisom" + bytes(64), "cannot be opened"),
    ],
)
def test_a_damaged_or_foreign_file_is_reported(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=sentence):
        read_recipe(path)


def test_a_video_without_a_recipe_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="has no recipe"):
        read_recipe(video(tmp_path, {"comment": "holiday"}))


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="cannot be read"):
        read_recipe(tmp_path / "nothing.mp4")


def test_a_truncated_video_is_damaged(tmp_path: Path) -> None:
    path = video(tmp_path, embeddable(RECIPE))
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DamagedFile):
        probe_video(path)
    with pytest.raises(DamagedFile):
        read_recipe(path)


def test_a_video_file_is_inspected_and_rendered_again_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render(tmp_path, Scene(subject="a fox", action="running"), width=128, height=72, num_frames=6)
    lone = tmp_path / "lone.mp4"
    (tmp_path / "video.mp4").rename(lone)
    assert recipe(["show", str(lone)]) == 0
    shown = capsys.readouterr().out
    assert "a fox" in shown
    assert "128×72, 6 frames" in shown
    assert recipe(["rerun", str(lone), "--output", str(tmp_path / "again.mp4")]) == 0
    first, second = (list(decode_video(path)) for path in (lone, tmp_path / "again.mp4"))
    assert len(first) == 6
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    (tmp_path / "foreign.json").write_text("no recipe", "utf-8")
    assert recipe(["show", str(tmp_path / "foreign.json")]) == 1
    assert "damaged" in capsys.readouterr().err
