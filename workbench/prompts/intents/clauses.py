"""Noun phrases, events and verb phrases in a request. Knows grammar, nothing of scenes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from workbench.prompts.intents.words import (
    aspect_of,
    determiners,
    inflect,
    is_adjective,
    is_known,
    is_known_noun,
    is_noun,
    is_plural,
    is_verb,
    lemma,
    lemmas,
    number_in,
    place_named,
    progressive,
    subject_kind,
    word_list,
    words_of,
)
from workbench.scene import Aspect, Look, When

__all__ = ["Event", "NounPhrase", "noun_phrase", "noun_phrases", "verb_phrase"]

_MOST_CORE_WORDS: Final = 6
_WHERE: Final = (
    r"(?:(?:in|on|at|to|from|near|by|behind|beside|besides|next to|in front of|above|below|under|"
    r"underneath|over|across|around|between|among|along|inside|outside|through|against|atop|"
    r"on top of|close to|opposite|beyond|off)\s+.+|ahead|nearby|overhead|outside|behind|everywhere|around|underneath|below|above)"
)
_AFTER_NOUN: Final = re.compile(
    rf"\s+(?:(?P<where>{_WHERE})|(?P<with>(?:with|wearing|in|dressed in|holding|carrying|made of|full of|covered in|covered with)\s+.+))\Z",
    re.IGNORECASE,
)
_RELATIVE: Final = re.compile(r"\s+(?:that|who|which)\s+(?:is\s+|are\s+)?(?=\w)", re.IGNORECASE)
_AUX: Final = frozenset(["is", "are", "was", "were", "'s", "'re", "am"])


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """One noun phrase of a request."""

    text: str
    phrase: str
    """Without determiner, number and looks."""
    noun: str
    """The head's lemma."""
    count: int | None = 1
    determiner: str = ""
    looks: tuple[Look, ...] = ()
    position: str = ""
    doing: str = ""
    score: float = 1.0

    @property
    def is_plural(self) -> bool:
        """Whether a verb after it takes the plural form."""
        return self.count != 1 and (self.count is not None or is_plural(self.phrase.split()[-1]))


@dataclass(frozen=True, slots=True)
class Event:
    """An actor and what it does."""

    actor: str
    """The words that name the actor."""
    doing: str
    """In the -ing form."""
    when: When = When.TOGETHER
    score: float = 1.0
    named: float = 1.0
    """Confidence that the actor's words name an entity."""
    must: bool = False
    """Whether the request says "should", which replaces the current action."""


@lru_cache(maxsize=2_048)
def noun_phrase(text: str) -> NounPhrase | None:
    """Return ``text`` as one noun phrase; None if it is not one or has a finite verb."""
    words = text.strip(" .,!?").split()
    if not words or len(words) > 14:
        return None
    first = words[0].lower()
    if first in words_of("misc", "never_first"):
        return None
    if first in words_of("misc", "pronouns") and (len(words) == 1 or first not in determiners()):
        return None
    determiner, count, core = _determined(words)
    if not core:
        return None
    end = _core_end(core)
    rest = " ".join(core[end:])
    core = core[:end]
    if not core or len(core) > _MOST_CORE_WORDS or _is_listed(core):
        return None
    score = _core_score(core, determiner)
    if not score:
        return None
    looks, phrase = _without_looks(core)
    head = phrase.split(" of ")[0].split()[-1].lower()
    if count == 1 and (is_plural(head) or determiner.lower() in {"some", "several", "many", "few"}):
        count = None
    if determiner == "" and head in word_list("mass"):
        count = None
    position, after, doing = _rest_of(rest)
    if rest and not (position or after or doing):
        return None
    return NounPhrase(
        text=" ".join(words),
        phrase=phrase,
        noun=lemma(head, "NOUN"),
        count=count,
        determiner=determiner,
        looks=(*looks, *after),
        position=position,
        doing=doing,
        score=score,
    )


