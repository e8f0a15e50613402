"""Revises a prompt from the critique of its video, as a turn of tuning in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.prompts.markers import strip_marker

if TYPE_CHECKING:
    from workbench.studio import Studio

__all__ = ["revised_prompt"]


def revised_prompt(studio: Studio, session_id: str, prompt: str, request: str) -> str:
    """Return ``prompt`` as ``request`` changes it; empty if nothing comes of it.

    A turn that the session already holds is not asked for again: a run that was killed between a
    language model's answer and its own note finds the answer there.
    """
    entries = studio.sessions.history(session_id)
    for entry in reversed(entries):
        parent = None if entry.parent is None else entries[entry.parent]
        if entry.request == request and parent and strip_marker(parent.prompt) == prompt:
            return _other(entry.prompt, prompt)
    try:
        _, entry_made = studio.run(studio.update(session_id, request, prompt))
    except WorkbenchError:
        return ""
    return _other(entry_made.prompt, prompt) if entry_made else ""


def _other(revised: str, prompt: str) -> str:
    text = strip_marker(revised)
    return text if text != prompt else ""
