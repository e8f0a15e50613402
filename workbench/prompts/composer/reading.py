"""Reads free text into a scene: what is filmed, and how. Knows the grammar, chooses nothing.

The text is cut into segments. A segment that says only how it is filmed or painted is a modifier;
the first other one is the main clause; the rest are further things to be seen.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from workbench.prompts.composer.grammar import Clause, head_of, read_clause
from workbench.prompts.composer.lexicon import (
    Term,
    find_terms,
    place_named,
    subject_kind,
    word_list,
)
from workbench.prompts.composer.words import (
    DETERMINERS,
    article,
    is_plural,
    sentences,
    tokens,
)
from workbench.scene import Origin, Scene

__all__ = ["Modifier", "Reading", "clean", "read", "with_article"]

_CUT_FIELDS: Final = frozenset(
    ["shot_size", "camera_angle", "camera_movement", "lens", "style", "color_palette", "pace"]
)
_NEGATION: Final = re.compile(
    r"(?:^|[,;.]\s*|\s)(?:but\s+|and\s+)?(?:with\s+)?(?:without|no)\s+(?!camera)([^,;.]+?)(?=[,;.]|$)",
    re.IGNORECASE,
)
_CAMERA_CLAUSE: Final = re.compile(
    r"\s+(?:as|while|and)\s+the\s+camera\b.*$|^the\s+camera\b.*$|^camera\b.*$", re.IGNORECASE
)
_OTHER_SCRIPT: Final = re.compile(r"[^\W\d_]", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Modifier:
    """A segment that says how the scene is filmed or painted, as written."""

    text: str
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, and the user's own words for it."""

    text: str
    scene: Scene
    """Only what is said; every field's provenance is ``said``."""
    main: str
    """The main clause as written, without lead and modifiers."""
    clause: Clause
    lead: str = ""
    """How the text opened: "drone footage of"; without the "of"."""
    modifiers: tuple[Modifier, ...] = ()
    tails: tuple[str, ...] = ()
    """Further segments of the main clause's own sentence, as written."""
    others: tuple[str, ...] = ()
    """Further sentences as written, without their full stops."""
    unread: tuple[str, ...] = ()
    """Words in scripts that the composer cannot read."""
    terms: tuple[Term, ...] = field(default=())


def clean(text: str) -> str:
    """Return ``text`` with one kind of quote, dash and space, and nothing unprintable."""
    flat = unicodedata.normalize("NFC", text)
    flat = flat.translate(str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "}))
    flat = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else " " for c in flat)
    return re.sub(r"\s+", " ", flat).strip(" ,;")


@lru_cache(maxsize=256)
def read(text: str) -> Reading:
    """Return what ``text`` says. Never raises: what is not understood stays in the main clause."""
    flat = clean(text)
    negative, flat_positive = _take_negation(flat)
    lead, main, tails, others, modifiers = _split(flat_positive)
    bare, _ = _mask(main)
    clause = read_clause(bare)
    values: dict[str, str | tuple[str, ...]] = {}
    terms = find_terms(flat_positive)
    for term in terms:
        _note(values, term)
    for modifier in modifiers:
        _note_unlisted_style(values, modifier)
    values.update({k: v for k, v in _clause_values(clause, main, lead).items() if v})
    details = tuple(x for x in (_detail(e) for e in (*tails, *others)) if x)
    if clause.relation:
        details = (clause.relation, *details)
    values["details"] = details
    if negative:
        values["negative_prompt"] = negative
    scene = Scene().edit({k: v for k, v in values.items() if v}, origin=Origin.SAID)
    return Reading(
        text=flat,
        scene=scene,
        main=main,
        clause=clause,
        lead=lead,
        modifiers=tuple(modifiers),
        tails=tuple(tails),
        others=tuple(others),
        unread=_unread(flat),
        terms=terms,
    )


def with_article(phrase: str) -> str:
    """Return the noun phrase ``phrase`` with an article where English wants one."""
    words = phrase.split()
    if not words:
        return ""
    first, head = words[0].strip(",").lower(), head_of(phrase)
    proper = words[0][:1].isupper() and not subject_kind(words[0]) and len(words) < 4
    if first in DETERMINERS or first.isdigit() or proper or "'s" in words[0]:
        return phrase
    if not head or is_plural(head) or head in word_list("mass") or not head.isascii():
        return phrase
    if " and " in phrase and not place_named(head):
        return phrase
    return f"{article(phrase)} {phrase}"


