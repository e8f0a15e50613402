"""Resolves the words of a request to entities of a scene: "it", "the second one", "his hair"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.prompts.intents.clauses import noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.words import (
    ANIMATE,
    aspect_of,
    data,
    determiners,
    is_known_noun,
    is_plural,
    lemma,
    noun_in_text,
    subject_kind,
    word_list,
    words_of,
)
from workbench.scene import Entity, EntityKind

__all__ = ["Reference", "is_person", "is_singular", "named_in", "refer"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a phrase refers to."""

    ids: tuple[str, ...] = ()
    """Entities of the cast."""
    part: str = ""
    """Which one of an entity with several members: "one", "the other", "the one on the left"."""
    belonging: str = ""
    """A part or belonging that is not in the cast: "hair"."""
    field: str = ""
    """Where it is named if not in the cast: ``setting``, ``details`` or ``text``."""
    noun: str = ""
    """The words that name it there."""
    score: float = 1.0


_ORDINALS: Final = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "other": 1, "third": 2, "3rd": 2, "fourth": 3,
    "last": -1, "left": 0, "right": -1,
}  # fmt: skip
_PART: Final = re.compile(
    r"(?P<part>(?:only |just )?(?:one|two|three|both|all|none|some|each) of (?:them|these|those|the \w+)|"
    r"(?:one|both|each) \w+|"
    r"the (?:first|second|third|last|other|left|right) (?:one|guy|man|woman|person|\w+)|the other(?: one| \w+)?|"
    r"the (?:one|\w+) (?:on|to|at) the (?:left|right)|the (?:left|right|middle) one|"
    r"(?:the )?(?:left|right|middle|other|first|second|third) \w+|"
    r"the (?:one|\w+) in the (?:middle|cent(?:er|re)|front|back)|"
    r"(?:the )?(?:younger|older|taller|shorter|smaller|bigger|larger|fatter|thinner|oldest|youngest|tallest|smallest|biggest) (?:one|\w+)|"
    r"(?:the )?(?:first|second|third|fourth|fifth|sixth|last|\d+(?:st|nd|rd|th)) \w+ from (?:the )?\w+|"
    r"the one (?:with|in|who|holding|wearing|by|next to|at|on|behind|that) .+)",
    re.IGNORECASE,
)
_POSSESSIVE: Final = re.compile(
    r"(?P<owner>his|her|its|their|the .+?(?:'s|s')|\w+'s)\s+(?P<thing>.+)", re.IGNORECASE
)
_PERSONAL: Final = {
    "he": "man", "him": "man", "his": "man", "she": "woman", "her": "woman", "hers": "woman",
}  # fmt: skip
_ALL: Final = frozenset(
    {
        "everyone",
        "everybody",
        "all of them",
        "both",
        "both of them",
        "all",
        "they",
        "them",
        "these",
        "those",
    }
)
_IT: Final = frozenset(
    {"it", "this", "that", "this one", "that one", "the subject", "subject", "the thing"}
)


def refer(phrase: str, context: Context, *, only_cast: bool = False) -> Reference | None:
    """Return what ``phrase`` refers to in the scene, or None.

    ``only_cast`` excludes parts, belongings and things that only a text field names.
    """
    low = re.sub(r"\s+", " ", phrase.lower().strip(" .,!?'\""))
    if not low or low.split()[-1] in {"who", "that", "which"}:
        return None
    found = _pronoun(low, context) or _part_of(low, context)
    found = found or (None if only_cast else _owned(low, context))
    if found is not None:
        return found
    if _is_told_alone(low, context):  # not another entity of the same kind
        return None if only_cast else _in_field(low, context) or _in_text(low, context)
    best: Reference | None = None
    for entity in context.scene.cast:
        score = _match(low, entity)
        if score and (best is None or score > best.score + 1e-6 or (
            score > best.score - 1e-6 and _rank(entity, context) < _rank_of(best, context))):  # fmt: skip
            best = Reference((entity.id,), score=score)
    if best is not None:
        return best
    named = _of_kind(low, context) or _with_tail(low, context)
    if named is not None or only_cast:
        return named
    return _in_field(low, context) or _belonging(low, context) or _in_text(low, context)


