"""Adds and strips the markers at the end of prompts that the provider did not write.

Published clients look for ``(fallback …)``, ``(substitute …)`` and ``(emergency …)`` at the end of
a variation's text. No marker ever reaches a render engine.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.prompts.model import Source

__all__ = ["add_marker", "marker_of", "strip_marker"]

_TEXTS: Final = {
    Source.FALLBACK: "(fallback variation)",
    Source.SUBSTITUTE: "(substitute variation)",
    Source.EMERGENCY: "(emergency variation)",
}
_MARKER: Final = re.compile(r"\s*\((fallback|substitute|emergency)\b[^()]*\)\s*\Z", re.IGNORECASE)


def add_marker(prompt: str, source: Source, number: int | None = None) -> str:
    """Return ``prompt`` with the marker of ``source``; unchanged if the provider wrote it.

    ``number`` distinguishes prompts that would otherwise be equal.
    """
    bare = strip_marker(prompt)
    if source is Source.PROVIDER:
        return bare
    marker = _TEXTS[source]
    if number is not None:
        marker = f"{marker[:-1]} {number})"
    return f"{bare} {marker}"


def strip_marker(prompt: str) -> str:
    """Return ``prompt`` without any trailing markers."""
    while (match := _MARKER.search(prompt)) is not None:
        prompt = prompt[: match.start()]
    return prompt.strip()


def marker_of(prompt: str) -> Source:
    """Return the source of ``prompt`` by its trailing marker."""
    match = _MARKER.search(prompt)
    return Source(match.group(1).lower()) if match else Source.PROVIDER