def _take_negation(text: str) -> tuple[str, str]:
    """Return what the text wants absent, and the text as it is.

    The words stay in the text too: a model reads "an empty street, no cars" as a whole.
    """
    found = [m[1].strip() for m in _NEGATION.finditer(text)]
    return ", ".join(found), text


def _split(text: str) -> tuple[str, str, list[str], list[str], list[Modifier]]:
    lead, main = "", ""
    tails: list[str] = []
    others: list[str] = []
    modifiers: list[Modifier] = []
    for sentence in sentences(text):
        own: list[str] = []
        opened = not main
        for piece in _segments(sentence.rstrip(" .!?")):
            segment, cut = _cut_trailing(piece)
            modifiers.extend(cut)
            if not segment:
                continue
            if (fields := _modifier_fields(segment)) is not None:
                modifiers.append(Modifier(segment, fields))
            elif not main:
                lead, main = _take_lead(segment)
            else:
                own.append(segment)
        if opened:
            tails = own
        elif own:
            others.append(", ".join(own))
    if not main:
        main = text.rstrip(" .") if not modifiers else ""
    return lead, main, tails, others, modifiers


def _segments(sentence: str) -> list[str]:
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
    last = before.rsplit(maxsplit=1)[-1].lower()
    first = part.split(maxsplit=1)[0].lower()
    if len(before.split()) <= 3 and before.split(maxsplit=1)[0].lower() in {"a", "an", "the"}:
        if (
            last not in DETERMINERS
            and subject_kind(last) is None
            and place_named(last) is None
            and not find_terms(part)
        ):
            return True
    short_noun = len(before.split()) <= 4 and subject_kind(last) is not None
    return short_noun and (first in DETERMINERS and " and " in f" {part} ")


def _fields_of(segment: str) -> frozenset[str]:
    return frozenset(t.field for t in find_terms(segment))


def _modifier_fields(segment: str) -> frozenset[str] | None:
    """Return the fields that ``segment`` sets when it says nothing else, or None."""
    terms = find_terms(segment)
    if _CAMERA_CLAUSE.match(segment):
        return frozenset({"camera_movement", *(t.field for t in terms)})
    if not terms:
        if (
            re.search(
                r"\b(?:style|styled|aesthetic|animation|art|render|photography|lighting|resolution)$",
                segment,
                re.IGNORECASE,
            )
            and len(segment.split()) <= 6
        ):
            return frozenset({"style"})
        return (
            frozenset() if all(t.lower() in word_list("filler") for t in tokens(segment)) else None
        )
    left = _without(segment, terms)
    words = [t.lower() for t in tokens(left)]
    if all(w in word_list("filler") or w in word_list("colors") for w in words):
        return frozenset(t.field for t in terms)
    if (
        re.search(r"\b(?:in the style of|by)\b", segment, re.IGNORECASE)
        and "style" in {t.field for t in terms}
        and len(words) <= 4
    ):
        return frozenset({"style"})
    return None


def _without(text: str, terms: tuple[Term, ...]) -> str:
    out, at = [], 0
    for term in terms:
        out.append(text[at : term.start])
        at = term.end
    return " ".join([*out, text[at:]])


_STYLE_TAIL: Final = re.compile(
    r"\s+(?:(?:rendered|shot|filmed|painted|drawn|seen|set)\s+)?(?:in|as|with)\s+(?:an?\s+|the\s+)?"
    r"(?:style\s+of\s+\S+(?:\s+\S+){0,3}|(?:\S+\s+){1,3}style)$|\s+by\s+(?:[A-Z]\w+\s?){1,3}$"
)