def _is_told_alone(low: str, context: Context) -> bool:
    """Tell whether the prompt has the word but no entity of the cast has that name."""
    words = [w for w in low.split() if w not in determiners()]
    if len(words) != 1 or not noun_in_text(words[0], context.prompt):
        return False
    want = lemma(words[0], "NOUN")
    names = (f"{e.name} {e.noun} {e.phrase}" for e in context.scene.cast)
    return not any(want in {lemma(w, "NOUN") for w in name.lower().split()} for name in names)


_TAIL: Final = re.compile(
    r"(?P<who>(?:the |that |this )?(?:[\w'-]+ ){0,2}?[\w'-]+) (?:with|in|who|that|on|at|holding|wearing|from|behind|by|next to|near|under) .+"
)


def _with_tail(low: str, context: Context) -> Reference | None:
    """Resolve a phrase by its noun, ignoring the modifiers after it: "the man with the hat"."""
    found = _TAIL.fullmatch(low)
    if found is None or low.startswith(("a ", "an ", "another ")):
        return None
    meant = [(_match(found["who"], e), e) for e in context.scene.cast]
    best = [e for score, e in meant if score >= 0.85]
    return Reference((best[0].id,), score=0.9) if len(best) == 1 and is_singular(best[0]) else None


def named_in(text: str, context: Context) -> tuple[str, ...]:
    """Return the ids of the entities that ``text`` names by their nouns."""
    lemmas = {lemma(word, "NOUN") for word in re.findall(r"[\w'-]+", text.lower())}
    return tuple(one.id for one in context.scene.cast if one.noun and one.noun in lemmas)


def is_person(entity: Entity) -> bool:
    """Tell whether ``entity`` is a person or a group of people."""
    if entity.kind in {EntityKind.PERSON, EntityKind.CROWD}:
        return True
    noun = entity.noun or lemma(entity.phrase.split()[-1] if entity.phrase else "", "NOUN")
    return entity.kind is EntityKind.OTHER and (
        subject_kind(noun) in {"man", "woman", "person"} or noun in words_of("nouns", "people")
    )


def is_singular(entity: Entity) -> bool:
    """Tell whether a verb after the entity takes the singular form."""
    if entity.count == 1:
        return " and " not in entity.phrase
    return entity.count is None and not is_plural(_head(entity))


def _head(entity: Entity) -> str:
    words = entity.phrase.split(" of ")[0].split()
    return words[-1].lower() if words else ""


def _rank(entity: Entity, context: Context) -> int:
    return context.focus.index(entity.id) if entity.id in context.focus else 99


def _rank_of(found: Reference, context: Context) -> int:
    return min((context.focus.index(i) for i in found.ids if i in context.focus), default=99)


def _pronoun(low: str, context: Context) -> Reference | None:
    scene, leads = context.scene, context.leads()
    known = {one.id: one for one in scene.cast}
    spoken = [known[i] for i in context.focus if i in known]
    if low in _IT:
        things = [e for e in [*spoken, *leads, *scene.cast] if is_singular(e) and not is_person(e)]
        chosen = things or [*spoken, *leads]
        return Reference((chosen[0].id,), score=0.95) if chosen else None
    if low in {"he", "him", "she", "her"}:
        people = [e for e in [*spoken, *leads, *scene.cast] if is_person(e)]
        fitting = [e for e in people if subject_kind(e.noun) in {_PERSONAL[low], "person"}]
        others = [e for e in leads if is_singular(e)]
        chosen = fitting or people or others
        if not chosen:
            return None
        if not is_singular(chosen[0]):
            return Reference((chosen[0].id,), part=context.part or "one", score=0.85)
        is_animal = subject_kind(chosen[0].noun) in ANIMATE
        return Reference((chosen[0].id,), score=0.95 if fitting else 0.94 if is_animal else 0.85)
    if low in _ALL or re.fullmatch(r"all (?:\w+ )?of (?:them|these|those)", low):
        if (
            low in {"they", "them"}
            and spoken
            and (is_person(spoken[0]) or not is_singular(spoken[0]))
        ):
            return Reference((spoken[0].id,), part=context.part, score=0.95)
        several = [e for e in [*spoken, *leads] if not is_singular(e)]
        if not several and len(leads) == 1:
            several = [e for e in scene.cast if not is_singular(e)]
        if several and low not in {"everyone", "everybody", "both", "both of them"}:
            return Reference((several[0].id,), score=0.95)
        chosen = [e for e in leads if is_person(e)] or list(leads)
        return Reference(tuple(e.id for e in chosen), score=0.9) if chosen else None
    return None


