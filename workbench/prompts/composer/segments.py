"""Cuts a text into lead, main clause, further things and modifiers. Knows phrases, no grammar.

A modifier is a segment that says only how the scene is filmed or painted. A lead is how a text
opens before its main clause: "drone footage of", "an oil painting of".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import is_adjective
from workbench.lexicon.terms import (
    find_terms,
    place_named,
    subject_kind,
    word_list,
)
from workbench.lexicon.words import sentences, tokens
from workbench.prompts.composer.headings import is_place_alone, somebody_acts
from workbench.prompts.composer.leads import take_lead, without_terms
from workbench.scene import canonical_term, vocabulary

__all__ = ["Modifier", "Segments", "cut", "exact_term", "fields_of"]

_CUT_FIELDS: Final = frozenset(
    ["shot_size", "camera_angle", "camera_movement", "lens", "style", "color_palette", "pace"]
)
_FRONTED: Final = frozenset(
    [
        "in",
        "on",
        "at",
        "beside",
        "near",
        "under",
        "within",
        "inside",
        "amidst",
        "amid",
        "among",
        "behind",
        "above",
        "beneath",
        "below",
        "by",
        "outside",
        "along",
        "beyond",
        "between",
        "across",
    ]
)
_CAMERA_CLAUSE: Final = re.compile(
    r"\s+(?:as|while|and)\s+the\s+camera\b.*$|^the\s+camera\b.*$|^camera\b.*$", re.IGNORECASE
)
_CAMERA_PLACE: Final = re.compile(
    r"\b(?:across|over|through|along|around|past|into|above|of)\s+((?:an?|the)\s+.+)$",
    re.IGNORECASE,
)
_STYLE_WORD: Final = re.compile(
    r"\b(?:style|styled|aesthetic|animation|art|render|photography|lighting|resolution)$",
    re.IGNORECASE,
)
_STYLE_TAIL: Final = re.compile(
    r"\s+(?:(?:rendered|shot|filmed|painted|drawn|seen|set)\s+)?(?:in|as|with)\s+(?:an?\s+|the\s+)?"
    r"(?:style\s+of\s+\S+(?:\s+\S+){0,3}|(?:\S+\s+){1,3}style)$|\s+by\s+[A-Z]\w+\s?(?:(?:[A-Z]\w+|van|von|de|da|der)\s?){0,3}$"
)
_BEFORE_TERM: Final = re.compile(
    r"\s(?:(?:seen|shot|filmed|viewed|rendered)\s+)?(?:in|as|with|from|on)\s+(?:an?\s+|the\s+)?"
    r"(?:very\s+|extreme\s+|slow\s+)?$",
    re.IGNORECASE,
)
_PLACE_SCENE: Final = re.compile(
    r"^(?P<place>(?:[\w'-]+\s+){1,4}scene)\s+(?:with|where|in\s+which|showing|of)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Modifier:
    """A segment that says how the scene is filmed or painted, as written."""

    text: str
    fields: frozenset[str]


@dataclass(slots=True)
class Segments:
    """The parts of a text, each as written."""

    lead: str = ""
    joint: str = ""
    """The word between lead and main clause: "of" in "footage of"."""
    fronted: str = ""
    """A place said before the main clause: "in the old city"."""
    main: str = ""
    tails: list[str] = field(default_factory=list)
    """Further segments of the main clause's own sentence."""
    others: list[str] = field(default_factory=list)
    """Further sentences, without their full stops."""
    modifiers: list[Modifier] = field(default_factory=list)


def cut(text: str) -> Segments:
    """Return the parts of ``text``; together they hold every word of it."""
    parts = Segments()
    for sentence in sentences(text):
        _take_sentence(parts, sentence.rstrip(" .!?"))
    if not parts.main:
        _main_from_modifiers(parts, text)
    return parts


def _take_sentence(parts: Segments, sentence: str) -> None:
    own: list[str] = []
    opened = not parts.main
    pieces = _pieces(sentence)
    for number, piece in enumerate(pieces):
        whole = _modifier_fields(piece) is not None
        segment, modifiers = (piece, []) if whole else _cut_trailing(piece)
        parts.modifiers.extend(modifiers)
        if not segment:
            continue
        if (fields := _modifier_fields(segment)) is not None:
            parts.modifiers.append(Modifier(segment, fields))
        elif parts.main:
            own.append(segment)
        else:
            lead, joint, rest = take_lead(segment)
            parts.lead, parts.joint = (lead, joint) if lead else (parts.lead, parts.joint)
            _place_main(parts, rest, pieces[number + 1 :])
    if opened:
        parts.tails = own
    elif own:
        parts.others.append(", ".join(own))


def _place_main(parts: Segments, rest: str, following: Sequence[str]) -> None:
    """Take ``rest`` as the main clause, or as the place before it: "in the desert, an arch …"."""
    first = rest.split(maxsplit=1)[0].lower() if rest else ""
    is_place = (first in _FRONTED and following) or (
        is_place_alone(rest) and any(somebody_acts(p) for p in following)
    )
    if is_place and not parts.fronted:
        parts.fronted = rest
        return
    scene = _PLACE_SCENE.match(rest)
    if scene and is_place_alone(scene["place"]) and not parts.fronted:
        parts.fronted, parts.main = scene["place"], scene["rest"]
        return
    parts.main = rest


