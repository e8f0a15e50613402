"""A vision model behind a real endpoint: it knows the truth about each video, and errs at a set rate."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tests.prompts.misbehaving import Reply
from workbench.measures.scene_check.contact_sheet import number_strip

__all__ = ["Seeing", "number_on"]

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

    def __call__(self, asked: dict[str, Any]) -> Reply:
        """Return the completion with an answer to each question."""
        text, picture = asked["messages"][-1]["content"]
        number = number_on(base64.b64decode(picture["image_url"]["url"].partition("base64,")[2]))
        questions = json.loads(text["text"])["questions"]
        answers = [
            {"question": q["question"], "answer": self.answer(number, q["text"]), "at_s": 0}
            for q in questions
        ]
        return Reply(json.dumps({"sheet": number, "answers": answers}))

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
    strip = sheet[-28:, :_READ].astype(np.int16)
    return 100 + int(np.abs(_strips() - strip).sum(axis=(1, 2)).argmin())


@lru_cache(maxsize=1)
def _strips() -> npt.NDArray[np.int16]:
    return np.stack([number_strip(n, _READ)[..., 0] for n in range(100, 1_000)]).astype(np.int16)
