"""Rewrites the viewer as "we", and "at us" as "at the camera"."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["viewed"]

_WE_SEE: Final = re.compile(
    r"\b(?:you|u|one|the viewer)(?: can| could| should)? (?=(?:see|hear|notice|look|feel|almost|barely|only|don't|can't|cannot|never|still)\b)",
    re.IGNORECASE,
)


_TO_US: Final = re.compile(r"\b(away from|towards?|at|facing|to|past) us\b", re.IGNORECASE)


_VIEWED: Final = re.compile(
    r"\byou (?=think|believe|expect|realis|realiz|know|can tell|notice|get|feel|have to|need to)",
    re.IGNORECASE,
)


def viewed(text: str, *, is_ego: bool) -> str:
    """Return ``text`` with the viewer as "we"."""
    text = _VIEWED.sub("we ", _WE_SEE.sub("we ", text))
    text = _TO_US.sub(r"\1 the camera", text)
    text = re.sub(r"\bwe (?:can't|cannot|can not) ", "we do not ", text, flags=re.IGNORECASE)
    if is_ego:
        for mine, ours in (
            ("i'm", "we are"),
            ("i am", "we are"),
            ("i", "we"),
            ("my", "our"),
            ("me", "us"),
            ("myself", "ourselves"),
            ("your", "our"),
            ("you", "we"),
        ):
            text = re.sub(rf"(?<![\w'-]){mine}(?![\w'-])", ours, text, flags=re.IGNORECASE)
    return text
