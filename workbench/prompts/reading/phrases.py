"""Noun phrases in tagged words: head, count, kind and looks. Knows nothing of clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final

from workbench.lexicon.datafiles import english, load
from workbench.lexicon.morphology import is_plural, lemma, lemmas
from workbench.lexicon.tagging import Token, verb_classes
from workbench.lexicon.terms import place_named, subject_kind, word_list
from workbench.scene import Aspect, EntityKind, Look

__all__ = ["MOUNTED", "NounPhrase", "aspect_of", "kind_of", "noun_phrase_at", "takes_article"]

_COUNTS: Final = {
    "one": 1, "two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_TRADES: Final = ("ist", "ian", "man", "woman", "smith", "wright", "herd")


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """The tokens ``first`` to ``last`` (exclusive) as one noun phrase."""

    first: int
    last: int
    head: int
    """Token index of the head noun."""
    determiner: str
    count: int | None
    looks: tuple[Look, ...]
    phrase: str
    """The text without determiner and looks; includes "of …"."""
    noun: str
    """The head's lemma; the lemma of "horses" in "a group of horses"."""
    kind: EntityKind
    core: int
    """Token index of the first word after the determiner."""
    is_pronoun: bool = False
    inner: NounPhrase | None = None
    """The noun phrase after "of"."""

    @property
    def is_plural(self) -> bool:
        """Whether a verb after it takes the plural form."""
        return self.count != 1 and (self.count is not None or self.kind is not EntityKind.OTHER)


def noun_phrase_at(tokens: Sequence[Token], at: int, end: int) -> NounPhrase | None:
    """Return the noun phrase that begins at the word ``at`` and ends before ``end``, or None."""
    first = at
    if at < end and tokens[at].tag == "O" and not _counts(tokens, at, end):
        return _pronoun(tokens, at)
    if at < end and tokens[at].tag == "Q":
        text = tokens[at].text
        return NounPhrase(at, at + 1, at, "", 1, (), text, "", EntityKind.TEXT, at)
    while (
        at < end and tokens[at].tag in {"R", "D"} and tokens[at].low in english("before_a_number")
    ):
        at += 1
    determiners = at
    while at < end and (
        tokens[at].tag == "D"
        or _counts(tokens, at, end)
        or (at > determiners and tokens[at].low == "ever")
    ):
        at += 1
    core = at
    if at > determiners and at < end and tokens[at].tag == "O":
        return _part(tokens, determiners, at + 1)
    if at > determiners and at < end and tokens[at].low == "of":
        inner = noun_phrase_at(tokens, at + 1, end)
        if inner is not None and not inner.is_pronoun:
            part = _part(tokens, determiners, inner.last)
            return replace(part, first=first, kind=inner.kind, inner=inner)
    if at > determiners and _is_part(tokens, at, end):
        return _part(tokens, determiners, at)
    head = _head(tokens, at, end, is_determined=at > determiners)
    if head is None:
        if at == determiners + 1 and tokens[determiners].low in {
            "one",
            "all",
            "both",
            "two",
            "three",
        }:
            return _part(tokens, determiners, at)
        return None
    last = head + 1
    inner = None
    if last < end and tokens[last].low == "of":
        inner = noun_phrase_at(tokens, last + 1, end)
        if inner is not None:
            last = inner.last
    return _made(tokens, (first, determiners, core, head, last), inner)


def _counts(tokens: Sequence[Token], at: int, end: int) -> bool:
    """Tell whether a pronoun counts what follows: "one of the cats"."""
    low = tokens[at].low
    return (
        low in {"one", "each", "another", "others"} and at + 1 < end and tokens[at + 1].low == "of"
    )


def _pronoun(tokens: Sequence[Token], at: int) -> NounPhrase:
    low = tokens[at].low
    count = None if low in {"they", "them", "we", "us", "everyone", "everybody", "others"} else 1
    kind = EntityKind.OTHER
    if low in {
        "someone",
        "somebody",
        "everyone",
        "everybody",
        "nobody",
        "he",
        "she",
        "him",
        "i",
        "me",
    }:
        kind = EntityKind.PERSON
    return NounPhrase(
        at, at + 1, at, "", count, (), tokens[at].text, low, kind, at, is_pronoun=True
    )


def _is_part(tokens: Sequence[Token], at: int, end: int) -> bool:
    """Tell whether a determiner before ``at`` stands alone: "the other cracks eggs"."""
    return tokens[at - 1].low in {"other", "one"} and (at >= end or tokens[at].tag in "VXRG.")


