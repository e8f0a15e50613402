"""Scores match known values."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.measures.clips import (
    FPS,
    HEIGHT,
    WIDTH,
    Frames,
    blurred,
    flickering,
    frozen,
    panning,
    shuffled,
)
from workbench.engines.encoder import VideoWriter
from workbench.errors import DamagedFile, InvalidRequest
from workbench.measures.clips import NEAR_DUPLICATE, Clip
from workbench.measures.measurement import measure
from workbench.measures.records import ScoreRecord, read_record, write_record
from workbench.measures.scorecards import are_alike, near_duplicates, score_video, score_videos
from workbench.measures.scores import Scores


def _scores(frames: Frames) -> Scores:
    return measure(Clip.of(frames, FPS)).scores


def _write(path: Path, frames: Frames) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, WIDTH, HEIGHT, FPS) as writer:
        writer.write(frames)
    return path


@pytest.fixture(scope="module")
def pan() -> Frames:
    return panning()


def test_a_frozen_clip_has_no_motion_and_no_other_fault() -> None:
    scores = _scores(frozen())
    assert scores.motion == 0
    assert scores.flicker == 0
    assert scores.smoothness == 1
    assert scores.consistency == 1


@pytest.mark.parametrize("speed", [1, 2, 4])
def test_motion_is_the_speed_at_which_the_picture_moves(speed: int) -> None:
    expected = speed * FPS / WIDTH
    assert _scores(panning(speed)).motion == pytest.approx(expected, rel=0.15)


def test_motion_and_exposure_do_not_depend_on_the_size_of_the_video(pan: Frames) -> None:
    large = np.stack([cv2.resize(f, (WIDTH * 2, HEIGHT * 2)) for f in pan])
    small, big = _scores(pan), _scores(np.asarray(large, np.uint8))
    assert big.motion == pytest.approx(small.motion, rel=0.1)
    assert big.exposure == pytest.approx(small.exposure, abs=0.01)


def test_every_measure_is_taken_at_one_size() -> None:
    small = panning(count=4)
    large = small.repeat(2, axis=1).repeat(2, axis=2)  # reduced by area, it is the small one again
    assert _scores(large).by_name == pytest.approx(_scores(small).by_name)


def test_flicker_is_found_only_where_brightness_jumps(pan: Frames) -> None:
    steady, spoiled = _scores(pan), _scores(flickering(pan))
    light = np.mean([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY).mean() for f in pan]) / 255
    assert steady.flicker < 0.005
    assert spoiled.flicker == pytest.approx(0.2 * light, rel=0.1)


def test_a_steady_fade_is_no_flicker() -> None:
    still = frozen().astype(np.float32)
    ramp = np.linspace(1, 0.4, len(still))[:, None, None, None]
    assert _scores(np.asarray((still * ramp).round(), np.uint8)).flicker < 0.002


def test_blur_takes_sharpness_and_leaves_motion(pan: Frames) -> None:
    sharp, soft = _scores(pan), _scores(blurred(pan))
    assert soft.sharpness < sharp.sharpness / 5
    assert soft.motion == pytest.approx(sharp.motion, rel=0.15)


def test_sharpness_is_the_variance_of_the_laplacian_on_stripes_a_pixel_wide() -> None:
    stripes = np.zeros((3, HEIGHT, WIDTH, 3), np.uint8)
    stripes[:, :, ::2] = 200  # each pixel's neighbours left and right differ from it by 200
    assert _scores(stripes).sharpness == pytest.approx((2 * 200) ** 2)


def test_a_steady_pan_is_smooth(pan: Frames) -> None:
    errors = [np.abs(a.astype(float) - b).mean() / 255 for a, b in pairwise(pan)]
    unmoved = 1 - float(np.mean(errors))
    assert _scores(pan).consistency > 1 - (1 - unmoved) / 4


def test_frames_in_disorder_are_neither_smooth_nor_consistent(pan: Frames) -> None:
    ordered, mixed = _scores(pan), _scores(shuffled(pan))
    assert ordered.smoothness > 0.8
    assert mixed.smoothness < 0.4
    assert mixed.consistency < ordered.consistency - 0.03
    assert mixed.sharpness == pytest.approx(ordered.sharpness, rel=0.01)


@pytest.mark.parametrize(("level", "clipping"), [(0, 1.0), (128, 0.0), (255, 1.0)])
def test_exposure_and_clipping_are_those_of_a_plain_grey(level: int, clipping: float) -> None:
    scores = _scores(np.full((4, HEIGHT, WIDTH, 3), level, np.uint8))
    assert scores.exposure == pytest.approx(level / 255, abs=1e-6)
    assert scores.clipping == clipping
    assert scores.colourfulness == 0
    assert scores.sharpness == 0


def test_colourfulness_is_that_of_its_formula_on_two_plain_halves() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, : WIDTH // 2, 0] = 200
    picture[:, WIDTH // 2 :, 2] = 200
    red_green, yellow_blue = np.array([200.0, 0.0]), np.array([100.0, -200.0])
    expected = np.hypot(red_green.std(), yellow_blue.std()) + 0.3 * np.hypot(
        red_green.mean(), yellow_blue.mean()
    )
    assert _scores(np.stack([picture] * 4)).colourfulness == pytest.approx(expected, rel=1e-4)


def test_curves_show_when_a_score_changes_and_their_mean_is_the_score() -> None:
    still, moving = frozen(), panning(4)
    found = measure(Clip.of(np.concatenate([still[:20], moving[:20]]), FPS))
    motion = np.asarray(found.curves["motion"])
    assert len(motion) == 39
    assert motion[:18].max() < 0.01
    assert motion[-18:].min() > 0.1
    assert motion.mean() == pytest.approx(found.scores.motion, rel=0.01)
    assert set(found.curves) == set(found.scores.by_name) - {"smoothness"}
    assert max(map(len, measure(Clip.of(panning(1, 90), FPS)).curves.values())) == 48


def test_one_frame_is_a_clip_and_none_is_not(pan: Frames) -> None:
    alone = _scores(pan[:1])
    assert (alone.motion, alone.flicker, alone.consistency) == (0, 0, 1)
    with pytest.raises(InvalidRequest, match="without frames"):
        Clip.of([], FPS)


def test_a_reencoded_picture_is_a_near_duplicate_and_another_picture_is_not(
    tmp_path: Path, pan: Frames
) -> None:
    paths = {
        "one": _write(tmp_path / "1" / "video.mp4", pan),
        "again": _write(tmp_path / "2" / "video.mp4", pan),
        "softer": _write(tmp_path / "3" / "video.mp4", blurred(pan, 1.5)),
        "other": _write(tmp_path / "4" / "video.mp4", panning(seed=5)),
        "dark": _write(tmp_path / "5" / "video.mp4", (pan // 2).astype(np.uint8)),
    }
    cards = score_videos(paths)
    prints = {key: card.fingerprint for key, card in cards.items()}
    assert near_duplicates(prints) == (("one", "again", "softer"),)
    assert near_duplicates(prints, limit=1.0) == (tuple(paths),)
    assert not are_alike(prints["one"], prints["dark"], limit=NEAR_DUPLICATE * 3)
    assert not are_alike(prints["one"], b"", limit=1.0)


def test_a_record_round_trips_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    record = ScoreRecord("abc", _scores(frozen()), b"print", ("j-1",))
    write_record(path, record)
    assert read_record(path) == record
    path.write_text('{"version": 2, "video": "abc"}', "utf-8")
    assert read_record(path) is None
    assert read_record(tmp_path / "nothing") is None


def test_a_video_that_does_not_decode_is_reported_as_damaged(tmp_path: Path) -> None:
    broken = tmp_path / "video.mp4"
    broken.write_bytes(b"nothing")
    with pytest.raises(DamagedFile):
        score_video(broken)
    assert score_videos({"broken": broken}) == {}
