"""A vision model behind a real endpoint: it knows the truth about each video, and errs at a set rate."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from tests.prompts.misbehaving import Reply
from workbench.measures.scene_check.contact_sheet import number_strip

__all__ = ["Seeing", "number_in", "number_on"]

_READ = 120
"""Pixels of the strip that hold the number."""


@dataclass(frozen=True, slots=True)
class Seeing:
    """Answers every question by ``truth``; usable as a ``Misbehaving`` server's behaviour."""

    truth: Callable[[int, str], str]
    """From a sheet's number and a question to "yes", "partly", "no" or "cannot tell"."""
    mistakes: float = 0.0
    """Share of the answers that are turned round."""
    seed: int = 0
    of_video: Reply | None = None
    """What a request with a video is answered; by default the model watches it where it ``watches``."""
    watches: bool = False
    """Whether it sees the video; otherwise it passes over it in silence, as some servers do."""

    def __call__(self, asked: dict[str, Any]) -> Reply:
        """Return the completion with an answer to each question."""
        text, picture, *videos = asked["messages"][-1]["content"]
        if videos and self.of_video is not None:
            return self.of_video
        watched = number_in(_bytes_of(videos[0]["video_url"])) if videos and self.watches else None
        number = number_on(_bytes_of(picture["image_url"]))
        questions = json.loads(text["text"])["questions"]
        answers = [
            {"question": q["question"], "answer": self.answer(number, q["text"]), "at_s": 0}
            for q in questions
        ]
        return Reply(json.dumps({"sheet": number, "video": watched, "answers": answers}))

    def answer(self, number: int, question: str) -> str:
        """Return the answer to one question; the same each time it is asked."""
        said = self.truth(number, question)
        if random.Random(f"{self.seed} {number} {question}").random() >= self.mistakes:
            return said
        return "no" if said == "yes" else "yes"


def number_on(jpeg: bytes) -> int:
    """Return the number printed below the frames of a contact sheet."""
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    return _number(sheet, "sheet")


def number_in(mp4: bytes) -> int:
    """Return the number printed below the last frame of a video."""
    with av.open(io.BytesIO(mp4), "r") as container:
        *_, last = (frame.to_ndarray(format="gray") for frame in container.decode(video=0))
    return _number(last, "video")


def _number(picture: npt.NDArray[Any], of: str) -> int:
    strip = picture[-28:, :_READ].astype(np.int16)
    known = _strips(of)[..., : strip.shape[1]]
    return 100 + int(np.abs(known - strip).sum(axis=(1, 2)).argmin())


def _bytes_of(part: dict[str, str]) -> bytes:
    return base64.b64decode(part["url"].partition("base64,")[2])


@lru_cache(maxsize=2)
def _strips(of: str) -> npt.NDArray[np.int16]:
    strips = [number_strip(n, _READ, of=of)[..., 0] for n in range(100, 1_000)]
    return np.stack(strips).astype(np.int16)