def _part(tokens: Sequence[Token], first: int, last: int) -> NounPhrase:
    text = " ".join(token.text for token in tokens[first:last])
    count = None if tokens[last - 1].low in {"all", "both", "two", "three"} else 1
    return NounPhrase(
        first, last, last - 1, "", count, (), text, text.lower(), EntityKind.OTHER, first,
        is_pronoun=True,
    )  # fmt: skip


def _head(tokens: Sequence[Token], at: int, end: int, *, is_determined: bool) -> int | None:
    """Return the index of the head noun of the phrase whose determiners end at ``at``."""
    head = None
    has_modifier = is_determined
    while at < end:
        tag = tokens[at].tag
        following = tokens[at + 1].tag if at + 1 < end else "."
        if tag == "N":
            head = at
        elif head is not None and tag in "AD":
            if tag == "D" or following != "N":
                break
        elif head is not None and tag not in "GP":
            break
        elif tag in "GP":
            attributive = following in "NA" and (has_modifier or _describes(tokens, at))
            if head is not None or not attributive:
                break
        elif tag == "C":
            if not (following in "AP" and head is None and has_modifier):
                break
        elif tag == "R":
            if following not in "AP" and tokens[at].low != "ever":
                break
        elif tag == "D":
            pass
        elif tag == ".":
            if not (tokens[at].text == "," and following == "A" and head is None and has_modifier):
                break
        elif tag != "A":
            break
        has_modifier = has_modifier or tag in "AP"
        at += 1
    return head


def _describes(tokens: Sequence[Token], at: int) -> bool:
    low = tokens[at].low
    return (
        low in word_list("describing") or tokens[at].tag == "P" or low in word_list("compound_ing")
    )


def _made(
    tokens: Sequence[Token], places: tuple[int, int, int, int, int], inner: NounPhrase | None
) -> NounPhrase:
    first, determiners, core, head, last = places
    determiner = " ".join(t.text for t in tokens[determiners:core])
    start, looks = _looks(tokens, core, head)
    words = tokens[start:last]
    phrase = _text(words)
    head_low = tokens[head].low
    noun = lemma(head_low, "NOUN")
    counted = inner is not None and noun in word_list("quantity")
    own = inner if counted and inner is not None else None
    return NounPhrase(
        first,
        last,
        head,
        determiner,
        None if own else _count(determiner, head_low),
        looks,
        phrase,
        own.noun if own else noun,
        own.kind if own else _kind(tokens, core, head),
        core,
        inner=inner,
    )


def _text(words: Sequence[Token]) -> str:
    text = ""
    end = words[0].start if words else 0
    for word in words:
        text += (" " if word.start > end else "") + word.text
        end = word.end
    return text


def _looks(tokens: Sequence[Token], core: int, head: int) -> tuple[int, tuple[Look, ...]]:
    """Return the index after the leading looks, and these looks."""
    looks: list[Look] = []
    at = core
    while at < head:
        low = tokens[at].low
        aspect = aspect_of(low)
        if f"{low} {tokens[at + 1].low}" in _pairs() or tokens[at].text[0].isupper():
            break
        if aspect is None and tokens[at].tag not in "AP":
            break
        if aspect in {None, Aspect.MATERIAL} and tokens[at].tag == "N" and aspect is None:
            break
        looks.append(Look(aspect or Aspect.OTHER, tokens[at].text))
        at += 1
        while at < head and tokens[at].tag in ".C":
            at += 1
    return at, tuple(looks)


def _count(determiner: str, head: str) -> int | None:
    words = determiner.lower().split()
    for word in words:
        if word in _COUNTS:
            return _COUNTS[word]
        if word.isdigit():
            return int(word)
        if word in english("indefinite_many") or word == "no":
            return None
    if is_plural(head) or (not words and head in _mass()):
        return None
    return 1


@cache
def _pairs() -> frozenset[str]:
    return frozenset(load("aspects")["names"]["pairs"].split("|"))


@cache
def _aspects() -> Mapping[str, Aspect]:
    found: dict[str, Aspect] = {}
    for name, words in load("aspects")["looks"].items():
        for word in words.split():
            found.setdefault(word, Aspect(name))
    return found


def aspect_of(word: str) -> Aspect | None:
    """Return the aspect of looks that ``word`` describes, or None."""
    return _aspects().get(word.lower())


@cache
def _mass() -> frozenset[str]:
    return frozenset(load("aspects")["mass"]["words"].split()) | word_list("mass")


@cache
def _kinds() -> Mapping[str, EntityKind]:
    table = load("aspects")["kinds"]
    return {own: EntityKind(kind) for kind, names in table.items() for own in names.split()}


