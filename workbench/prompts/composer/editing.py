"""Carries a change of light, weather, camera, style or mood into a prompt and keeps the rest.

The user's own words for a value are replaced in place; a sentence by the composer is found and
replaced; a new value is added. ``workbench.prompts.following`` edits cast, place and beats.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.tagging import tagged
from workbench.lexicon.terms import find_terms
from workbench.lexicon.words import article, sentence_case, sentences
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.evidence import FRAMED, Support, framing, supports
from workbench.prompts.composer.sayings import saying, time_phrase
from workbench.prompts.phrasing import with_clause
from workbench.scene import Scene

__all__ = ["carry", "refit", "written"]

_SAID: Final = ("viewpoint", "shot_size", "camera_angle", "camera_movement", "lens", "weather", "lighting",
                "color_palette", "mood", "style", "pace")  # fmt: skip
_ALL: Final = 99
_CAMERA: Final = re.compile(
    r"(?:the\s+)?camera\s+[^.]*?\b(?:around|on|toward|towards|over|across|past|into|at|to|from)\s+"
    r"(?P<what>(?:an?|the|two|three|some|his|her)\s[^.,]+)\.?",
    re.IGNORECASE,
)
_LEAD: Final = re.compile(
    r"(?:,?\s*(?:\b(?:in|with|under|at|as|through|during|on)\b\s+)?(?:an?\s+|the\s+)?)\Z",
    re.IGNORECASE,
)
_BARE_ARTICLE: Final = re.compile(r"\b(?:an?|the)\s+\Z", re.IGNORECASE)
_TIME_LEAD: Final = re.compile(
    r"\b(?:at|in|during|on|by|before|after)\s+(?:the\s+|an?\s+)?(?:early\s+|late\s+)?\Z",
    re.IGNORECASE,
)
_ARTICLE: Final = re.compile(r"\b([Aa])n? (?=([a-z]\w*))")


def carry(prompt: str, before: Scene, after: Scene) -> str:
    """Return ``prompt`` as it reads when its scene is ``after`` instead of ``before``."""
    text = refit(prompt, before, after)
    if before.time_of_day != after.time_of_day:
        text = _retimed(text, before.time_of_day, after.time_of_day)
    for name in _SAID:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            text = _resaid(text, name, old, new)
    return _with_fresh(text, before, after)


def _supports(scene: Scene) -> list[Support]:
    """Return the composer's sentences for ``scene``; the framing only if its values still hold."""
    found = list(supports(scene, most=_ALL))
    frame = framing(scene.edit(dict.fromkeys(FRAMED, ""), force=True))
    if frame and all(getattr(scene, name) == value for name, value in frame.values):
        found.append(frame)
    return found


def written(scene: Scene) -> frozenset[str]:
    """Return the sentences that the composer itself writes for ``scene``."""
    return frozenset(one.text for one in _supports(scene))


def refit(text: str, before: Scene, after: Scene) -> str:
    """Return ``text`` with the composer's outdated sentences replaced or removed."""
    new = _supports(after)
    stays = {one.text for one in new}
    for old in _supports(before):
        if old.text in stays or old.text not in text:
            continue
        instead = next(
            (one.text for one in new if one.kind == old.kind and one.text not in text), ""
        )
        text = _spaced(text.replace(old.text, instead))
    return text


def _with_fresh(text: str, before: Scene, after: Scene) -> str:
    """Return ``text`` with sentences on the changed values."""
    changed = before.differing(after)
    known = {one.text for one in _supports(before)}
    for one in supports(after, most=_ALL):
        is_new = one.text not in known and one.text not in text
        if is_new and changed & set(one.evidence) and one.kind in {"air", "view", "finish"}:
            text = f"{_ended(text)} {one.text}"
    return text


def _resaid(text: str, field: str, old: str, new: str) -> str:
    fresh = saying(field, new)
    if old and (written := saying(field, old)) and written in text:
        return _spaced(text.replace(written, fresh))
    if field == "camera_movement" and (match := _CAMERA.match(text)):
        return _spaced(f"{sentence_case(match['what'])}. {fresh} {text[match.end() :]}")
    text, found = _reworded(text, field, old, new)
    if found or not new or fresh in text:
        return text
    return f"{_ended(text)} {fresh}".strip()


