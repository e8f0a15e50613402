"""Words a single value of a scene as a sentence, or a time of day as a phrase."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.lexicon.words import article
from workbench.prompts.composer.datafiles import load

__all__ = ["saying", "time_phrase"]


def saying(field: str, value: str) -> str:
    """Return the sentence that says ``value`` of ``field``; empty for a field without one."""
    if not value:
        return ""
    tables: Mapping[str, Mapping[str, str]] = load("sayings")
    if own := tables.get(field, {}).get(value):
        return own
    general = tables["fields"].get(field, "")
    return general.replace("{a}", article(value)).replace("{v}", value)


def time_phrase(time_of_day: str) -> str:
    """Return a time of day as an adverbial, such as "at dusk"; empty for none."""
    phrases: Mapping[str, str] = load("sayings")["time"]
    return phrases.get(time_of_day, f"at {time_of_day}" if time_of_day else "")
