"""The slots of a rule: parsers that turn words into a slot's value, with a confidence.

Slots guard their rules: a noun phrase has no finite verb, a colour never applies to a person. If a
slot does not fit, the rule fails instead of guessing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.named_files import names_path
from workbench.prompts.intents.clauses import noun_phrase, verb_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.words import (
    ANIMATE,
    aspect_of,
    data,
    find_terms,
    is_known,
    is_known_noun,
    place_named,
    subject_kind,
    with_article,
    word_list,
    words_of,
)
from workbench.scene import SCENE_FIELDS, Aspect, Look, canonical_term, terms

__all__ = [
    "SLOTS",
    "Filled",
    "Terms",
    "exact_terms",
    "field_named",
    "fields_meant",
    "looks_in",
    "place_in_words",
    "titled",
]


@dataclass(frozen=True, slots=True)
class Filled:
    """The value of a filled slot, and its confidence."""

    value: Any
    score: float = 1.0
    text: str = ""


Terms = Mapping[str, str]
"""Vocabulary terms by field."""

_TERM_ORDER: Final = (
    "time_of_day", "weather", "camera_movement", "shot_size", "camera_angle", "viewpoint", "lens",
    "pace", "lighting", "style", "mood", "color_palette",
)  # fmt: skip
_LOOK_LEAD: Final = re.compile(
    r"(?:to\s+)?(?:(?:be|look|looks|looking|appear|all|completely|entirely|fully|totally|a bit|a little|"
    r"much|way|more|really|very|slightly|even|too|so|into|kind of|sort of|instead|just|both|out of|made of|made out of)\s+)+",
    re.IGNORECASE,
)


def _entity(text: str, context: Context) -> Filled | None:
    found = refer(text, context)
    return None if found is None else Filled(found, found.score, text)


def _look(text: str, _context: Context) -> Filled | None:
    found = looks_in(text)
    return None if found is None else Filled(found[0], found[1], text)


def looks_in(text: str) -> tuple[tuple[Look, ...], float] | None:
    """Return the looks and confidence of all of ``text``: "dark red and wet", "made of glass"."""
    bare = re.sub(r"\s+(?:ones?|instead|now|please|in colou?r|colou?red)$", "", text.strip(" .,!"))
    lead = _LOOK_LEAD.match(f"{bare} ")
    made = re.match(r"(?:be\s+)?made (?:out )?of\s+(.+)", bare, re.IGNORECASE)
    if made and (
        aspect_of(made[1].split()[-1]) is Aspect.MATERIAL or is_known_noun(made[1].split()[-1])
    ):
        return (Look(Aspect.MATERIAL, f"made of {made[1]}", "after"),), 0.95
    if lead and lead.end() <= len(bare):
        bare = bare[lead.end() :].strip()
    worn = _clothing(bare)
    if worn is not None:
        return (worn,), 0.95
    words = bare.lower().split()
    if not words or len(words) > 6:
        return None
    looks: list[Look] = []
    pending: list[str] = []
    for word in re.sub(r"\s*,\s*(?:and\s+)?|\s+and\s+", " , ", bare).split():
        low = word.lower()
        if low == ",":
            continue
        aspect = aspect_of(low)
        if low in {"dark", "light", "bright", "pale", "deep", "very", "extra", "half"} or (
            low.endswith("ly") and low != "woolly"
        ):
            pending.append(word)
            continue
        if aspect is None:
            return None
        looks.append(Look(aspect, " ".join([*pending, word])))
        pending = []
    if pending:
        if len(pending) == 1 and aspect_of(pending[0]) is not None:
            looks.append(Look(Aspect.OTHER, pending[0]))
        else:
            return None
    sure = {Aspect.COLOUR: 1.0, Aspect.OTHER: 0.8}
    score = min((sure.get(look.aspect, 0.95) for look in looks), default=0.0)
    if score and re.search(r"\bmore\s+\S+$", text) and len(looks) == 1:
        looks = [Look(looks[0].aspect, looks[0].text)]
    return (tuple(looks), score) if looks else None


def _clothing(text: str) -> Look | None:
    found = re.match(r"(?:wearing|dressed in|dressed as|in)\s+(?P<what>.+)", text, re.IGNORECASE)
    if found is None:
        return None
    what = noun_phrase(found["what"])
    is_worn = what is not None and (
        what.noun in word_list("clothing")
        or bool(set(found["what"].lower().split()) & (word_list("clothing") - word_list("colors")))
    )
    if is_worn or (what is not None and not text.lower().startswith("in")):
        verb = "wearing" if not text.lower().startswith("dressed as") else "dressed as"
        return Look(Aspect.CLOTHING, f"{verb} {with_article(found['what'])}", "after")
    return None


def place_in_words(text: str, *, led: bool) -> tuple[str, float] | None:
    """Return the place in ``text``, with an article, and its confidence; None if it has none.

    ``led`` means that the words before it announce a place.
    """
    bare = re.sub(r"\s+(?:instead|now|too)$", "", text.strip(" .,!"))
    if bare.lower() in {
        "underwater",
        "outdoors",
        "indoors",
        "outside",
        "inside",
        "space",
        "outer space",
    }:
        name = {"outside": "outdoors", "inside": "indoors"}.get(bare.lower(), bare.lower())
        return name, 0.95
    found = noun_phrase(bare)
    if found is None or found.doing or found.noun in words_of("closed", "no_places"):
        return None
    words = bare.lower().split()
    if any(word in words_of("misc", "pronouns") for word in words):
        return None
    if not found.determiner and not any(is_known(w) for w in found.phrase.split()):
        return titled(found.phrase), 0.85 if led else 0.6  # a name: "monaco"
    head = found.phrase.split(" of ")[0].split()[-1]
    place = place_named(head) or place_named(found.phrase.split()[-1])
    if place is None and (subject_kind(head) in ANIMATE or head in words_of("misc", "unseen")):
        return None
    if place is not None:
        is_thing = place.kind in {"surface", "perch"} or subject_kind(head) in {
            "food",
            "object",
            "plant",
        }
        score = 0.75 if is_thing else 0.97
    elif found.phrase[:1].isupper() and subject_kind(head) is None:
        score = 0.85
    elif subject_kind(head) is None and found.score < 0.9:
        score = 0.7 if led else 0.55
    elif subject_kind(head) in {"building", "scenery", "vehicle", "watercraft", "aircraft"}:
        score = 0.85 if led else 0.7
    else:
        score = 0.62 if led else 0.4
    return _named(bare), score * (1.0 if led else 0.95)


def _named(text: str) -> str:
    words = text.split()
    proper = word_list("proper") | word_list("capitals")
    words = [w[:1].upper() + w[1:] if w.lower() in proper else w for w in words]
    return with_article(" ".join(words))


def titled(name: str) -> str:
    """Return a name in title case if it has no capitals: "wong kar-wai"."""
    if any(c.isupper() for c in name):
        return name
    return " ".join(
        w
        if i and w in _SMALL
        else "-".join(p[:1].upper() + p[1:] if n == 0 else p for n, p in enumerate(w.split("-")))
        for i, w in enumerate(name.split())
    )


_SMALL: Final = frozenset(
    {"of", "the", "and", "a", "in", "on", "with", "de", "van", "von", "da", "la"}
)


def exact_terms(text: str) -> Terms | None:
    """Return the vocabulary terms in ``text``, or None if it says anything else of substance."""
    bare = text.strip(" .,!?").lower()
    short = re.sub(
        r"^(?:an?|the|some|in|at|during|with|more|very|all|under|by|a bit|from|as an?|like an?)\s+",
        "",
        bare,
    )
    short = re.sub(
        r"\s+(?:look|feel|style|vibe|mood|atmosphere|version|please|feeling|effect|aesthetic|movie|film|clip|video)$",
        "",
        short,
    )
    for candidate in dict.fromkeys((bare, short, re.sub(r"^(?:an?|the)\s+", "", short))):
        for field in _TERM_ORDER:
            term = canonical_term(field, candidate) if terms(field) else None
            if term is not None:
                return {field: term}
    found = find_terms(bare)
    if not found:
        return None
    left = bare
    for one in reversed(found):
        left = f"{left[: one.start]} {left[one.end :]}"
    if any(word not in words_of("closed", "filler") for word in re.findall(r"[\w'-]+", left)):
        return None
    return {one.field: one.term for one in found}


def field_named(text: str) -> str | None:
    """Return the scene field that ``text`` names, such as "light" or "camera angle", or None."""
    low = re.sub(r"^(?:(?:the|its|his|her|this|that|same|whole)\s+)+", "", text.strip().lower())
    for field, phrases in data("fields")["names"].items():
        if low in phrases.split("|"):
            return str(field)
    normal = low.replace(" ", "_")
    return normal if normal in SCENE_FIELDS else None


def _field(text: str, _context: Context) -> Filled | None:
    found = field_named(text)
    return None if found is None else Filled(found, 1.0, text)


def _doing(text: str, _context: Context) -> Filled | None:
    bare = re.sub(r"^(?:to\s+|be\s+|start\s+|also\s+)+", "", text.strip())
    bare = re.sub(r"\s+(?:instead|now|too|as well|please)$", "", bare)
    if exact_terms(bare):
        return None
    found = verb_phrase(bare)
    return None if found is None else Filled(found[0], found[1], text)


def _any(text: str, _context: Context) -> Filled | None:
    return Filled(text.strip(" .,!?\"'“”"), 1.0, text)


def _fields(text: str, context: Context) -> Filled | None:
    """Parse a list of fields, given by name or by content: "camera and light", "the dog"."""
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", text)
    found = [name for part in parts for name in fields_meant(part, context)]
    if not found or not all(fields_meant(part, context) for part in parts):
        return None
    return Filled(tuple(dict.fromkeys(found)), 1.0, text)


def fields_meant(what: str, context: Context) -> tuple[str, ...]:
    """Return the fields that ``what`` names or that contain it: "the light", "the dog"."""
    name = field_named(what)
    if name is not None:
        return (name,)
    scene = context.scene
    said = exact_terms(what)
    if said:
        held = tuple(field for field in said if getattr(scene, field))
        if held:
            return held
    found = refer(what, context)
    if found is None:
        return ()
    if found.field:
        return (found.field,)
    leads = {one.id for one in scene.cast if one.is_lead}
    return ("subject",) if leads & set(found.ids) else ()


def _model(text: str, context: Context) -> Filled | None:
    low = text.lower().strip(" .,!?\"'")
    for name, value in context.models.items():
        if low in {name.lower(), value.lower()}:
            return Filled(value, 1.0, text)
    near = [v for n, v in context.models.items() if n.lower().startswith(low) and len(low) > 2]
    if len(set(near)) == 1:
        return Filled(near[0], 0.97, text)
    name = text.strip()
    is_hub_name = re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not names_path(name)
    return Filled(name, 0.9, text) if is_hub_name else None


Slot = Callable[[str, Context], Filled | None]

SLOTS: Final[Mapping[str, Slot]] = {
    "any": _any,
    "doing": _doing,
    "entity": _entity,
    "field": _field,
    "fields": _fields,
    "look": _look,
    "model": _model,
}
