"""The cast of a scene and what happens in it: entities with looks, and beats in order.

Also turns the flat fields ``subject``, ``subject_details`` and ``action`` into these and back.
Knows no grammar: a flat subject is split only at its own "and".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

__all__ = [
    "Aspect",
    "Beat",
    "Entity",
    "EntityKind",
    "Look",
    "When",
    "action_of",
    "beats_from",
    "details_of",
    "leads_from",
    "moments",
    "next_id",
    "numeral",
    "subject_of",
    "with_details",
]


class EntityKind(StrEnum):
    """The kind of an entity; decides whether it can act, wear clothes or be recoloured."""

    PERSON = "person"
    ANIMAL = "animal"
    ROBOT = "robot"
    VEHICLE = "vehicle"
    BODY_PART = "body_part"
    FOOD = "food"
    PLANT = "plant"
    OBJECT = "object"
    STRUCTURE = "structure"
    CROWD = "crowd"
    PHENOMENON = "phenomenon"
    TEXT = "text"
    OTHER = "other"


class Aspect(StrEnum):
    """The aspect of an entity that a look describes."""

    COLOUR = "colour"
    MATERIAL = "material"
    CLOTHING = "clothing"
    STATE = "state"
    AGE = "age"
    BUILD = "build"
    OTHER = "other"


class When(StrEnum):
    """When a beat happens relative to the beat before it."""

    TOGETHER = ""
    """At the same time, or the first beat."""
    WHILE = "while"
    """At the same time, explicitly."""
    THEN = "then"
    """After it has ended."""
    FINALLY = "finally"
    """After it has ended, as the last."""


@dataclass(frozen=True, slots=True)
class Look:
    """One stated look of an entity: "brown", "in a yellow raincoat"."""

    aspect: Aspect
    text: str
    place: Literal["before", "after"] = "before"
    """Whether it stands before or after the noun."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A person, animal or thing in the scene."""

    id: str
    """Stable within a session, such as "e1"."""
    phrase: str
    """The noun phrase without article, number and looks: "golden retrievers"."""
    noun: str = ""
    """The head's lemma: "retriever"."""
    count: int | None = 1
    """How many; None for an unstated plural or a mass such as water."""
    kind: EntityKind = EntityKind.OTHER
    looks: tuple[Look, ...] = ()
    position: str = ""
    """Where it is in the picture, with its preposition: "on the left", "behind them"."""
    determiner: str = ""
    """The article or number as stated: "a", "the", "two", "her"; empty for none."""
    is_lead: bool = False
    """Whether it is a main subject: leads make up ``Scene.subject``."""

    @property
    def name(self) -> str:
        """The noun phrase with its article or number and preceding looks: "two brown dogs"."""
        before = [look.text for look in self.looks if look.place == "before"]
        words = " ".join([*before, self.phrase]).strip()
        determiner = self.determiner
        if determiner.lower() in {"a", "an"} and words:
            one = "an" if _begins_with_vowel(words) else "a"
            determiner = one.capitalize() if determiner[0].isupper() else one
        return f"{determiner} {words}".strip()

    @property
    def details(self) -> str:
        """The looks after the noun: "in a yellow raincoat, holding an umbrella"."""
        return ", ".join(look.text for look in self.looks if look.place == "after")

    @property
    def text(self) -> str:
        """The whole phrase: "a man in a yellow raincoat on the left"."""
        return " ".join(part for part in (self.name, self.details, self.position) if part)

    def look(self, aspect: Aspect) -> str:
        """Return the stated ``aspect``; empty if it is not stated."""
        return ", ".join(look.text for look in self.looks if look.aspect is aspect)

    def with_look(
        self, aspect: Aspect, text: str, *, place: Literal["before", "after"] = "before"
    ) -> Entity:
        """Return this entity with ``text`` as its only look of ``aspect``; empty removes it."""
        new = [Look(aspect, text, place)] if text else []
        at = next((i for i, look in enumerate(self.looks) if look.aspect is aspect), None)
        kept = [look for look in self.looks if look.aspect is not aspect]
        if at is None:
            return replace(self, looks=(*kept, *new))
        at = sum(look.aspect is not aspect for look in self.looks[:at])
        return replace(self, looks=(*kept[:at], *new, *kept[at:]))


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens."""

    id: str
    """Stable within a session, such as "b1"."""
    text: str
    """What is done, beginning with the verb's -ing form: "cracking eggs into a bowl"."""
    actor: str = ""
    """The id of the entity that does it; empty if none is named."""
    targets: tuple[str, ...] = ()
    """The ids of the entities that it is done to or with."""
    when: When = When.TOGETHER
    part: str = ""
    """Which member of a plural actor does it: "one", "the other"; empty for all of them."""
    told: str = ""
    """The prompt's sentence about it, in the user's words; empty if written from the fields."""


