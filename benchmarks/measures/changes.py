"""Changes within a clip: drift, seams, repeated frames, standstills, cuts, loops."""

from __future__ import annotations

import numpy as np

from benchmarks.measures.clips import CLIPS, encoded_frames, path_of, shot_of, steps_of
from benchmarks.measures.reached import Tally, correlation
from benchmarks.report import Figure
from tests.measures.faults import (
    blurring,
    brightening,
    energy,
    freezing,
    looping,
    repeating,
    tinting,
)
from tests.measures.world import FPS, Room, film
from workbench.control import path_from_words
from workbench.control.rotation import exp_quaternion, matrix_of
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

__all__ = ["cuts_found", "drift_found", "loops_found", "repeats_found", "seams_found"]


def drift_found(rng: np.random.Generator) -> list[Figure]:
    """Light, colour and detail that change evenly from the first frame to the last."""
    truth: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    found: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    clean: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    for number in range(CLIPS):
        shot = shot_of(number % CLIPS)
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
            found[name].append(float(getattr(drift(steps_of(frames)), name)))
        if number < CLIPS // 2:
            plain = drift(steps_of(shot))
            for name, values in clean.items():
                values.append(abs(float(getattr(plain, name))))
    units = {"exposure": "log2", "colour": "Lab", "sharpness": "log2"}
    return [
        figure
        for name, unit in units.items()
        for figure in (
            correlation(f"{name} drift", truth[name], found[name], f"{name}_drift"),
            Figure(
                f"{name} drift of a clip without any, worst of {CLIPS // 2}",
                max(clean[name]),
                unit,
            ),
        )
    ]


def seams_found(rng: np.random.Generator) -> list[Figure]:
    """A jump of light, colour or detail in the middle of a clip, or none."""
    truth: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    found: dict[str, list[float]] = {"exposure": [], "colour": [], "sharpness": []}
    tally, anywhere = Tally(), Tally()
    for number in range(CLIPS):
        shot = shot_of(number % CLIPS)
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
            steps = steps_of(frames)
            result = seam(steps, place)
            anywhere.add({place}, set(visible_seams(steps)))
            truth[name].append(known)
            found[name].append(float(getattr(result, name)))
            tally.add({place}, {place} if result.visible else set())
        if number < CLIPS // 2:
            steps = steps_of(shot)
            places = rng.integers(8, len(shot) - 8, 6).tolist()
            tally.add(set(), {p for p in places if seam(steps, p).visible})
            anywhere.add(set(), set(visible_seams(steps)))
            flash = np.zeros(len(shot))
            flash[places[0]] = 0.7
            anywhere.add(set(), set(visible_seams(steps_of(brightening(shot, flash)))))
    return [
        *(correlation(f"{name} jump", truth[name], found[name]) for name in truth),
        *tally.figures("visible seams at a known place"),
        *anywhere.figures("visible seams anywhere", "seams"),
    ]


def repeats_found(rng: np.random.Generator) -> list[Figure]:
    """Single frames shown twice, and standstills of half a second to a second."""
    single, standing = Tally(), Tally()
    for number in range(CLIPS):
        shot = shot_of(number % CLIPS)
        places = sorted(rng.choice(np.arange(4, len(shot) - 4, 3), 2, replace=False).tolist())
        single.add(set(places), set(repeated_frames(steps_of(repeating(shot, places)))))
        start, count = int(rng.integers(4, len(shot) - 6)), int(rng.integers(8, 16))
        steps = steps_of(freezing(shot, start, count))
        standing.add(
            {start},
            {s.start for s in standstills(steps, FPS) if abs(s.start - start) <= 2},
            slack=2,
        )
        if number < CLIPS // 2:
            steps = steps_of(shot)
            single.add(set(), set(repeated_frames(steps)))
            standing.add(set(), {s.start for s in standstills(steps, FPS)})
    return [
        *single.figures("repeated frames", "repeated_frames"),
        *standing.figures("standstills", "standstill"),
    ]


def cuts_found(rng: np.random.Generator) -> list[Figure]:
    """Another room or another place in it; and what is not a cut: whips, flashes, fades."""
    tally, calm = Tally(), Tally()
    for number in range(CLIPS):
        shot, other = shot_of(number % CLIPS), shot_of((number + 3) % CLIPS)
        place = int(rng.integers(8, len(shot) - 8))
        tally.add({place}, set(cuts(steps_of(np.concatenate([shot[:place], other[place:]])))))
        turned = path_of(number % CLIPS).copy()
        turned[place:, :3, :3] = (
            matrix_of(exp_quaternion(np.array([0.0, float(rng.uniform(0.9, 2.5)), 0.0])))
            @ turned[place:, :3, :3]
        )
        tally.add({place}, set(cuts(steps_of(film(turned, Room(number % CLIPS))))))
    for number in range(CLIPS // 2):
        shot = shot_of(number)
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
            calm.add(set(), set(cuts(steps_of(frames))))
    wrong = sum(calm.wrong_of)
    return [
        *tally.figures("cuts", "cuts"),
        Figure(
            f"cuts found in {4 * (CLIPS // 2)} clips of whip pans, flashes, fades and none of them",
            wrong,
            "",
        ),
    ]


def loops_found(rng: np.random.Generator) -> list[Figure]:
    """Clips that loop, and clips that do not: back and forth, steady, still."""
    tally = Tally()
    for number in range(2 * CLIPS):
        shot = shot_of(number % CLIPS)
        period = int(rng.integers(10, 22))
        period_found = loop_period(Clip.of(encoded_frames(looping(shot, period, 41)), FPS))
        tally.add({period}, {period_found} if period_found else set())
    for number in range(CLIPS):
        shot = shot_of(number)
        for frames in (shot, np.concatenate([shot[:18], shot[18:0:-1]]), shot[:1].repeat(40, 0)):
            period_found = loop_period(Clip.of(encoded_frames(frames), FPS))
            tally.add(set(), {period_found} if period_found else set())
    return tally.figures("loops, with their period", "loops")