def noun_phrases(text: str) -> tuple[NounPhrase, ...]:
    """Return the noun phrases of ``text``, which may be a list: "a dog and two cats"."""
    whole = noun_phrase(text)
    parts = [p for p in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+plus\s+", text) if p.strip()]
    if len(parts) > 1:
        found = [noun_phrase(part) for part in parts]
        if all(found):
            return tuple(one for one in found if one is not None)
    return (whole,) if whole is not None else ()


def _determined(words: Sequence[str]) -> tuple[str, int | None, list[str]]:
    """Return determiner, count and the rest of a noun phrase."""
    low = [w.lower() for w in words]
    for lead, number in (("a couple of", 2), ("a few", None), ("a lot of", None), ("lots of", None),
                         ("a bunch of", None), ("a dozen", 12), ("a pair of", 2), ("some more", None)):  # fmt: skip
        size = len(lead.split())
        if " ".join(low[:size]) == lead and len(words) > size:
            return ("two" if number == 2 else "several" if number is None else lead, number,
                    list(words[size:]))  # fmt: skip
    number = number_in(low[0])
    if number is not None and len(words) > 1:
        return words[0], number, list(words[1:])
    if low[0] in determiners() and len(words) > 1:
        return words[0], 1, list(words[1:])
    return "", 1, list(words)


def _core_end(words: Sequence[str]) -> int:
    """Return the index after the head noun."""
    for i, word in enumerate(words):
        low = word.lower().strip(",")
        if i == 0:
            continue
        if low == "of" and i + 1 < len(words):
            continue
        following = words[i + 1].lower() if i + 1 < len(words) else ""
        if low in word_list("prepositions") or low in {"with", "that", "who", "which", "to"}:
            return i
        if low in {"next", "close"} and following == "to":
            return i
        if low in words_of("closed", "placed") and i == len(words) - 1:
            return i
        if low in {"wearing", "holding", "carrying", "made", "covered", "dressed", "full"}:
            return i
        if low.endswith("ing") and is_verb(low) and low not in word_list("not_acting"):
            following = words[i + 1].lower() if i + 1 < len(words) else ""
            previous = words[i - 1].lower()
            if is_known_noun(previous) and not (is_known_noun(following) and not is_verb(following)
                                                and aspect_of(previous) is not None):  # fmt: skip
                return i
    return len(words)


def _is_listed(core: Sequence[str]) -> bool:
    """Tell whether a comma (other than between adjectives) or a colon precedes the head."""
    return any(
        word.endswith(":") or (word.endswith(",") and aspect_of(word[:-1]) is None)
        for word in core[:-1]
    )


def _core_score(core: Sequence[str], determiner: str) -> float:
    """Return the confidence that the words are a noun with its modifiers; 0 if they are not."""
    lows = [w.lower().strip("'\"") for w in core]
    for i, low in enumerate(lows):
        if i and low in determiners() and lows[i - 1] != "of":
            return 0.0
        if low in words_of("misc", "pronouns") or low in _AUX or low in {"not", "no", "be"}:
            return 0.0
        if low in {"and", "or", "but", "than", "like", "as", "if"}:
            return 0.0
    head = lows[lows.index("of") - 1] if "of" in lows[1:] else lows[-1]
    if any(_finite_only(low) for low in lows):
        return 0.0
    if len(lows) > 1 and head in word_list("colors"):
        return 0.0
    if len(lows) > 1 and lows[0] in words_of("verbs", "commands") and subject_kind(lows[0]) is None:
        return 0.0
    if lows[0] in word_list("prepositions") or (head.endswith("ly") and not is_known_noun(head)):
        return 0.0
    if aspect_of(head) is not None and not is_known_noun(head):
        return 0.0
    worn = word_list("clothing") | words_of("nouns", "belongings")
    if subject_kind(head) is not None or place_named(head) is not None or head in worn:
        score = 1.0
    elif is_noun(head):
        score = 0.9 if determiner or not is_verb(head) else 0.75
    elif not is_known(head) and head.isalpha():
        score = 0.55
    elif head.isalpha() and determiner and not is_verb(head) and not is_adjective(head):
        score = 0.6
    else:
        return 0.0
    unknown = sum(not is_known(low) and not low[:1].isdigit() for low in lows[:-1])
    return score * 0.85**unknown


def _finite_only(low: str) -> bool:
    """Tell whether a word can only be a finite verb: "goes" and "takes", not "train"."""
    found = lemmas(low)
    return set(found) == {"VERB"} and not low.endswith(("ing", "ed", "en", "n", "t"))


def _without_looks(core: Sequence[str]) -> tuple[tuple[Look, ...], str]:
    """Split the leading adjectives that describe looks from the rest of the phrase."""
    looks: list[Look] = []
    at = 0
    last = core.index("of") - 1 if "of" in core[1:] else len(core) - 1
    while at < last:
        low = core[at].lower().strip(",")
        aspect = aspect_of(low)
        if aspect is None or (aspect is Aspect.OTHER and low.endswith("ing") and is_noun(low)):
            break
        if at == last - 1 and _is_compound(low, core[last].lower()):
            break
        looks.append(Look(aspect, core[at].strip(",")))
        at += 1
    return tuple(looks), " ".join(core[at:])


_COMPOUNDS: Final = re.compile(
    r"golden (?:retriever|gate)|polar bear|hot (?:dog|air)|black (?:hole|bear|belt)|white (?:house|shark)|"
    r"red (?:panda|carpet|cross)|grizzly bear|glass of|stone (?:age|wall)|metal detector|wet (?:suit|market)|"
    r"steam (?:train|engine)|ice (?:cream|cube|rink)|paper (?:plane|boat|airplane)|orange juice|snow (?:man|ball)|"
    r"brown bear|blue whale|green (?:tea|house)|high (?:school|chair)|long (?:board|bow)|flat bread|gold fish"
)


def _is_compound(first: str, head: str) -> bool:
    return bool(_COMPOUNDS.fullmatch(f"{first} {head}"))


def _rest_of(rest: str) -> tuple[str, tuple[Look, ...], str]:
    """Return the position, looks and action that follow a noun."""
    if not rest:
        return "", (), ""
    text = f" {rest}"
    relative = _RELATIVE.match(text)
    if relative:
        text = f" {text[relative.end() :]}"
    found = _AFTER_NOUN.match(text)
    if found and found["with"] and not re.match(r" in (?:the|front)\b", text):
        is_worn = not text.startswith(" in ") or bool(
            set(text.lower().split()) & word_list("clothing")
        )
        if is_worn:
            aspect = (
                Aspect.CLOTHING
                if not text.startswith((" with", " hold", " carry", " made", " full", " cover"))
                else Aspect.OTHER
            )
            return "", (Look(aspect, text.strip(), "after"),), ""
    if found and found["where"]:
        where, doing = _before_verb(found["where"].strip())
        return where, (), doing
    first = text.split(maxsplit=1)[0].lower()
    if is_verb(first) and (first.endswith("ing") or relative):
        return "", (), progressive(text.strip())
    return "", (), ""


def _before_verb(where: str) -> tuple[str, str]:
    """Split "in the background clapping along" before "clapping along"."""
    words = where.split()
    for i in range(1, len(words)):
        low = words[i].lower()
        acts = low.endswith("ing") and is_verb(low) and low not in word_list("not_acting")
        if acts and is_known_noun(words[i - 1]):
            return " ".join(words[:i]), " ".join(words[i:])
    return where, ""


@lru_cache(maxsize=2_048)
def verb_phrase(text: str) -> tuple[str, float] | None:
    """Return ``text`` as an action in the -ing form, and its confidence; None if it is not one."""
    words = text.strip(" .,!?").split()
    if not words or len(words) > 16:
        return None
    at = 0
    while at < len(words) - 1 and words[at].lower() in words_of("closed", "adverbs"):
        at += 1
    verb = words[at].lower()
    if words[at + 1 : at + 2] and words[at + 1].lower() in _AUX | {
        "should",
        "must",
        "could",
        "can",
    }:
        return None  # "storm is passing": a noun
    if not is_verb(verb) or verb in _AUX or verb in words_of("verbs", "speech"):
        return None
    if verb in words_of("closed", "no_verbs") or verb in word_list("prepositions"):
        return None
    if not verb.endswith(("ing", "s")) and aspect_of(verb) not in {None, Aspect.OTHER}:
        return None  # "low angle", "white balance": an adjective
    base = lemma(verb, "VERB")
    if base in {"be", "do"} or (
        verb != base and not verb.endswith("ing") and inflect(base, "VBZ") != verb
    ):
        return None
    if verb.endswith("ing") and verb != base:
        if verb in word_list("not_acting"):
            return None
        score = 0.95
    elif is_noun(verb) or is_adjective(verb):
        score = 0.7 if len(words) - at > 1 else 0.55
    else:
        score = 0.85
    return progressive(" ".join([*words[:at], *words[at:]])), score