@cache
def _special() -> Mapping[str, EntityKind]:
    table = load("aspects")["nouns"]
    return {
        word: EntityKind(kind)
        for kind, words in table.items()
        if kind in {str(one) for one in EntityKind}
        for word in words.split()
    }


def _kind(tokens: Sequence[Token], core: int, head: int) -> EntityKind:
    """Return the kind of entity the words name; a robot's arm counts as a robot."""
    before = {token.low for token in tokens[core:head]}
    if tokens[head].low in english("limbs_of_robots") and before & english("robotic"):
        return EntityKind.ROBOT
    kind = kind_of(tokens[head].low, tokens[head].text)
    is_name = head > core and f"{tokens[head - 1].low} {tokens[head].low}" in _pairs()
    return EntityKind.OTHER if is_name and kind is EntityKind.PERSON else kind


@lru_cache(maxsize=4_096)
def kind_of(noun: str, written: str = "") -> EntityKind:
    """Return the kind of entity that ``noun`` (singular or plural) names."""
    low = noun.lower()
    if special := _special().get(low):
        return special
    if low in {"drone", "quadcopter"}:
        return EntityKind.ROBOT
    if kind := subject_kind(low):
        return _kinds().get(kind, EntityKind.OTHER)
    if place_named(low):
        return EntityKind.STRUCTURE
    single = lemma(low, "NOUN")
    if single.endswith(("er", "or")) and _acts(single[:-2]):
        return EntityKind.PERSON
    is_name = written[:1].isupper() and not lemmas(low)
    if is_name or (len(single) > 5 and single.endswith(_TRADES) and "VERB" not in lemmas(single)):
        return EntityKind.PERSON if not is_name else EntityKind.OTHER
    return EntityKind.OTHER


def _acts(stem: str) -> bool:
    """Tell whether the agent noun of ``stem`` names a person: jamm(er), danc(er), not dry(er)."""
    stems = (stem, f"{stem}e", stem[:-1] if stem[-1:] == stem[-2:-1] else stem)
    return any(verb_classes(one) & {"travel", "dance", "fight", "face", "look"} for one in stems)


_DETERMINING: Final = frozenset({"whose", "what", "which", "as"})
"""Words that exclude an article after them: "whose shadow", "as long as"."""
_FIXED: Final = frozenset({("exploded", "view")})


MOUNTED: Final = frozenset(
    ["overhead", "front", "rear", "side", "facing", "static", "fixed", "top", "ceiling", "hidden", "security", "wrist",
     "chest", "helmet", "body", "dash", "trail", "underwater", "handheld", "still", "web"]
)  # fmt: skip
"""Modifiers of "camera" that need no article: "static overhead camera"."""


def takes_article(tokens: Sequence[Token], phrase: NounPhrase, *, is_singular: bool) -> bool:
    """Tell whether the phrase lacks an article that it needs.

    ``is_singular`` means that a verb after it is in the singular, which is the only evidence for
    nouns that the lexicon does not know.
    """
    head = tokens[phrase.head]
    if phrase.determiner or phrase.is_pronoun or phrase.kind is EntityKind.TEXT:
        return False
    before = tokens[phrase.first - 1].low if phrase.first else ""
    after = [t.low for t in tokens[phrase.head + 1 : phrase.head + 3]]
    if before in _DETERMINING or (before, head.low) in _FIXED:
        return False
    if after[:1] == ["but"] and after[1:] in (["with"], ["without"]):
        return False  # "domino but with fridges" names a type of thing
    if (head.low == "camera" and before in MOUNTED) or (len(head.text) > 1 and head.text.isupper()):
        return False
    own = lemma(head.low, "NOUN")
    is_measure = phrase.head + 1 < len(tokens) and tokens[phrase.head + 1].low == "of"
    if (head.low in _mass() and not (is_measure and is_singular)) or (
        is_plural(head.low) and not is_singular
    ):
        return False
    if phrase.kind is EntityKind.BODY_PART:
        return not is_plural(head.low) and head.low != "hair"
    first = tokens[phrase.core].text
    is_name = first[0].isupper() and not first.isupper()
    if is_name and phrase.core:
        return False
    if is_name and not lemmas(tokens[phrase.core].low):
        return False
    if own in word_list("proper") or own in english("plural_only") or head.low.endswith("ing"):
        return own in english("same_in_plural") and is_singular
    known = subject_kind(head.low) or place_named(head.low)
    return bool(known) or is_singular or head.low in english("countable")