def _main_from_modifiers(parts: Segments, text: str) -> None:
    """Find what is filmed in a camera clause, when nothing else says it."""
    for modifier in parts.modifiers:
        match = _CAMERA_PLACE.search(modifier.text)
        if _CAMERA_CLAUSE.match(modifier.text) and match:
            parts.lead = modifier.text[: match.start(1)].strip()
            parts.joint, parts.main = "", match[1]
            parts.modifiers.remove(modifier)
            return
    for modifier in parts.modifiers:
        if modifier.fields & {"time_of_day", "weather"}:
            parts.lead, parts.joint, parts.main = take_lead(modifier.text)
            parts.modifiers.remove(modifier)
            return
    if parts.fronted:
        parts.main, parts.fronted = parts.fronted, ""
    elif parts.modifiers and _names_scenery(parts.modifiers[0]):
        parts.main = parts.modifiers.pop(0).text
    elif not parts.modifiers:
        parts.main = text.rstrip(" .")


def _names_scenery(modifier: Modifier) -> bool:
    """Tell whether a segment that says a style names something to be seen: "a fantasy landscape"."""
    words = modifier.text.lower().split()
    return "style" in modifier.fields and subject_kind(words[-1]) == "scenery"


def _pieces(sentence: str) -> list[str]:
    parts = [p.strip() for p in re.split(r"\s*[,;]\s+|\s+[-–—]+\s+|\s*:\s+", sentence) if p.strip()]
    joined: list[str] = []
    for part in parts:
        if joined and _continues_list(joined[-1], part):
            joined[-1] = f"{joined[-1]}, {part}"
        else:
            joined.append(part)
    return joined


def _continues_list(before: str, part: str) -> bool:
    """Tell whether ``part`` goes on with a list of adjectives or of subjects."""
    words = before.lower().split()
    if exact_term(before) or _modifier_fields(part) is not None:
        return False
    unfinished = subject_kind(words[-1]) is None and place_named(words[-1]) is None
    if (
        len(words) <= 3
        and words[0] in {"a", "an", "the"}
        and words[-1] not in english("determiners")
    ):
        return unfinished and not find_terms(part)
    if words[-2:-1] and words[-2] in {"a", "an", "the"} and is_adjective(words[-1]) and unfinished:
        return part.split(maxsplit=1)[0].lower() not in english("determiners")
    named = len(words) <= 4 and subject_kind(words[-1]) is not None
    return (
        named
        and part.split(maxsplit=1)[0].lower() in english("determiners")
        and " and " in f" {part} "
    )


def fields_of(segment: str) -> frozenset[str]:
    """Return the fields that established terms in ``segment`` set."""
    return frozenset(t.field for t in find_terms(segment))


@lru_cache(maxsize=1_024)
def exact_term(segment: str) -> tuple[str, str] | None:
    """Return the field and term that ``segment`` as a whole says, however loose the phrase."""
    for name in vocabulary():
        if (term := canonical_term(name, segment)) is not None:
            return name, term
    return None


def _modifier_fields(segment: str) -> frozenset[str] | None:
    """Return the fields that ``segment`` sets when it says nothing else, or None."""
    terms = find_terms(segment)
    if _CAMERA_CLAUSE.match(segment):
        return frozenset({"camera_movement", *(t.field for t in terms)})
    if not terms:
        if exact := exact_term(segment):
            return frozenset({exact[0]})
        if _STYLE_WORD.search(segment) and len(segment.split()) <= 6:
            return frozenset({"style"})
        plain = all(t.lower() in word_list("filler") for t in tokens(segment))
        return frozenset() if plain else None
    words = [t.lower() for t in tokens(without_terms(segment, terms))]
    if all(w in word_list("filler") or w in word_list("colors") for w in words):
        return frozenset(t.field for t in terms)
    named_style = re.search(r"\b(?:in the style of|by)\b", segment, re.IGNORECASE)
    if named_style and "style" in {t.field for t in terms}:
        before = {t.lower() for t in tokens(segment[: named_style.start()])}
        if before <= word_list("filler") | word_list("lead_nouns"):
            return frozenset({"style"})
    return None


def _cut_trailing(segment: str) -> tuple[str, list[Modifier]]:
    """Cut from the end of ``segment`` what only says how it is filmed: "… in slow motion"."""
    taken: list[Modifier] = []
    if (match := _CAMERA_CLAUSE.search(segment)) and match.start() > 0:
        fields = fields_of(match[0]) | {"camera_movement"}
        taken.append(Modifier(match[0].strip(), fields))
        segment = segment[: match.start()]
    for _ in range(3):
        match = _STYLE_TAIL.search(segment)
        if match and ("style" in fields_of(match[0].strip()) or "style" in match[0]):
            taken.append(Modifier(match[0].strip(), fields_of(match[0].strip()) | {"style"}))
            segment = segment[: match.start()]
            continue
        trailing = _trailing_term(segment)
        if trailing is None:
            break
        taken.append(Modifier(segment[trailing:].strip(), fields_of(segment[trailing:])))
        segment = segment[:trailing].strip()
    return segment.strip(" ,"), taken


def _trailing_term(segment: str) -> int | None:
    terms = find_terms(segment)
    if not terms or terms[-1].end != len(segment) or terms[-1].start == 0:
        return None
    term = terms[-1]
    if term.field not in _CUT_FIELDS:
        return None
    before = segment[: term.start]
    if match := _BEFORE_TERM.search(before):
        return match.start()
    loose = term.field in {"shot_size", "camera_movement"}
    return term.start if loose and not before.rstrip().endswith((" of", " the", " a")) else None
