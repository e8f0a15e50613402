"""Revises a prompt from the critique of its video, as a turn of tuning in a session."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.prompts.markers import strip_marker

if TYPE_CHECKING:
    from workbench.studio import Studio

__all__ = ["revised_prompt"]


def revised_prompt(
    studio: Studio,
    session_id: str,
    prompt: str,
    request: str,
    missing: Sequence[str],
    *,
    is_new: bool,
) -> str:
    """Return ``prompt`` changed by ``request``, or with ``missing`` repeated at its end.

    The prompt already asks for what is missing, so rules often have nothing to change; a language
    model may find better words. Unless ``is_new``, the request is not repeated: a run that was
    killed between the answer and its own note finds the answer in the session.
    """
    if is_new:
        with suppress(WorkbenchError):
            studio.run(studio.sessions.place(session_id, prompt))
            studio.run(studio.update(session_id, request, prompt))
    entries = studio.sessions.history(session_id)
    for entry in reversed(entries):
        parent = None if entry.parent is None else entries[entry.parent]
        if entry.request != request or parent is None or strip_marker(parent.prompt) != prompt:
            continue
        if (text := strip_marker(entry.prompt)) != prompt:
            return text
    said = " ".join(f"{one[0].upper()}{one[1:]}." for one in missing)
    return f"{prompt} {said}"