def moments(beats: Iterable[Beat]) -> tuple[tuple[Beat, ...], ...]:
    """Return the beats in groups: simultaneous within a group, one group after another."""
    groups: list[list[Beat]] = []
    for beat in beats:
        if not groups or beat.when in {When.THEN, When.FINALLY}:
            groups.append([])
        groups[-1].append(beat)
    return tuple(tuple(group) for group in groups)


def next_id(prefix: str, taken: Iterable[str]) -> str:
    """Return the first free id after all of ``taken``: "e3" after "e1" and "e2"."""
    numbers = [int(one[1:]) for one in taken if one.startswith(prefix) and one[1:].isdigit()]
    return f"{prefix}{max(numbers, default=0) + 1}"


_NUMERALS: Final = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_ONE: Final = frozenset({"a", "an", "the", "one", "this", "that", "another", "each", "every"})
_OWNED: Final = frozenset({"my", "your", "his", "her", "its", "our", "their"})
_SOME: Final = frozenset({"some", "several", "many", "few", "these", "those"})
_DETERMINERS: Final = _ONE | _OWNED | _SOME | frozenset(_NUMERALS[2:])
_AND: Final = re.compile(
    r"(?:,\s*(?:and\s+)?|\s+and\s+)(?=(?:an?|the|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|several|some|his|her|its|their|my|\d+)\s)",
    re.IGNORECASE,
)


def numeral(count: int) -> str:
    """Return ``count`` as written in a sentence: "three", "25"."""
    return _NUMERALS[count] if 0 <= count < len(_NUMERALS) else str(count)


def subject_of(cast: Sequence[Entity]) -> str:
    """Return the leads as one phrase: "a man and two dogs"."""
    names = [entity.name for entity in cast if entity.is_lead and entity.name]
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def details_of(cast: Sequence[Entity]) -> str:
    """Return the leads' looks, each with its name unless it is the first with looks."""
    leads = [entity for entity in cast if entity.is_lead and entity.details]
    return "; ".join(
        entity.details if not number else f"the {entity.noun or entity.phrase} {entity.details}"
        for number, entity in enumerate(leads)
    )


def leads_from(subject: str, before: Sequence[Entity]) -> tuple[Entity, ...]:
    """Return ``before`` with the entities that ``subject`` names as its leads.

    The first lead keeps its id, its kind if its noun stays, and the looks after the noun.
    """
    leads = [entity for entity in before if entity.is_lead]
    others = [entity for entity in before if not entity.is_lead]
    taken = [entity.id for entity in before]
    made: list[Entity] = []
    for number, name in enumerate(_AND.split(subject) if subject else ()):
        entity = _entity(name)
        if number < len(leads):
            old = leads[number]
            looks = tuple(look for look in old.looks if look.place == "after")
            kind = old.kind if old.noun == entity.noun else EntityKind.OTHER
            entity = replace(entity, id=old.id, looks=looks, position=old.position, kind=kind)
        else:
            entity = replace(entity, id=next_id("e", [*taken, *(e.id for e in made)]))
        made.append(entity)
    if not made and leads and leads[0].details:
        looks = tuple(look for look in leads[0].looks if look.place == "after")
        made = [replace(leads[0], phrase="", noun="", determiner="", looks=looks)]
    return (*made, *others)