def _part_of(low: str, context: Context) -> Reference | None:
    found = _PART.fullmatch(low)
    if found is None:
        return None
    group = [e for e in context.scene.cast if not is_singular(e) and (e.count or 2) >= 2]
    words = low.split()
    ordinal = next((_ORDINALS[w] for w in words if w in _ORDINALS), None)
    core = [w for w in words if w != "the"]
    noun = lemma(core[1], "NOUN") if len(core) == 2 and len(words) <= 3 else ""
    if "from" in core[2:]:
        noun = lemma(core[1], "NOUN")
    elif words[-2:-1] == ["the"] and len(core) > 2:
        noun = lemma(core[0], "NOUN")
    same = [
        e for e in context.leads() if is_singular(e) and (noun in {"", "one"} or _match(noun, e))
    ]
    if ordinal is not None and len(same) > 1 and -len(same) <= ordinal < len(same):
        return Reference((same[ordinal].id,), score=0.95)
    if low.startswith(("both of", "all of", "each of")):
        return _pronoun("both", context)
    focused = sorted(group, key=lambda e: (_rank(e, context), not e.is_lead))
    named = [e for e in focused if noun in {"", "one", "other"} or _match(noun, e)]
    if named:
        part = re.sub(r"^(?:only|just)\s+", "", re.sub(r"\s+of .*", "", low))
        part = re.sub(r"^(one|two|three|both|some|each|all) \w+$", r"\1", part)
        return Reference((named[0].id,), part=part, score=0.95)
    return None


def _owned(low: str, context: Context) -> Reference | None:
    found = _POSSESSIVE.fullmatch(low)
    if found is None:
        return None
    owner = found["owner"]
    thing = found["thing"]
    for entity in context.scene.cast if owner in {"his", "her", "its", "their"} else ():
        if _match(thing, entity) >= 0.9:
            return Reference((entity.id,), score=0.95)
    subject = {"his": "he", "her": "she", "its": "it", "their": "they"}.get(
        owner, re.sub(r"'s$|(?<=s)'$", "", owner)
    )
    whose = _animate_it(context) if subject == "it" else None
    whose = whose or refer(subject, context)
    if whose is None or not whose.ids:
        return None
    parsed = noun_phrase(thing)
    if parsed is None and thing.split()[-1] not in words_of("nouns", "belongings"):
        return None
    return Reference(whose.ids, part=whose.part, belonging=thing, score=0.9)


def _animate_it(context: Context) -> Reference | None:
    """Return the first lead as the owner of "its"."""
    leads = context.leads()
    return Reference((leads[0].id,)) if leads else None


def _belonging(low: str, context: Context) -> Reference | None:
    """Return a part of the lead named with "the" alone: "the hair", "the doors"."""
    bare = re.sub(r"^the\s+", "", low)
    leads = context.leads()
    if leads and bare in words_of("nouns", "belongings"):
        return Reference((leads[0].id,), belonging=bare, score=0.8)
    return None


