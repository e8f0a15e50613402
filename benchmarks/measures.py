"""How well the measures find what was put into a video on purpose: correlations and detection rates.

Run with ``python -m benchmarks.measures``; ``--write`` keeps what was reached in
``workbench/measures/evidence.toml``, which decides what is shown. The clips are a textured room filmed by projection, with
a camera that is known; each is encoded and decoded before it is measured. A measure that does not
reach a correlation of 0.9, or 95 % of the faults with 95 % of the findings right, is not offered as
a number: see docs/worlds.md.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.report import Figure, print_report
from tests.measures.faults import (
    blurring,
    brightening,
    encoded,
    energy,
    freezing,
    looping,
    repeating,
    tinting,
)
from tests.measures.world import FPS, LENS, Room, film
from workbench.control import path_from_words
from workbench.control.rotation import Array, exp_quaternion, matrix_of
from workbench.measures import evidence as evidence_module
from workbench.measures.camera import camera_error, recover_camera, return_error
from workbench.measures.clips import Clip
from workbench.measures.continuity import (
    cuts,
    loop_period,
    repeated_frames,
    seam,
    standstills,
    visible_seams,
)
from workbench.measures.drift import drift
from workbench.measures.evidence import FOUND_RATE, LEAST_CORRELATION, evidence
from workbench.measures.scene_check.measured import camera_move
from workbench.measures.transitions import Transition, transitions

Frames = npt.NDArray[np.uint8]

_SHOTS = (
    "pan left 40 degrees",
    "dolly in 2 units",
    "truck right 1.5 units",
    "orbit left 35 degrees at a distance of 4",
    "crane up 1 units and tilt down 12 degrees",
    "pan right 20 degrees and dolly in 1 units",
    "truck left 1 units, then pan right 25 degrees",
    "dolly out 1.5 units",
    "tilt up 15 degrees, then dolly in 1 units",
    "orbit right 30 degrees at a distance of 3.5",
)
_SECONDS = 1.5
_CLIPS = 10
"""Clean clips; the faults are put into them."""


def main() -> None:
    """Measure and print."""
    chosen = [name for name in sys.argv[1:] if name != "--write"]
    cv2.setNumThreads(1)
    groups = {
        "camera": _camera,
        "moves": _moves,
        "return": _returns,
        "drift": _drift,
        "seams": _seams,
        "repeats": _repeats,
        "cuts": _cuts,
        "loops": _loops,
    }
    for name, group in groups.items():
        if not chosen or name in chosen:
            print_report(f"measures: {name}", group(np.random.default_rng(7)))
    if "--write" in sys.argv:
        _write({**evidence(), **_REACHED})


_REACHED: dict[str, dict[str, float]] = {}
"""What each score reached in this run."""


def _write(reached: Mapping[str, Mapping[str, float]]) -> None:
    lines = ["# Written by python -m benchmarks.measures --write: what each score reached.\n"]
    for score, values in sorted(reached.items()):
        lines += [f"\n[{score}]\n", *(f"{name} = {value:.4f}\n" for name, value in values.items())]
    path = Path(evidence_module.__file__).with_name("evidence.toml")
    path.write_text("".join(lines), "utf-8")


@cache
def _path(number: int) -> Array:
    words = _SHOTS[number % len(_SHOTS)]
    return path_from_words(words, seconds=_SECONDS, fps=FPS).value.c2w


@cache
def _shot(number: int) -> Frames:
    """Return a clean clip: each number another room and another movement."""
    return film(_path(number), Room(number))


def _encoded(frames: Frames) -> Frames:
    with tempfile.TemporaryDirectory() as folder:
        return encoded(frames, Path(folder), FPS)


def _steps(frames: Frames) -> tuple[Transition, ...]:
    return transitions(Clip.of(_encoded(frames), FPS))


def _camera(rng: np.random.Generator) -> list[Figure]:
    """A camera that strays from its command by a known angle and a known direction."""
    strayed, measured, ways, found, exact, exact_ways = [], [], [], [], [], []
    seen = []
    for number in range(2 * _CLIPS):
        commanded = _path(number)
        axis = rng.normal(size=3)
        angle = 0.0 if number % 4 == 0 else float(rng.uniform(0, 15))
        bend = 0.0 if number % 4 == 0 else float(rng.uniform(0, 45))
        actual = _strayed(commanded, axis / np.linalg.norm(axis), angle, bend)
        legs = recover_camera(_encoded(film(actual, Room(number))), LENS)
        error, truth = camera_error(legs, commanded), _truth(legs, actual, commanded)
        measured.append(error.rotation_deg)
        strayed.append(truth[0])
        seen.append(error.seen)
        if error.direction_deg is not None and truth[1] is not None:
            found.append(error.direction_deg)
            ways.append(truth[1])
        if number % 4 == 0:
            exact.append(error.rotation_deg)
            if error.direction_deg is not None:
                exact_ways.append(error.direction_deg)
    return [
        _correlation("rotation error against the truth", strayed, measured, "path_rotation"),
        _correlation("direction error against the truth", ways, found, "path_direction"),
        Figure("rotation error of a camera that obeys, mean", float(np.mean(exact)), "°"),
        Figure("direction error of a camera that obeys, mean", float(np.mean(exact_ways)), "°"),
        Figure("frames whose pose is recovered", float(np.mean(seen)) * 100, "%"),
    ]


def _moves(rng: np.random.Generator) -> list[Figure]:
    """One movement of the camera, named from the pictures; and movements that have no such name."""
    tally = _Tally()
    for number, (name, words, low, high) in enumerate(4 * _ONE_MOVE):
        path = path_from_words(
            words.format(rng.uniform(low, high)), seconds=_SECONDS, fps=FPS
        ).value.c2w
        legs = recover_camera(_encoded(film(path, Room(number))), LENS)
        found = camera_move(legs)
        place = _NAMES.index(name) if name else -1
        tally.add({place} if name else set(), {_NAMES.index(found)} if found else set())
    return tally.figures("camera movements named", "camera_movement")


_ONE_MOVE = (
    ("static", "static", 0, 0),
    ("pan left", "pan left {} degrees", 8, 40),
    ("pan right", "pan right {} degrees", 8, 40),
    ("tilt up", "tilt up {} degrees", 8, 20),
    ("tilt down", "tilt down {} degrees", 8, 20),
    ("dolly in", "dolly in {} units", 0.7, 2.5),
    ("dolly out", "dolly out {} units", 0.7, 2.5),
    ("", "orbit left {} degrees at a distance of 4", 15, 35),
    ("", "pan left {} degrees and dolly in 1 units", 10, 30),
)
"""The name of a movement, its words, and the range of its amount."""
_NAMES = (
    *(name for name, *_ in _ONE_MOVE if name),
    "truck left", "truck right", "crane up", "crane down",
)  # fmt: skip


def _strayed(poses: Array, axis: Array, degrees: float, bend: float) -> Array:
    """Return ``poses`` turned more and more about ``axis``, and travelling ``bend`` degrees off."""
    share = np.linspace(0, 1, len(poses))[:, None]
    extra = matrix_of(exp_quaternion(axis * np.radians(degrees) * share))
    off = matrix_of(exp_quaternion(np.array([0.0, np.radians(bend), 0.0])))
    found = poses.copy()
    found[:, :3, :3] = poses[:, :3, :3] @ extra
    found[:, :3, 3] = poses[:, :3, 3] @ off.T
    return found


def _truth(legs: Sequence[object], actual: Array, commanded: Array) -> tuple[float, float | None]:
    """Return the error that a perfect recovery of ``actual`` would report."""
    from workbench.measures.camera import Leg

    exact = []
    for leg in legs:
        assert isinstance(leg, Leg)
        start, stop = actual[leg.start], actual[leg.stop]
        travel = start[:3, :3].T @ (stop[:3, 3] - start[:3, 3])
        length = float(np.linalg.norm(travel))
        known = leg.direction is not None and length > 0
        rotation = start[:3, :3].T @ stop[:3, :3]
        exact.append(Leg(leg.start, leg.stop, rotation, travel / length if known else None))
    error = camera_error(exact, commanded)
    return error.rotation_deg, error.direction_deg


def _returns(rng: np.random.Generator) -> list[Figure]:
    """A camera that comes back to within a known rotation."""
    truth, turned, shifted, moved = [], [], [], []
    for number in range(24):
        room, start = Room(number), np.eye(4)
        axis = rng.normal(size=3)
        angle = float(rng.uniform(0, 12))
        back = _strayed(np.stack([start, start]), axis / np.linalg.norm(axis), angle, 0)[1]
        first, second = _encoded(film(np.stack([start, back]), room))
        error = return_error(first, second, LENS)
        assert error is not None
        truth.append(angle)
        turned.append(error.rotation_deg)
        shifted.append(error.shift)
        moved.append(_shift(back))
    return [
        _correlation("rotation between the frames", truth, turned, "return_rotation"),
        _correlation("shift of the picture", moved, shifted, "return_shift"),
    ]


def _shift(pose: Array) -> float:
    """Return the median distance that distant points move by, picture widths."""
    columns, rows = np.meshgrid(np.arange(8, LENS.width, 16), np.arange(8, LENS.height, 16))
    pixels = np.stack([columns.ravel(), rows.ravel(), np.ones(columns.size)])
    seen = LENS.matrix @ pose[:3, :3].T @ np.linalg.inv(LENS.matrix) @ pixels
    there = seen[:2] / seen[2]
    inside = (there > 0).all(axis=0) & (there[0] < LENS.width) & (there[1] < LENS.height)
    return float(np.median(np.linalg.norm(there - pixels[:2], axis=0)[inside])) / LENS.width


def _drift(rng: np.random.Generator) -> list[Figure]:
    """Light, colour and detail that change evenly from the first frame to the last."""
    truth: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    found: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    clean: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    for number in range(_CLIPS):
        shot = _shot(number % _CLIPS)
        ramp = np.linspace(0, 1, len(shot))
        stops = float(rng.uniform(-0.8, 0.4))
        distance, angle = float(rng.uniform(0, 16)), float(rng.uniform(0, 2 * np.pi))
        sigma = float(rng.uniform(0, 2.5))
        blurred = blurring(shot, sigma * ramp)
        spoiled = {
            "exposure": (brightening(shot, stops * ramp), stops),
            "colour": (
                tinting(shot, *(distance * f(angle) * ramp for f in (np.cos, np.sin))),
                distance,
            ),
            "sharpness": (blurred, float(np.log2(energy(blurred[-1]) / energy(shot[-1])))),
        }
        for name, (frames, known) in spoiled.items():
            truth[name].append(known)
            found[name].append(float(getattr(drift(_steps(frames)), name)))
        if number < _CLIPS // 2:
            plain = drift(_steps(shot))
            for name, values in clean.items():
                values.append(abs(float(getattr(plain, name))))
    units = {"exposure": "log2", "colour": "Lab", "sharpness": "log2"}
    return [
        figure
        for name, unit in units.items()
        for figure in (
            _correlation(f"{name} drift", truth[name], found[name], f"{name}_drift"),
            Figure(
                f"{name} drift of a clip without any, worst of {_CLIPS // 2}",
                max(clean[name]),
                unit,
            ),
        )
    ]


def _seams(rng: np.random.Generator) -> list[Figure]:
    """A jump of light, colour or detail in the middle of a clip, or none."""
    truth: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    found: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    tally, anywhere = _Tally(), _Tally()
    for number in range(_CLIPS):
        shot = _shot(number % _CLIPS)
        place = int(rng.integers(8, len(shot) - 8))
        after = np.arange(len(shot)) >= place
        sign = 1 if rng.random() < 0.5 else -1
        stops = float(sign * rng.uniform(0.06, 0.4))
        distance, angle = float(rng.uniform(2, 12)), float(rng.uniform(0, 2 * np.pi))
        sigma = float(rng.uniform(0.6, 2))
        blurred = blurring(shot, sigma * after)
        spoiled = {
            "exposure": (brightening(shot, stops * after), stops),
            "colour": (
                tinting(shot, *(distance * f(angle) * after for f in (np.cos, np.sin))),
                distance,
            ),
            "sharpness": (
                blurred,
                float(np.log2(energy(blurred[place]) / energy(shot[place]))),
            ),
        }
        for name, (frames, known) in spoiled.items():
            steps = _steps(frames)
            result = seam(steps, place)
            anywhere.add({place}, set(visible_seams(steps)))
            truth[name].append(known)
            found[name].append(float(getattr(result, name)))
            tally.add({place}, {place} if result.visible else set())
        if number < _CLIPS // 2:
            steps = _steps(shot)
            places = rng.integers(8, len(shot) - 8, 6).tolist()
            tally.add(set(), {p for p in places if seam(steps, p).visible})
            anywhere.add(set(), set(visible_seams(steps)))
            flash = np.zeros(len(shot))
            flash[places[0]] = 0.7
            anywhere.add(set(), set(visible_seams(_steps(brightening(shot, flash)))))
    return [
        *(_correlation(f"{name} jump", truth[name], found[name]) for name in truth),
        *tally.figures("visible seams at a known place"),
        *anywhere.figures("visible seams anywhere", "seams"),
    ]


def _repeats(rng: np.random.Generator) -> list[Figure]:
    """Single frames shown twice, and standstills of half a second to a second."""
    single, standing = _Tally(), _Tally()
    for number in range(_CLIPS):
        shot = _shot(number % _CLIPS)
        places = sorted(rng.choice(np.arange(4, len(shot) - 4, 3), 2, replace=False).tolist())
        single.add(set(places), set(repeated_frames(_steps(repeating(shot, places)))))
        start, count = int(rng.integers(4, len(shot) - 6)), int(rng.integers(8, 16))
        steps = _steps(freezing(shot, start, count))
        standing.add(
            {start},
            {s.start for s in standstills(steps, FPS) if abs(s.start - start) <= 2},
            slack=2,
        )
        if number < _CLIPS // 2:
            steps = _steps(shot)
            single.add(set(), set(repeated_frames(steps)))
            standing.add(set(), {s.start for s in standstills(steps, FPS)})
    return [
        *single.figures("repeated frames", "repeated_frames"),
        *standing.figures("standstills", "standstill"),
    ]


def _cuts(rng: np.random.Generator) -> list[Figure]:
    """Another room, another place of the same room; and what is no cut: whips, flashes, fades."""
    tally, calm = _Tally(), _Tally()
    for number in range(_CLIPS):
        shot, other = _shot(number % _CLIPS), _shot((number + 3) % _CLIPS)
        place = int(rng.integers(8, len(shot) - 8))
        tally.add({place}, set(cuts(_steps(np.concatenate([shot[:place], other[place:]])))))
        turned = _path(number % _CLIPS).copy()
        turned[place:, :3, :3] = (
            matrix_of(exp_quaternion(np.array([0.0, float(rng.uniform(0.9, 2.5)), 0.0])))
            @ turned[place:, :3, :3]
        )
        tally.add({place}, set(cuts(_steps(film(turned, Room(number % _CLIPS))))))
    for number in range(_CLIPS // 2):
        shot = _shot(number)
        flash = np.zeros(len(shot))
        flash[int(rng.integers(8, len(shot) - 8))] = 0.7
        fade = np.linspace(0, -3, len(shot))
        whip = path_from_words("whip pan right 90 degrees", seconds=1.5, fps=FPS).value.c2w
        for frames in (
            shot,
            brightening(shot, flash),
            brightening(shot, fade),
            film(whip, Room(number)),
        ):
            calm.add(set(), set(cuts(_steps(frames))))
    wrong = sum(calm.wrong_of)
    return [
        *tally.figures("cuts", "cuts"),
        Figure(
            f"cuts found in {4 * (_CLIPS // 2)} clips of whip pans, flashes, fades and none of them",
            wrong,
            "",
        ),
    ]


def _loops(rng: np.random.Generator) -> list[Figure]:
    """Clips that go round, and clips that do not: there and back, steady, still."""
    tally = _Tally()
    for number in range(2 * _CLIPS):
        shot = _shot(number % _CLIPS)
        period = int(rng.integers(10, 22))
        period_found = loop_period(Clip.of(_encoded(looping(shot, period, 41)), FPS))
        tally.add({period}, {period_found} if period_found else set())
    for number in range(_CLIPS):
        shot = _shot(number)
        for frames in (shot, np.concatenate([shot[:18], shot[18:0:-1]]), shot[:1].repeat(40, 0)):
            period_found = loop_period(Clip.of(_encoded(frames), FPS))
            tally.add(set(), {period_found} if period_found else set())
    return tally.figures("loops, with their period", "loops")


@dataclass(slots=True)
class _Tally:
    """Faults that are there against faults that are found."""

    there: int = 0
    hit: int = 0
    found: int = 0
    wrong_of: list[int] = field(default_factory=list)

    def add(self, there: set[int], found: set[int], slack: int = 0) -> None:
        hits = {t for t in there if any(abs(f - t) <= slack for f in found)}
        wrong = [f for f in found if not any(abs(f - t) <= slack for t in there)]
        self.there += len(there)
        self.hit += len(hits)
        self.found += len(found)
        self.wrong_of.append(len(wrong))

    def figures(self, name: str, score: str = "") -> list[Figure]:
        right = 1 - sum(self.wrong_of) / max(1, self.found)
        if score:
            _REACHED[score] = {"found": self.hit / self.there, "right": right}
        return [
            Figure(
                f"{name}: found of {self.there}",
                self.hit / self.there,
                "",
                FOUND_RATE,
                at_most=False,
            ),
            Figure(f"{name}: right of {self.found} found", right, "", FOUND_RATE, at_most=False),
        ]


def _correlation(
    name: str, truth: Iterator[float] | Sequence[float], found: object, score: str = ""
) -> Figure:
    values = np.array([list(truth), np.asarray(found)])
    value = float(np.corrcoef(values)[0, 1])
    if score:
        _REACHED[score] = {"correlation": value}
    title = f"{name}: correlation over {values.shape[1]} clips"
    return Figure(title, value, "", LEAST_CORRELATION, at_most=False)


if __name__ == "__main__":
    main()
