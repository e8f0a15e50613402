"""Checks that a sentence is only about the picture, not addressed to the tool or about the user."""

from __future__ import annotations

import re
from typing import Final

from workbench.prompts.intents.noun_phrases import (
    PRONOUNS,
)
from workbench.prompts.intents.words import (
    determiners,
)

__all__ = ["is_clean"]

_TOOL: Final = re.compile(
    r"\b(?:please|pls|plz|render\w*|prompts?|versions?|variations?|seeds?|guidance|cfg|checkpoint|sampler|lora|undo|redo|fps|resolution|aspect|client|idk|lol|thanks?|your?|you're|yours|want|wanna|kindly|sorry|wish|reviewers|gonna|wordy|one line|paragraph|(?:the|this|my|our|control|whole) (?:clips?|videos?)|ratio|the other one|the tool|the model|make sure)\b",
    re.IGNORECASE,
)


_FIRST: Final = re.compile(
    r"(?<![\w'-])(?:i|i'm|i'd|i'll|i've|me|my|mine|we'd|let's)(?![\w'-])", re.IGNORECASE
)


_OURS: Final = re.compile(
    r"(?<![\w'-])(?:our|us|we)(?![\w'-])(?! (?:see|hear|notice|look|think|believe|expect|know|realise|realize|do not|barely|almost|only|never|still|follow|are|feel|land|move|pull|push|stay))",
    re.IGNORECASE,
)


_LONGEST: Final = 600
"""Maximum characters of one statement."""


def is_clean(text: str, prompt: str, *, is_ego: bool) -> bool:
    """Tell whether ``text`` is only about the picture."""
    known = set(re.findall(r"[\w'-]+", prompt.lower()))
    if len(text) > _LONGEST or re.search(r"[<>{}\\=|]|https?:|\S{40}", text):
        return False
    if any(found[0].lower() not in known for found in _TOOL.finditer(text)):
        return False
    if (
        any(
            found[0].lower() not in known or found[0].lower() == "i"
            for found in _FIRST.finditer(text)
        )
        and not is_ego
    ):
        return False
    if not is_ego and any(found[0].lower() not in known for found in _OURS.finditer(text)):
        return False
    words = [w.lower() for w in re.findall(r"[^\W\d_]{2,}", text)]
    small = determiners() | PRONOUNS | {"other", "same", "now", "here", "first", "last"}
    return "?" not in text and any(w not in small for w in words)