@lru_cache(maxsize=4_096)
def _match_words(low: str, phrase: str, noun: str, looks: str, position: str) -> float:
    """Return the confidence, 0 to 1, that ``low`` names an entity with these words."""
    words = [w for w in low.split() if w not in determiners()]
    if not words:
        return 0.0
    text = " ".join(words)
    if low.startswith("one ") and lemma(words[-1], "NOUN") != noun:
        return 0.0
    if text == phrase.lower():
        return 1.0
    head = lemma(words[-1], "NOUN")
    own = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", phrase.lower())}
    front = re.split(r"\s(?:full )?of\s", phrase.lower(), maxsplit=1)[0]
    if noun in {lemma(w, "NOUN") for w in front.split()}:
        own = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", front)}
    said = {lemma(w, "NOUN") for w in words}
    describing = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", f"{looks} {position}".lower())}
    if noun and head == noun:
        extra = {w for w in words if lemma(w, "NOUN") not in own | describing}
        if not extra:
            return 1.0 if len(words) == 1 or said & (own | describing) - {noun} else 0.95
        if all(aspect_of(w) is not None for w in extra):
            return 0.0 if looks and not said & describing else 0.7
        return 0.0
    if position and words[0] in {"man", "woman", "one", "guy", "dog", "person", noun}:
        where = re.sub(r"^\S+\s+", "", text)
        if where and where in position.lower():
            return 0.97
    if len(words) == 1 and head in own:
        return 0.85
    if (
        len(words) == 1 and len(text) > 3 and noun.startswith(text) and not is_known_noun(text)
    ):  # "octo" for the octopus
        return 0.85
    if len(words) == 1 and head in str(data("words")["synonyms"].get(noun, "")).split():
        return 0.9
    if said <= own:
        return 0.9
    return 0.0


def _match(low: str, entity: Entity) -> float:
    looks = " ".join(look.text for look in entity.looks)
    return _match_words(low, entity.phrase, entity.noun, looks, entity.position)


def _of_kind(low: str, context: Context) -> Reference | None:
    words = [w for w in low.split() if w not in determiners()]
    if len(words) != 1 or low.startswith(("a ", "an ", "another ", "some ")):
        return None
    for entity in _by_focus(context):
        kind = entity.kind.value if entity.kind is not EntityKind.OTHER else _kind_of(entity)
        if words[0] in str(data("words")["kinds"].get(kind, "")).split():
            if kind == "person" and not _same_gender(words[0], entity.noun):
                continue
            return Reference((entity.id,), score=0.85)
    return None


def _same_gender(word: str, noun: str) -> bool:
    asked, own = subject_kind(word), subject_kind(noun)
    return asked == own or "person" in {asked, own} or asked is None or own is None


def _kind_of(entity: Entity) -> str:
    kind = subject_kind(entity.noun)
    return {
        "man": "person", "woman": "person", "mammal": "animal", "bird": "animal",
        "aquatic": "animal", "crawler": "animal", "watercraft": "vehicle", "aircraft": "vehicle",
        "building": "structure",
    }.get(kind or "", kind or "")  # fmt: skip


def _by_focus(context: Context) -> Iterator[Entity]:
    yield from sorted(context.scene.cast, key=lambda e: (_rank(e, context), not e.is_lead))


def _in_text(low: str, context: Context) -> Reference | None:
    """Return a thing that only the text of the prompt names."""
    words = [w for w in low.split() if w not in determiners()]
    if len(words) != 1 or not is_known_noun(words[0]) or words[0] in words_of("misc", "unseen"):
        return None
    want = lemma(words[0], "NOUN")
    if any(lemma(w.lower(), "NOUN") == want for w in re.findall(r"[\w'-]+", context.prompt)):
        return Reference(field="text", noun=words[0], score=0.85)
    return None


def _in_field(low: str, context: Context) -> Reference | None:
    """Return a thing named in the setting or a detail, such as "the road" in "a wet road"."""
    scene = context.scene
    words = [w for w in low.split() if w not in determiners()]
    want = {lemma(w, "NOUN") for w in words}
    if not want or all(w in english("function_words") for w in words):
        return None
    held: Sequence[tuple[str, str]] = [
        ("setting", scene.setting),
        *(("details", d) for d in scene.details),
    ]
    for name, text in held:
        have = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", text.lower())}
        if want <= have and not want <= word_list("colors"):
            return Reference(field=name, noun=" ".join(words), score=0.85)
    return None