def _reworded(text: str, field: str, old: str, new: str) -> tuple[str, bool]:
    """Replace the user's own phrases for the old term."""
    found = False
    is_low = text[:1].islower()
    for term in reversed(find_terms(text)):
        if term.field != field or term.term != old:
            continue
        said = text[term.start : term.end]
        start, fresh = term.start, _form_like(said, field, old, new)
        named = _BARE_ARTICLE.search(text[:start])
        whole = (named.start() if named else start, term.end)
        if new in {"", "clear"} and (cut := with_clause(text, *whole)) != whole:
            text, found = text[: cut[0]] + text[cut[1] :], True
            continue
        if not fresh and re.match(r"\s+[a-z]", text[term.end :]) and _is_adjective(said, field):
            text, found = text[:start] + text[term.end :].lstrip(), True
            continue
        if not fresh:
            lead = _LEAD.search(text[:start])
            start = lead.start() if lead else start
            if _acts(text, start, term.end):  # "A 35mm lens tracks alongside …": nothing is left
                stop = re.compile(r"[.!?](?=\s|$)|$").search(text, term.end)
                text, found = text[:start] + text[stop.end() if stop else len(text) :], True
                continue
        text = text[:start] + fresh + text[term.end :]
        found = True
    if found:
        text = _ARTICLE.sub(lambda m: f"{m[1]}{article(m[2])[1:]} ", text)
    made = _spaced(text)
    return made if is_low or not found else sentence_case(made), found


def _acts(text: str, start: int, end: int) -> bool:
    """Tell whether ``text[start:end]`` begins a sentence whose verb follows it."""
    begins = not text[:start].strip() or text[:start].rstrip().endswith((".", "!", "?"))
    after = next((t for t in tagged(text) if t.start >= end), None) if begins else None
    return after is not None and after.tag in "VX"


def _is_adjective(said: str, field: str) -> bool:
    """Tell whether the words for a term stand before a noun: "a rainy road"."""
    known = load("forms").get(field, {}).get("adjectives", {}).values()
    return " " not in said and (said.lower().endswith("y") or said.lower() in known)


def _form_like(said: str, field: str, old: str, new: str) -> str:
    """Return ``new`` in the form of the present words: "rainy" → "foggy"."""
    if not new:
        return ""
    forms = load("forms").get(field, {})
    low = said.lower()
    adjectives = forms.get("adjectives", {})
    if low == adjectives.get(old, "") or (low.endswith("y") and low != old and field == "weather"):
        return str(adjectives.get(new, new))
    noun = str(forms.get("nouns", {}).get(new, new))
    for lead in ("in the ", "at ", "in ", "under the ", "in a ", "with the ", "through the "):
        if low.startswith(lead) and field in {"weather", "pace", "style", "lighting"}:
            return f"{lead}{noun}"
    return sentence_case(noun) if said[0].isupper() else noun


def _retimed(text: str, old: str, new: str) -> str:
    fresh = time_phrase(new)
    written = time_phrase(old)
    if old and (match := re.search(rf",?\s*\b{re.escape(written)}\b", text, re.IGNORECASE)):
        lead = match[0][: match[0].lower().find(written)]
        return _spaced(
            text[: match.start()] + (f"{lead}{fresh}" if fresh else "") + text[match.end() :]
        )
    for term in find_terms(text):
        if term.field == "time_of_day" and term.term == old:
            lead_match = _TIME_LEAD.search(text[: term.start])
            if lead_match:
                return _spaced(text[: lead_match.start()] + fresh + text[term.end :])
            return _spaced(text[: term.start] + (new or "") + text[term.end :])
    if not new:
        return text
    first, *rest = sentences(text) or [text]
    stop = first[-1] if first.endswith((".", "!", "?")) else "."
    joined = f"{first.rstrip('.!?')}{',' if ',' in first else ''} {fresh}{stop}"
    return " ".join([joined, *rest])


def _ended(text: str) -> str:
    return text if not text or text.rstrip().endswith((".", "!", "?", "…")) else f"{text.rstrip()}."


def _spaced(text: str) -> str:
    text = re.sub(r"\s+([.,;])", r"\1", re.sub(r"\s+", " ", text))
    return re.sub(r"([.,])\s*,", r"\1", re.sub(r",\s*\.", ".", text)).strip()
