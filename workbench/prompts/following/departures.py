"""Removes an entity from a text, with its beats."""

from __future__ import annotations

import re

from workbench.lexicon.tagging import tagged
from workbench.lexicon.words import sentence_case
from workbench.prompts.following.agreement import agreeing
from workbench.prompts.following.beats import beat_at
from workbench.prompts.following.entities import mention_of
from workbench.prompts.following.spans import PREPOSITION, cut, sentence_at
from workbench.scene import Entity, Scene

__all__ = ["without_entity"]


def without_entity(text: str, entity: Entity, before: Scene, after: Scene) -> str:
    """Return ``text`` without ``entity`` and its beats; sentences only about them go."""
    for beat in before.beats:  # a sentence only about it is removed
        if beat.told in text and re.search(rf"\b{re.escape(entity.phrase)}\b", beat.told):
            text = text.replace(beat.told, "") if beat.told else text
    span = mention_of(text, entity)
    if span is None:
        return text
    end = span.end
    for extra in (entity.details, entity.position):
        if extra and (
            found := re.compile(rf"\s*,?\s*{re.escape(extra)}", re.IGNORECASE).match(text, end)
        ):
            end = found.end()
    sentence_start, sentence_end = sentence_at(text, span.start)
    joined = re.compile(r"\s*(?:,\s*and|and|,)\s+").match(text, end)
    lead = re.search(r"\s*(?:,\s*and|\band|,|\bwith)\s+\Z", text[: span.start])
    own_beats = [b for b in before.beats if b.actor == entity.id]
    opening = text[sentence_start : span.start].strip().lower().rstrip(",")
    opens = opening in {
        "",
        "then",
        "finally",
        "meanwhile",
        "there is",
        "there are",
        "in the background",
    }
    others = [e for e in after.cast if e.is_lead]
    if opens and joined and not _is_verb_next(text, joined.end()):
        return _put_start(text, sentence_start, span.start, joined.end())
    if (lead is not None and lead[0].strip() in {"and", ", and"}) or (
        lead is not None and lead[0].strip() == "with" and not own_beats
    ):
        cut_end = end
        for beat in own_beats:
            at = beat_at(text, beat, cut_end)
            if at is not None and at.start - cut_end < 4:
                cut_end = at.end
        kept = cut(text, lead.start(), cut_end)
        is_one = len(after.cast) == 1 and after.cast[0].count == 1
        acts = next((t for t in tagged(text) if t.start >= cut_end), None)
        if not is_one or own_beats or acts is None or acts.tag not in "VX":
            return kept
        return agreeing(kept, lead.start(), many=False, is_verb=True)
    if opens:
        if sentence_start > 0 or others:
            rest = text[sentence_end:]
            return (
                f"{text[:sentence_start]}{rest}"
                if sentence_start or rest.strip()
                else after.setting
            )
        place = sentence_case(after.setting) if after.setting else ""
        return f"{place}.{text[sentence_end:]}" if place else text[sentence_end:]
    led = re.search(rf"\s*,?\s*\b{PREPOSITION}\s+\Z", text[: span.start], re.IGNORECASE)
    cut_end = end
    for beat in own_beats:
        at = beat_at(text, beat, cut_end)
        if at is not None and at.start - cut_end < 4:
            cut_end = at.end
    return cut(text, led.start() if led else span.start, cut_end)


def _is_verb_next(text: str, at: int) -> bool:
    found = re.match(r"([\w'-]+)", text[at:])
    return found is not None and found[1].lower().endswith("ing")


def _put_start(text: str, start: int, mention: int, end: int) -> str:
    kept = text[start:mention]
    rest = text[end:]
    return f"{text[:start]}{kept}{sentence_case(rest) if not kept.strip() else rest}"
