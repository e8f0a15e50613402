"""Pictures with known light, colour, detail and motion; and scores that merely describe a picture."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.measures.clips import CLIPS, Frames, encoded_frames
from benchmarks.measures.reached import correlation
from benchmarks.report import Figure
from tests.measures.faults import blurring, brightening
from tests.measures.world import FPS, LENS, Room
from workbench.measures.clips import Clip
from workbench.measures.measurement import measure
from workbench.measures.scores import Scores

__all__ = ["pictures"]

_FRAMES = 8
_STEPS = 4
"""Number of clips of each picture."""


def pictures(rng: np.random.Generator) -> list[Figure]:
    """Known gain, share without detail, saturation, blur, speed and flicker, each of still pictures."""
    names = ("exposure", "clipping", "colourfulness", "sharpness", "motion", "flicker")
    truth: dict[str, list[float]] = {name: [] for name in names}
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(CLIPS):
        still = Room(number).picture(np.eye(4))
        clean = _scores(_still(still))
        light = cv2.cvtColor(still, cv2.COLOR_RGB2GRAY).mean() / 255
        for _ in range(_STEPS):
            stops, share = float(rng.uniform(-2, 0)), float(rng.uniform(0, 0.6))
            saturation, sigma = float(rng.uniform(0, 1)), float(rng.uniform(0, 3))
            speed, amplitude = float(rng.uniform(0, 6)), float(rng.uniform(0, 0.15))
            sign = amplitude * (-1.0) ** np.arange(_FRAMES)
            for name, known, frames in (
                ("exposure", light * 2**stops, brightening(_still(still), stops)),
                ("clipping", share, _painted(_still(still), share)),
                ("colourfulness", clean.colourfulness * saturation, _greyed(still, saturation)),
                ("sharpness", sigma, blurring(_still(still), sigma)),
                ("motion", speed * FPS / LENS.width, _pushed(still, speed)),
                ("flicker", 2 * amplitude * light, brightening(_still(still), np.log2(1 + sign))),
            ):
                measured = getattr(_scores(frames), name)
                if name == "sharpness":
                    measured = float(np.log2(clean.sharpness / measured))
                truth[name].append(known)
                found[name].append(measured)
    said = {
        "exposure": "exposure after a known gain",
        "clipping": "clipping of a known share",
        "colourfulness": "colourfulness after a known loss of saturation",
        "sharpness": "sharpness lost (log2) by a known blur",
        "motion": "motion at a known speed",
        "flicker": "flicker of a known size",
    }
    return [correlation(said[name], truth[name], found[name], name) for name in names]


def _scores(frames: Frames) -> Scores:
    return measure(Clip.of(encoded_frames(frames), FPS)).scores


def _still(picture: Frames) -> Frames:
    return np.repeat(picture[None], _FRAMES, axis=0)


def _painted(frames: Frames, share: float) -> Frames:
    """Return ``frames`` with a white field over ``share`` of the picture, from the left."""
    found = frames.copy()
    found[:, :, : round(share * frames.shape[2])] = 255
    return found


def _greyed(picture: Frames, saturation: float) -> Frames:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)[..., None]
    return _still(np.asarray(np.rint(grey + saturation * (picture - grey)), np.uint8))


def _pushed(picture: Frames, speed: float) -> Frames:
    """Return frames in which the whole picture moves sideways by ``speed`` pixels each."""
    size = picture.shape[1::-1]
    return np.stack(
        [
            cv2.warpAffine(
                picture,
                np.array([[1, 0, speed * n], [0, 1, 0]]),
                size,
                borderMode=cv2.BORDER_REFLECT,
            )
            for n in range(_FRAMES)
        ]
    ).astype(np.uint8)
