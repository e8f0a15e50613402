"""The slots of a rule: what a run of words must be to fill one, and how surely it is that.

These are the guards: a place is a place, a noun phrase holds no finite verb, a colour is never put
on a person. A slot that does not fit makes its rule fail, never guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.prompts.intents.clauses import event_in, noun_phrase, noun_phrases, verb_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.words import (
    ANIMATE,
    aspect_of,
    data,
    determiners,
    find_terms,
    is_known,
    is_known_noun,
    lemma,
    number_in,
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
    "splits",
    "titled",
]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a slot took, and how surely it fits."""

    value: Any
    score: float = 1.0
    text: str = ""


Terms = Mapping[str, str]
"""Established terms by their field."""

_TERM_ORDER: Final = (
    "time_of_day", "weather", "camera_movement", "shot_size", "camera_angle", "viewpoint", "lens",
    "pace", "lighting", "style", "mood", "color_palette",
)  # fmt: skip
_FILLER: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "at",
        "on",
        "by",
        "with",
        "and",
        "or",
        "very",
        "more",
        "really",
        "quite",
        "bit",
        "some",
        "look",
        "feel",
        "style",
        "mood",
        "lighting",
        "light",
        "shot",
        "view",
        "vibe",
        "atmosphere",
        "tones",
        "colours",
        "colors",
        "it",
        "to",
        "be",
        "into",
        "during",
        "under",
        "there",
        "is",
        "kind",
        "sort",
        "like",
        "lots",
        "heavy",
        "scene",
        "weather",
        "palette",
        "time",
        "from",
        "camera",
        "slowly",
        "slow",
        "then",
        "footage",
        "video",
        "lens",
        "movement",
        "please",
        "lit",
        "broad",
        "real",
        "super",
        "so",
        "extra",
        "pretty",
        "early",
        "late",
        "set",
        "around",
        "happen",
        "happening",
    ]
)
_LOOK_LEAD: Final = re.compile(
    r"(?:to\s+)?(?:(?:be|look|looks|looking|appear|all|completely|entirely|fully|totally|a bit|a little|"
    r"much|way|more|really|very|slightly|even|too|so|into|kind of|sort of|instead|just|both|out of|made of|made out of)\s+)+",
    re.IGNORECASE,
)
_PREPOSITION: Final = re.compile(
    r"(?:somewhere\s+|set\s+|happening\s+|located\s+)?(?P<prep>in front of|next to|on top of|in the middle of|"
    r"at the edge of|in|on|at|inside|into|onto|to|under|near|by|beside|over|across|through|outside|along|"
    r"underneath|behind|above|beneath|among|between|around|aboard|off)\s+",
    re.IGNORECASE,
)
_NO_PLACES: Final = frozenset(
    [
        "background",
        "foreground",
        "distance",
        "left",
        "right",
        "front",
        "back",
        "middle",
        "center",
        "centre",
        "corner",
        "side",
        "top",
        "bottom",
    ]
)


def _entity(text: str, context: Context) -> Filled | None:
    found = refer(text, context)
    return None if found is None else Filled(found, found.score, text)


def _look(text: str, _context: Context) -> Filled | None:
    found = looks_in(text)
    return None if found is None else Filled(found[0], found[1], text)


def looks_in(text: str) -> tuple[tuple[Look, ...], float] | None:
    """Return the looks that ``text`` as a whole says: "dark red and wet", "made of glass"."""
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


def _thing(text: str, _context: Context) -> Filled | None:
    found = noun_phrase(re.sub(r"\s+(?:instead|now|too|as well|please)$", "", text))
    if found is None or exact_terms(text):
        return None
    event = event_in(text)
    if event is not None and not found.doing and event.score > found.score:
        return None
    return Filled(found, found.score, text)


def _things(text: str, _context: Context) -> Filled | None:
    bare = re.sub(
        r"\s+(?:instead|now|too|as well|please|to (?:it|the (?:scene|shot|video|picture)))$",
        "",
        text,
    )
    found = noun_phrases(bare)
    if not found or exact_terms(text):
        return None
    score = min(one.score for one in found)
    return Filled(found, score, text)