def _cut_trailing(segment: str) -> tuple[str, list[Modifier]]:
    """Cut from the end of ``segment`` what only says how it is filmed: "… in slow motion"."""
    cut: list[Modifier] = []
    if (match := _CAMERA_CLAUSE.search(segment)) and match.start() > 0:
        cut.append(Modifier(match[0].strip(), _fields_of(match[0]) | {"camera_movement"}))
        segment = segment[: match.start()]
    for _ in range(3):
        if match := _STYLE_TAIL.search(segment):
            fields = _fields_of(match[0].strip())
            if fields & {"style"} or "style" in match[0]:
                cut.append(Modifier(match[0].strip(), fields | {"style"}))
                segment = segment[: match.start()]
                continue
        trailing = _trailing_term(segment)
        if trailing is None:
            break
        cut.append(Modifier(segment[trailing:].strip(), _fields_of(segment[trailing:])))
        segment = segment[:trailing].strip()
    return segment.strip(" ,"), cut


def _trailing_term(segment: str) -> int | None:
    terms = find_terms(segment)
    if not terms or terms[-1].end != len(segment) or terms[-1].start == 0:
        return None
    term = terms[-1]
    if term.field not in _CUT_FIELDS:
        return None
    before = segment[: term.start]
    match = re.search(
        r"\s(?:(?:seen|shot|filmed|viewed|rendered)\s+)?(?:in|as|with|from|on)\s+(?:an?\s+|the\s+)?(?:very\s+|extreme\s+|slow\s+)?$",
        before,
        re.IGNORECASE,
    )
    if match:
        return match.start()
    if (
        term.field in {"shot_size", "camera_movement"}
        and before.strip()
        and not before.rstrip().endswith((" of", " the", " a"))
    ):
        return term.start
    return None


