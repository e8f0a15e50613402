"""Language: composer, language-model providers, sessions and their store. Knows nothing of jobs.

The names below are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.prompts.forms import Form, text_for_model
    from workbench.prompts.markers import add_marker, marker_of, strip_marker
    from workbench.prompts.model import (
        Draft,
        Entry,
        EntryKind,
        Exchange,
        PromptSession,
        Revision,
        SessionSummary,
        Source,
        Variation,
    )
    from workbench.prompts.sessions import Sessions
    from workbench.prompts.writer import PromptWriter

__all__ = [
    "Draft",
    "Entry",
    "EntryKind",
    "Exchange",
    "Form",
    "PromptSession",
    "PromptWriter",
    "Revision",
    "SessionSummary",
    "Sessions",
    "Source",
    "Variation",
    "add_marker",
    "marker_of",
    "strip_marker",
    "text_for_model",
]

_HOMES = {
    "Form": "forms",
    "PromptWriter": "writer",
    "Sessions": "sessions",
    "add_marker": "markers",
    "marker_of": "markers",
    "strip_marker": "markers",
    "text_for_model": "forms",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'model')}")
    return getattr(home, name)
