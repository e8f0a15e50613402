"""The subject against the boxes of its storyboard; two action branches beside two seeds."""

from __future__ import annotations

import numpy as np

from benchmarks.measures.camera import shift_of, strayed_poses
from benchmarks.measures.clips import Frames, encoded_frames
from benchmarks.measures.reached import correlation
from benchmarks.report import Figure
from tests.measures.faults import brightening
from tests.measures.world import FPS, Room, film
from workbench.control.rotation import Array
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.pixels import to_rgb
from workbench.measures.clips import Clip
from workbench.measures.divergence import divergence
from workbench.measures.subjects import subject_error
from workbench.prompts.writer import scene_of

__all__ = ["divergences", "subjects"]

_SIZE = (416, 240, 33)
_SCENES = (
    "A dog runs on a beach.",
    "A horse gallops across a field.",
    "A man walks on a street.",
    "A car drives on a road.",
    "A cat walks through a garden.",
    "A bird flies over a lake.",
    "A woman dances in a park.",
    "A boat sails on a lake.",
    "A red fox walks through snow at night.",
    "A boy plays in a yard.",
    "A train passes a station.",
    "An elephant walks through a savanna.",
    "A girl rides a bicycle in a city.",
    "A robot walks through a desert at dusk.",
    "A deer runs in a forest in fog.",
    "A duck swims on a pond in the rain.",
)
_TOLD = 3
"""Motions tried for each storyboard: its own, and others."""
_BRANCHES = 24


def subjects(rng: np.random.Generator) -> list[Figure]:
    """A storyboard's figure with its own motion, or one that diverges by a known amount."""
    width, height, count = _SIZE
    truth, found, own, lost = [], [], [], 0
    for number, prompt in enumerate(_SCENES):
        film_made = Film(read_scene(scene_of(prompt), number), width, height, count, FPS)
        frames = np.stack([to_rgb(picture.planes) for picture in film_made.frames()])
        clip, lead = Clip.of(encoded_frames(frames), FPS), film_made.boxes()[:, -1]
        for told in range(_TOLD):
            length = float(rng.uniform(0, 0.4)) if told else 0.0
            angle = float(rng.uniform(0, 2 * np.pi))
            error = subject_error(clip, _parted(lead, length, angle, width / height))
            if error is None:
                lost += 1
                continue
            truth.append(length / 2)  # mean of an even divergence
            found.append(error.offset)
            if not told:
                own.append(error.offset)
    return [
        correlation("subject off its boxes", truth, found, "subject_offset"),
        Figure("offset of a subject that obeys, median", float(np.median(own)), "widths"),
        Figure(f"ways lost before the middle, of {len(truth) + lost}", lost, ""),
    ]


def _parted(boxes: Array, length: float, angle: float, aspect: float) -> Array:
    """Return ``boxes`` that diverge by ``length`` picture widths until the end."""
    share = np.linspace(0, 1, len(boxes))[:, None] * length
    step = share * np.array([np.cos(angle), np.sin(angle) * aspect])
    parted: Array = boxes + np.tile(step, 2)
    return parted


def divergences(rng: np.random.Generator) -> list[Figure]:
    """Two camera branches that diverge by a known angle, and seeds that change light and noise."""
    truth, found, chance = [], [], []
    steered = {True: [0, 0], False: [0, 0]}
    for number in range(_BRANCHES):
        start = np.tile(np.eye(4), (17, 1, 1))
        angle = 0.0 if number % 3 == 0 else float(rng.uniform(2, 20))
        axis = np.array([0.0, 1.0, 0.0]) if number % 2 else np.array([1.0, 0.0, 0.0])
        other = strayed_poses(start, axis, angle, 0)
        room = Room(number)
        clips = [
            Clip.of(encoded_frames(_seeded(film(poses, room), rng)), FPS)
            for poses in (start, other, start)
        ]
        result = divergence(clips[0], clips[1], clips[2:])
        truth.append(shift_of(other[-1]))
        found.append(result.distance)
        chance.append(result.by_chance or 0.0)
        steered[angle > 0][0] += 1
        steered[angle > 0][1] += result.is_steered == (angle > 0)
    return [
        correlation("distance of two branches at their end", truth, found, "divergence"),
        Figure("distance of two seeds of one branch, mean", float(np.mean(chance)), "widths"),
        Figure(
            f"branches told from seeds, right of {_BRANCHES}",
            sum(right for _, right in steered.values()) / _BRANCHES, "", 0.95, at_most=False,
        ),
    ]  # fmt: skip


def _seeded(frames: Frames, rng: np.random.Generator) -> Frames:
    """Return ``frames`` as another seed might render them: different light and noise."""
    lit = brightening(frames, float(rng.uniform(-0.2, 0.2)))
    noise = rng.normal(0, 4, frames.shape[1:])
    return np.clip(lit + noise, 0, 255).astype(np.uint8)