_LEAD: Final = re.compile(
    r"^(?P<lead>(?:in\s+)?(?:an?\s+|the\s+)?(?:[\w'’\-]+\s+){0,5}?"
    r"(?:shot|view|footage|video|clip|movie|film|image|photo|photograph|picture|scene|painting|"
    r"drawing|sketch|illustration|tableau|time[\s-]?lapse|close[\s-]?up|macro|portrait|animation|"
    r"render(?:ing)?|panorama|watercolou?r|flyover|slo-mo)(?:\s+(?:shot|view|footage|video|clip))?)"
    r"\s+(?P<of>of|on|showing|featuring|capturing|from|in\s+which)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)


def _take_lead(segment: str) -> tuple[str, str]:
    match = _LEAD.match(segment)
    if match:
        lead, rest = match["lead"], match["rest"]
        words = [t.lower() for t in tokens(_without(lead, find_terms(lead)))]
        first = lead.split()[0].lower()
        plain = set(words) <= (
            word_list("lead_nouns")
            | word_list("filler")
            | word_list("opinion")
            | {
                "overlooking",
                "exterior",
                "interior",
                "focus",
                "tableau",
                "tranquil",
                "aerial",
                "cropped",
                "high",
                "low",
                "wide",
            }
        )
        preposition = match["of"].lower()
        if preposition == "from" and not find_terms(lead):
            return "", segment
        if preposition == "on" and not re.search(r"close|view|focus", lead, re.IGNORECASE):
            return "", segment
        if plain and first not in {"there"}:
            return lead, rest
        return "", segment
    terms = find_terms(segment)
    if (
        terms
        and terms[0].start == 0
        and terms[0].field in {"shot_size", "camera_angle", "camera_movement", "pace"}
        and terms[0].end < len(segment)
    ):
        rest = segment[terms[0].end :].strip()
        if rest.split()[0].lower() in {"of", "on"}:
            rest = rest.split(None, 1)[1] if " " in rest else ""
        if rest and terms[0].term != "dolly in":
            return segment[: terms[0].end], rest
    return "", segment


_MASK_PREPOSITIONS: Final = (
    "in|at|on|during|under|through|by|with|from|amid|amidst|against|into|before|after|beneath|"
    "throughout|until|below|of"
)


def _mask(main: str) -> tuple[str, list[str]]:
    """Return the main clause without the phrases that say when, in which weather and light."""
    removed: list[str] = []
    terms = [
        t for t in find_terms(main) if t.field in {"time_of_day", "weather", "lighting", "pace"}
    ]
    spans: list[tuple[int, int]] = []
    for term in terms:
        tail = re.match(
            r"(?:\s+(?:sky|skies|day|night|evening|morning|afternoon|light|season|hours?|weather|time|sun))*(?=$|[\s,.])",
            main[term.end :],
            re.IGNORECASE,
        )
        end = term.end + (tail.end() if tail else 0)
        before = main[: term.start]
        said = main[term.start : term.end].lower()
        head = re.search(
            rf"(?:^|\s)(?:{_MASK_PREPOSITIONS})\s+(?:an?\s+|the\s+)?(?:(?!(?:{_MASK_PREPOSITIONS})\b)[\w'\-]+\s+(?:and\s+)?){{0,2}}?$",
            before,
            re.IGNORECASE,
        )
        own_preposition = re.match(
            r"(?:in|at|under|from|with|by|through|during|lit|backlit)\b", said
        )
        after = main[end:].strip()
        noun_follows = bool(after) and not re.match(
            rf"(?:{_MASK_PREPOSITIONS}|and|as|while|over|near|along|across|[\w]+ing)\b|[,.]",
            after,
            re.IGNORECASE,
        )
        if noun_follows and not own_preposition:
            continue
        if own_preposition or (head and head.start() > 0):
            spans.append((head.start() if head and not own_preposition else term.start, end))
        elif (term.field == "time_of_day" and before.strip()) or (term.field == "pace" and before.strip() and said.endswith("ly") is False):
            spans.append((term.start, end))
    text = main
    for start, end in reversed(_merged(spans)):
        removed.append(text[start:end].strip())
        text = f"{text[:start]} {text[end:]}"
    text = re.sub(
        rf"\s(?:in|during|at)\s+(?:the\s+)?(?:early\s+|late\s+)?(?:{'|'.join(word_list('seasons'))})(?:\s+season)?(?=$|[\s,])",
        " ",
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"\s+(?:in|on)\s+the\s+background$", "", text) if removed else text
    text = re.sub(r"\s+(?:and|with|in|at|on|under|during)\s*$", "", text)
    return re.sub(r"\s+", " ", text).strip(" ,"), removed


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


_SPECIFIC: Final = {
    "time_of_day": ("midnight", "blue hour", "golden hour"),
}


def _note(values: dict[str, str | tuple[str, ...]], term: Term) -> None:
    """Set the field of ``term`` unless an earlier phrase did; the more specific term wins."""
    held = values.get(term.field)
    if (
        not held
        or term.term in _SPECIFIC.get(term.field, ())
        or (held == "night" and term.term == "midnight")
    ):
        values[term.field] = term.term


def _note_unlisted_style(values: dict[str, str | tuple[str, ...]], modifier: Modifier) -> None:
    if "style" in values or "style" not in modifier.fields:
        return
    text = re.sub(
        r"^(?:rendered\s+|shot\s+|painted\s+)?(?:in|as|with|by)\s+(?:an?\s+|the\s+)?",
        "",
        modifier.text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"^style of\s+|\s+style$", "", text, flags=re.IGNORECASE)
    values["style"] = text


def _clause_values(clause: Clause, main: str, lead: str) -> dict[str, str]:
    subject, setting = clause.subject, clause.setting
    head = head_of(subject)
    if not clause.action and subject:
        place = place_named(head)
        kind = subject_kind(head)
        if (
            place is not None
            and kind not in {"building", "vehicle", "watercraft", "object", "plant", "food"}
            and not setting
            and place.kind not in {"surface", "perch"}
        ):
            setting = subject
    return {
        "subject": with_article(subject),
        "subject_details": clause.details,
        "action": clause.action,
        "setting": with_article(setting)
        if setting and not _led_by_preposition(setting)
        else setting,
    }


def _led_by_preposition(phrase: str) -> bool:
    return phrase.split(maxsplit=1)[0].lower() in word_list("prepositions")


def _detail(extra: str) -> str:
    return re.sub(r"^(?:and|but|then)\s+", "", extra.strip())


def _unread(text: str) -> tuple[str, ...]:
    found = []
    for word in tokens(text):
        letters = _OTHER_SCRIPT.findall(word)
        if letters and all(not unicodedata.name(c, "").startswith("LATIN") for c in letters):
            found.append(word)
    return tuple(found)
