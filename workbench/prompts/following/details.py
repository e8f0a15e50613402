"""Edits the details of a text, sounds included, and the words readable in its picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from workbench.lexicon.morphology import is_plural
from workbench.lexicon.words import sentence_case, sentences
from workbench.prompts.following.spans import PREPOSITION, cut, sentence_at

__all__ = ["SOUND", "WRITTEN", "with_details", "with_written"]

SOUND: Final = "sound: "
"""Prefix of a detail that is heard, not seen."""

WRITTEN: Final = re.compile(r"\s*The words are ([^.]+)\.")
"""The sentence that introduces readable words, before they are joined to the mention."""


def with_details(text: str, before: Sequence[str], after: Sequence[str]) -> str:
    """Return ``text`` without the removed details and with the new ones."""
    gone = [d for d in before if d not in after]
    come = [d for d in after if d not in before]
    for one in gone:
        found = re.search(re.escape(one), text, re.IGNORECASE)
        if found is None:
            continue
        if come:
            text = text[: found.start()] + come.pop(0) + text[found.end() :]
            continue
        start, end = sentence_at(text, found.start())
        opening = text[start : found.start()].strip().lower()
        is_alone = opening in {"", "there is", "there are", "there is a", "there is an"}
        if is_alone and len(text[start:end].split()) <= len(one.split()) + 3:
            text = text[:start] + text[end:]
            continue
        led = re.search(
            rf"\s*,?\s*(?:\b{PREPOSITION}\s+|\band\s+|\bthere (?:is|are)\s+)\Z",
            text[: found.start()],
            re.IGNORECASE,
        )
        text = cut(text, led.start() if led else found.start(), found.end())
    for one in come:
        if one.startswith(SOUND):
            text = f"{text.rstrip()}{'' if text.rstrip().endswith(('.', '!', '?')) else '.'} {sentence_case(one)}."
            continue
        parts = sentences(text)
        first = parts[0].rstrip(".!?") if parts else ""
        head = re.split(rf"\s{PREPOSITION}\s", one)[0].split()[-1]
        verb = "are" if is_plural(head) else "is"
        parts = [*parts[:1], f"There {verb} {one}.", *parts[1:]]
        if first and not parts[0].endswith((".", "!", "?")):
            parts[0] = f"{first}."
        text = " ".join(parts)
    return text


def with_written(text: str, before: str, after: str) -> str:
    """Return ``text`` with ``after`` as the words readable in the picture instead of ``before``."""
    if before and before in text:
        return (
            text.replace(before, after)
            if after
            else cut(text, *sentence_at(text, text.index(before)))
        )
    if not after:
        return text
    base = text.rstrip()
    stop = "" if base.endswith((".", "!", "?")) else "."
    return f"{base}{stop} The words “{after}” can be read in the picture."