def with_details(details: str, before: Sequence[Entity]) -> tuple[Entity, ...]:
    """Return ``before`` with ``details`` as everything stated after the first lead."""
    looks = tuple(Look(Aspect.OTHER, part, "after") for part in _parts(details))
    cast = list(before)
    if looks and not any(entity.is_lead for entity in cast):
        cast.insert(0, Entity(next_id("e", [e.id for e in cast]), "", is_lead=True))
    is_first = True
    for at, entity in enumerate(cast):
        if entity.is_lead:
            own = tuple(look for look in entity.looks if look.place == "before")
            cast[at] = replace(entity, looks=(*own, *looks) if is_first else own)
            is_first = False
    return tuple(e for e in cast if e.phrase or e.looks)


def action_of(cast: Sequence[Entity], beats: Sequence[Beat]) -> str:
    """Return all that happens as one phrase: "bowing, then the robot copying him"."""
    named = {entity.id: entity.name for entity in cast}
    leads = [entity.id for entity in cast if entity.is_lead]
    written = ""
    doer = leads[0] if leads else ""
    part = ""
    for beat in beats:
        is_same = beat.actor in {doer, ""} and beat.part == part
        is_all = not written and beat.actor in leads
        who = (
            "" if (is_same or is_all) and not beat.part else beat.part or named.get(beat.actor, "")
        )
        text = f"{who} {beat.text}".strip()
        if not written:
            written = text
        elif beat.when in {When.THEN, When.FINALLY}:
            written += f", {beat.when} {text}"
        elif beat.when is When.WHILE:
            written += f" while {text}"
        else:
            written += f", {text}" if who else f" and {text}"
        doer, part = beat.actor or doer, beat.part
    return written


def beats_from(action: str, cast: Sequence[Entity]) -> tuple[Beat, ...]:
    """Return ``action`` as one beat of the first lead; none for an empty text."""
    lead = next((entity.id for entity in cast if entity.is_lead), "")
    return (Beat("b1", action, lead),) if action else ()


def _entity(name: str) -> Entity:
    first, _, rest = name.partition(" ")
    low = first.lower()
    if not rest or not (low in _DETERMINERS or first.isdigit()):
        return Entity(
            "e1", name, _head(name), None if _head(name) != _last(name) else 1, is_lead=True
        )
    count: int | None = 1
    if first.isdigit():
        count = int(first)
    elif low in _NUMERALS[2:]:
        count = _NUMERALS.index(low)
    elif low in _SOME or (low not in _ONE - {"the"} and _head(rest) != _last(rest)):
        count = None
    return Entity("e1", rest, _head(rest), count, determiner=first, is_lead=True)


def _last(phrase: str) -> str:
    words = re.split(r"\s+(?:of|with|in|on|at|from|who|that)\s+", phrase)[0].split()
    return words[-1].lower() if words else ""


def _head(phrase: str) -> str:
    last = _last(phrase)
    if last.endswith("ies") and len(last) > 4:
        return f"{last[:-3]}y"
    return last[:-1] if last.endswith("s") and not last.endswith(("ss", "us", "is")) else last


def _parts(text: str) -> Iterator[str]:
    yield from (part for part in text.split(", ") if part)


def _begins_with_vowel(words: str) -> bool:
    low = words.lower()
    if re.match(r"(?:uni[^n]|use|usu|euro|one\b|ewe|u-)", low):
        return False
    return low[:1] in set("aeiou") or bool(re.match(r"(?:hour|honest|heir|8|11\b|18\b)", low))
