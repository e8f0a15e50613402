"""Changes and removes the beats in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.lexicon.morphology import lemma
from workbench.prompts.following.labelled import added
from workbench.prompts.following.spans import Span, cut, put, sentence_at
from workbench.prompts.phrasing import beat_sentence, finite
from workbench.scene import Beat, Scene

__all__ = ["beat_at", "is_same", "with_beat", "without_beat"]


def is_same(old: Beat, new: Beat) -> bool:
    """Tell whether ``new`` is ``old``, perhaps changed, not another beat that reuses its id."""
    return new.told in {"", old.told}


def beat_at(text: str, beat: Beat, start: int = 0) -> Span | None:
    """Return the span of ``beat`` in ``text``, in any form of its verb."""
    for form in _forms(beat.text):
        found = re.compile(rf"(?<![\w-]){re.escape(form)}(?![\w-])", re.IGNORECASE).search(
            text, start
        )
        if found is not None:
            return Span(found.start(), found.end())
    verb = re.escape(beat.text.split()[0]) if beat.text else ""
    if verb:
        base = re.escape(lemma(beat.text.split()[0], "VERB"))
        found = re.compile(rf"\b(?:{verb}|{base}(?:s|es)?)\b", re.IGNORECASE).search(text, start)
        if found is not None and len(beat.text.split()) == 1:
            return Span(found.start(), found.end())
    return None


def _forms(doing: str) -> Sequence[str]:
    return tuple(dict.fromkeys((doing, finite(doing, plural=False), finite(doing, plural=True))))


def with_beat(text: str, old: Beat, new: Beat, after: Scene) -> str:
    """Return ``text`` with ``old`` replaced by ``new``, which is added if ``old`` is missing."""
    if old.told and old.told in text:
        return text.replace(old.told, beat_sentence(new, after))
    span = beat_at(text, old)
    if old.actor != new.actor and old.text == new.text:
        return text
    if span is None:
        return added(text, beat_sentence(new, after), after)
    said = text[span.start : span.end]
    if said.lower() == old.text.lower():
        fresh = new.text
    else:
        fresh = finite(new.text, plural=said.lower() == finite(old.text, plural=True).lower())
    return put(text, span, fresh)


def without_beat(text: str, beat: Beat, before: Scene) -> str:
    """Return ``text`` without ``beat``."""
    if beat.told and beat.told in text:
        return text.replace(beat.told, "")
    span = beat_at(text, beat)
    if span is None:
        return text
    start, end = sentence_at(text, span.start)
    actor = before.entity(beat.actor)
    opening = text[start : span.start].strip().lower()
    is_own = (
        start > 0
        and actor is not None
        and opening.rstrip()
        in {
            f"the {actor.phrase.lower()}",
            actor.name.lower(),
            f"then, the {actor.phrase.lower()}",
            f"finally, the {actor.phrase.lower()}",
        }
    )
    if is_own:
        return text[:start] + text[end:]
    begin = span.start
    lead = re.search(
        r"(?:\s*,)?\s+(?:and|while|then|who is|who are|that is|that are|is|are)\s+\Z", text[:begin]
    )
    if lead is not None:
        begin = lead.start()
    return cut(text, begin, span.end)