def place_in_words(text: str, *, led: bool) -> tuple[str, float] | None:
    """Return the place that ``text`` names, with its article, and how surely it is one.

    ``led`` tells that words before it have said that a place follows.
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
    if found is None or found.doing or found.noun in _NO_PLACES:
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
    """Return a name with capitals, where it was typed without any: "wong kar-wai"."""
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


def _place(text: str, _context: Context) -> Filled | None:
    """Take a place that a preposition leads: "in a forest", "onto the moon"."""
    low = text.lower().strip()
    if low in {
        "underwater",
        "outdoors",
        "indoors",
        "outside",
        "inside",
        "in space",
        "in outer space",
    }:
        return Filled(place_in_words(low.removeprefix("in "), led=True)[0], 0.95, text)  # type: ignore[index]
    lead = _PREPOSITION.match(text)
    if lead is None:
        return None
    found = place_in_words(text[lead.end() :], led=True)
    if found is None:
        return None
    name, score = found
    prep = lead["prep"].lower()
    if prep in {
        "behind",
        "next to",
        "in front of",
        "beside",
        "between",
        "around",
        "above",
        "by",
        "near",
        "on top of",
        "through",
        "along",
        "over",
        "under",
        "across",
    }:
        name, score = f"{prep} {name}", score * 0.8
    return Filled(name, score, text)


def _place_name(text: str, _context: Context) -> Filled | None:
    lead = _PREPOSITION.match(text)
    found = place_in_words(text[lead.end() :] if lead else text, led=bool(lead))
    return None if found is None else Filled(found[0], found[1], text)


def _where(text: str, context: Context) -> Filled | None:
    """Take a position in the picture: "on the left", "behind the house", "in the background"."""
    text = re.sub(r"\s+(?:instead|now|too)$", "", text.strip(" .,!"))
    low = text.lower()
    lead = _PREPOSITION.match(low)
    last = re.findall(r"[\w'-]+", low)
    if not last:
        return None
    if low in {"closer", "further away", "farther away", "nearer"}:
        return None
    if lead is None and low not in {
        "ahead",
        "overhead",
        "nearby",
        "everywhere",
        "in the background",
    }:
        return None
    if re.search(r"\b(?:his|her|their|my|your)\b", low) or "," in low:
        return None
    named = set(last) & words_of("looks", "positions")
    rest = low[lead.end() :] if lead else low
    rest = re.sub(r"^(?:the\s+)?(?:left|right|side|front|back|top|middle|edge)\s+of\s+", "", rest)
    if named and len(last) <= 8:
        return Filled(_position(text), 0.97, text)
    other = refer(rest, context)
    if other is not None:
        return Filled(_position(text), 0.92, text)
    if noun_phrase(rest) is not None and lead is not None:
        return Filled(_position(text), 0.7, text)
    return None


def _position(text: str) -> str:
    low = text.strip(" .,!")
    low = re.sub(
        r"^(?:to|into|onto)\s+(the )?(left|right)(?= of\b)", r"to the \2", low, flags=re.IGNORECASE
    )
    low = re.sub(r"^to (?:the )?(left|right|foreground|background|front|back|middle|cent(?:er|re))$",
                 lambda m: f"{'on' if m[1] in {'left', 'right'} else 'in'} the {m[1]}", low, flags=re.IGNORECASE)  # fmt: skip
    return re.sub(r"^(?:into|to) (?=the (?:fore|back)ground)", "in ", low)


def exact_terms(text: str) -> Terms | None:
    """Return the established terms that ``text`` says, where it says nothing else of weight."""
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
    if any(word not in _FILLER for word in re.findall(r"[\w'-]+", left)):
        return None
    return {one.field: one.term for one in found}


def _term(text: str, _context: Context) -> Filled | None:
    found = exact_terms(text)
    return None if found is None else Filled(found, 1.0, text)


def field_named(text: str) -> str | None:
    """Return the scene field that people mean by ``text``, such as "light" or "camera angle"."""
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


def _event(text: str, context: Context) -> Filled | None:
    found = event_in(text)
    if found is None:
        return None
    meant = refer(found.actor, context) if found.named < 1.0 else None
    known = meant.score if meant is not None and meant.ids else 0.0
    return Filled(found, found.score / found.named * max(found.named, known), text)


def _number(text: str, _context: Context) -> Filled | None:
    words = [
        w
        for w in text.lower().split()
        if w not in {"of", "the", "about", "around", "exactly", "only", "just"}
    ]
    if words[:2] == ["a", "couple"]:
        return Filled(2, 1.0, text)
    number = number_in(words[0]) if len(words) == 1 else None
    return None if number is None else Filled(number, 1.0, text)


def _any(text: str, _context: Context) -> Filled | None:
    return Filled(text.strip(" .,!?\"'“”"), 1.0, text)


def _belonging(text: str, _context: Context) -> Filled | None:
    words = [w for w in text.lower().split() if w not in determiners()]
    if words and lemma(words[-1], "NOUN") in words_of("nouns", "belongings") | word_list(
        "clothing"
    ):
        return Filled(text, 0.95, text)
    return None


def _name(text: str, _context: Context) -> Filled | None:
    """Take the name of a film, a maker, a camera: words that no lexicon has as a plain thing."""
    bare = text.strip(" .,!?\"'“”")
    words = bare.split()
    if not words or len(words) > 5:
        return None
    first = words[0].lower()
    if first in {"a", "an"} and len(words) > 1 and subject_kind(words[-1]) is not None:
        return None
    if first in words_of("misc", "pronouns") or first in {"this", "that", "before", "last"}:
        return None
    low = [w.lower() for w in words]
    if low[0] in determiners() and low[0] != "the":
        return None
    is_name = any(w[:1].isupper() for w in words) or not all(is_known(w) for w in low)
    is_title = len(words) > 1 and subject_kind(words[-1]) is None
    return Filled(bare, 0.95 if is_name else 0.8 if is_title else 0.5, text)


_PAIRED: Final = {
    "colour": "colour", "colours": "colour", "color": "colour", "colors": "colour",
    "material": "material", "materials": "material", "clothes": "clothing", "outfits": "clothing",
    "positions": "position", "places": "position", "sides": "position", "roles": "role",
}  # fmt: skip


def _aspect(text: str, _context: Context) -> Filled | None:
    found = _PAIRED.get(text.lower().strip())
    return None if found is None else Filled(found, 1.0, text)


def _fields(text: str, context: Context) -> Filled | None:
    """Take a list of fields, named or by what they hold: "camera and light", "the dog"."""
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", text)
    found = [name for part in parts for name in fields_meant(part, context)]
    if not found or not all(fields_meant(part, context) for part in parts):
        return None
    return Filled(tuple(dict.fromkeys(found)), 1.0, text)


def fields_meant(what: str, context: Context) -> tuple[str, ...]:
    """Return the fields that ``what`` names, or that hold it: "the light", "the dog", "the rain"."""
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
    return (
        Filled(text.strip(), 0.9, text) if re.fullmatch(r"[\w.-]+/[\w.-]+", text.strip()) else None
    )


Slot = Callable[[str, Context], Filled | None]

SLOTS: Final[Mapping[str, Slot]] = {
    "any": _any,
    "aspect": _aspect,
    "belonging": _belonging,
    "doing": _doing,
    "entity": _entity,
    "event": _event,
    "field": _field,
    "fields": _fields,
    "look": _look,
    "model": _model,
    "name": _name,
    "number": _number,
    "place": _place,
    "placename": _place_name,
    "term": _term,
    "thing": _thing,
    "things": _things,
    "where": _where,
}


def splits(text: str) -> Sequence[tuple[str, str]]:
    """Return every way to cut ``text`` between two words, the longer first part last."""
    words = text.split()
    return [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, min(len(words), 9))]
