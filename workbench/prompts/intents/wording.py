"""Turns the words of a slot into values of actions: noun phrases, verb phrases, looks, times.

The parser has chosen the slot, so its words always count: what the grammar cannot read is kept.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from workbench.lexicon.morphology import inflect
from workbench.prompts.intents.clauses import NounPhrase, noun_phrase, verb_phrase
from workbench.prompts.intents.slots import looks_in
from workbench.prompts.intents.words import (
    aspect_of,
    determiners,
    is_adjective,
    is_known,
    is_known_noun,
    is_noun,
    is_plural,
    is_verb,
    lemma,
    number_in,
    progressive,
    with_article,
    word_list,
    words_of,
)
from workbench.scene import Aspect, Look, When

__all__ = ["deed", "looks_said", "moment", "named", "plain", "stated"]

_TRAILING: Final = re.compile(
    r"[\s,]+(?:please|pls|plz|instead|now|too|as well|thx|thanks|lol|haha|tho|though|ok|actually|maybe|not|but|and|sorry|again|then)\Z",
    re.IGNORECASE,
)
_LEADING: Final = re.compile(
    r"(?:(?:please|pls|just|also|now|then|and|but|like|maybe|actually|to|should|must|start(?:s|ing)? to|begins? to|"
    r"gets? to|gonna|going to|needs? to|has to|have to)\s+)+(?=\S)",
    re.IGNORECASE,
)
_NEGATED: Final = re.compile(
    r"(?:(?:do|does|did|is|are|was|were|should|can|could|will|would|must)(?:n't|nt| not)|cannot|can't|won't|wont|never|not)\s+(?:be\s+)?(?=\S)",
    re.IGNORECASE,
)
_BE: Final = re.compile(
    r"(?:is|are|was|were|be|being|gets?|becomes?|turns?|'s)\s+(?=\S)", re.IGNORECASE
)
_HAVE: Final = re.compile(r"(?:has|have|having|got|with|had|gets?)\s+(?=\S)", re.IGNORECASE)
_AFTER: Final = re.compile(
    r"(?:wearing|dressed|in|with|without|holding|carrying|made|covered|full|painted|drenched|soaked|wrapped|lit|surrounded|"
    r"filled|dripping|stained|caked|clad|sitting|standing|lying|on|under|from|of|at)\s+\S",
    re.IGNORECASE,
)
_WEAR: Final = re.compile(r"(?:wears?|to wear|has on|have on|puts? on)\s+(?=\S)", re.IGNORECASE)
_HOLD: Final = re.compile(r"(?P<verb>holds?|carries|carry|to hold)\s+(?=\S)", re.IGNORECASE)
_MOMENTS: Final = (
    (When.FINALLY, re.compile(r"(?:right |just )?(?:at|in|by) the (?:very )?(?:end|finish)|finally|at last|eventually|last|to end|in the last (?:second|moment)s?", re.IGNORECASE)),
    (When.THEN, re.compile(r"(?:and )?then|next|after(?: that|wards?)?|later|and after that", re.IGNORECASE)),
    (When.WHILE, re.compile(r"meanwhile|at the same time|while|simultaneously", re.IGNORECASE)),
)  # fmt: skip


def plain(text: str) -> str:
    """Return the words of a slot without surrounding punctuation and trailing filler words."""
    text = text.strip(' .,;:!?-"“”()')
    text = re.sub(r"\s+(?:who|which|that)\Z", "", text)
    while (found := _TRAILING.search(text)) and found.start():
        text = text[: found.start()].strip(" ,")
    return text


def named(text: str) -> NounPhrase:
    """Return ``text`` as a noun phrase; words that the grammar cannot read are kept as is."""
    text = re.sub(
        r"^(?:like|maybe|also|just|about|only|exactly|more like)\s+(?=\S)", "", plain(text)
    )
    if text.lower().removeprefix("the ") in _PLAIN_COLOURS:
        return NounPhrase(text, f"one in {text.lower().removeprefix('the ')}", "one", 1, "the")
    first, _, rest = text.partition(",")
    if rest.strip() and (known := noun_phrase(first)) is not None:
        said = [part.strip() for part in rest.split(",") if part.strip()]
        looks = [
            Look(aspect_of(part) or Aspect.OTHER, part, "before" if aspect_of(part) else "after")
            for part in said
        ]
        return replace(known, text=text, looks=(*known.looks, *looks))
    if text.lower() in words_of("closed", "kin"):
        return NounPhrase(text, text[:1].upper() + text[1:].lower(), text.lower(), 1)
    words = text.split()
    low = words[0].lower() if words else ""
    if low in _ORDINALS and len(words) > 1:
        return named(f"the {text}")
    found = noun_phrase(text)
    if found is not None:
        return found
    number = number_in(low) if len(words) > 1 else None
    determiner = words[0] if len(words) > 1 and (low in determiners() or number is not None) else ""
    core = words[1:] if determiner else words
    head = _head_at(core)
    phrase, after = core[: head + 1], core[head + 1 :]
    first = phrase[-1].lower() if phrase else ""
    count = (
        number
        if number is not None
        else None
        if is_plural(first) or low in {"some", "several"}
        else 1
    )
    made = NounPhrase(text, " ".join(phrase), lemma(first, "NOUN"), count, determiner, score=0.6)
    if not after:
        return made
    tail = " ".join(after)
    if after[0].lower().endswith("ing") and is_verb(after[0].lower()):
        return replace(made, doing=tail)
    return replace(made, looks=(Look(Aspect.OTHER, tail, "after"),))


_ORDINALS: Final = frozenset(
    ["first", "second", "third", "fourth", "fifth", "sixth", "last", "left", "right", "middle"]
)
_PLAIN_COLOURS: Final = frozenset(
    ["red", "yellow", "green", "blue", "purple", "pink", "black", "white", "brown", "grey", "gray"]
)


def _head_at(words: list[str]) -> int:
    """Return the index of the head noun: before the first word that continues the phrase."""
    for at, word in enumerate(words[1:], 1):
        low = word.lower()
        goes_on = (
            low in word_list("prepositions") | {"with", "of", "that", "who", "which", "and", "to", "from", "for"}
            or (low.endswith("ing") and is_verb(low) and is_known_noun(words[at - 1]))
            or words[at - 1].endswith(",")
        )  # fmt: skip
        if goes_on:
            return at - 1
    return len(words) - 1


def deed(text: str) -> str:
    """Return ``text`` as an action in the -ing form; empty if it is none."""
    text = re.sub(r"\s+n\s+", " and ", plain(text))
    lead = _LEADING.match(text)
    text = text[lead.end() :] if lead else text
    if not text:
        return ""
    done = re.match(
        r"(?:does|do|did)\s+(?=[a-z])(?!not\b|it\b|the\b|that\b|this\b|a\b|so\b|her\b|his\b)",
        text,
        re.IGNORECASE,
    )
    if done is not None and is_verb(text[done.end() :].split()[0]):
        text = text[done.end() :]
    no = _NEGATED.match(text)
    if no is not None and not text.lower().startswith("not being"):
        return f"not {deed(text[no.end() :])}".strip()
    found = verb_phrase(text)
    if found is not None:
        return found[0]
    words = text.split()
    at = 0
    while at < len(words) - 1 and (
        words[at].lower().endswith("ly") or words[at].lower() in _ADVERBS
    ):
        at += 1
    first = words[at].lower().strip(",")
    if "-" in first and is_verb(first.rpartition("-")[2]):
        before, _, verb = words[at].rpartition("-")
        return " ".join([*words[:at], f"{before}-{progressive(verb)}", *words[at + 1 :]])
    if _BE.match(text):
        rest = text[_BE.match(text).end() :]  # type: ignore[union-attr]
        return (
            rest
            if rest.split()[0].endswith("ing") and is_verb(rest.split()[0])
            else f"being {rest}"
        )
    if first in {"has", "have", "had"}:
        return " ".join([*words[:at], "having", *words[at + 1 :]])
    if words[at].endswith(",") and is_verb(first):
        done_first = deed(" ".join([*words[:at], words[at].strip(",")]))
        return " ".join([f"{done_first},", *words[at + 1 :]])
    if is_verb(first):
        return progressive(" ".join(words))
    if is_known(first) and not is_verb(first) and not is_noun(first) and not is_adjective(first):
        return f"being {text}" if first in word_list("prepositions") else ""
    if is_verb(first.removesuffix("s")) or not is_noun(first):
        return (
            progressive(" ".join(words))
            if first.isalpha() and not is_adjective(first)
            else f"being {text}"
        )
    return f"being {text}"


_ADVERBS: Final = frozenset(
    ["suddenly", "just", "also", "always", "both", "all", "never", "still", "even", "almost", "then", "now", "only"]
)  # fmt: skip


def moment(text: str) -> tuple[When, str]:
    """Return the timing of ``text``, and the words that it does not cover."""
    bare = plain(text).lower()
    if not bare:
        return When.TOGETHER, ""
    for when, pattern in _MOMENTS:
        if pattern.fullmatch(bare):
            return when, ""
    return When.TOGETHER, plain(text)


_AGED: Final = re.compile(r"\byears? old\b|\bin (?:his|her|their) \w+ies\b", re.IGNORECASE)


def looks_said(text: str, *, is_person: bool, is_given: bool = False) -> tuple[Look, ...]:
    """Return the looks in ``text``; empty if it needs its own sentence."""
    text = plain(text)
    found = looks_in(text)
    if found is not None and found[1] >= 0.9:
        return found[0]
    if _AGED.search(text):
        return ()
    worn = _WEAR.match(text)
    if worn is not None:
        return (Look(Aspect.CLOTHING, f"wearing {with_article(text[worn.end() :])}", "after"),)
    held = _HOLD.match(text)
    if held is not None:
        return (
            Look(
                Aspect.OTHER,
                f"{inflect(lemma(held['verb'].split()[-1], 'VERB'), 'VBG')} {with_article(text[held.end() :])}",
                "after",
            ),
        )
    first = text.split(maxsplit=1)[0].lower() if text else ""
    if (
        first.endswith("s")
        and is_verb(first)
        and lemma(first, "VERB") != first
        and " " in text
        and not _HAVE.match(text)
    ):
        return ()
    had = _HAVE.match(text)
    bare = text[had.end() :] if had else text
    thing = noun_phrase(bare)
    clothes = word_list("clothing") - word_list("colors")
    is_worn = thing is not None and thing.phrase.split(" of ")[0].split()[-1].lower() in clothes
    is_short = len(bare.split()) <= 8 and "," not in bare
    if (
        thing is not None
        and is_short
        and (
            had
            or is_worn
            or thing.noun in words_of("nouns", "belongings")
            or thing.determiner
            or is_plural(thing.phrase.split()[-1])
        )
    ):
        if (is_person or is_given) and is_worn and not thing.position:
            return (Look(Aspect.CLOTHING, f"wearing {with_article(bare)}", "after"),)
        is_part = thing.noun in words_of("nouns", "belongings")
        lead = "holding" if is_given and is_person and not is_part else "with"
        return (Look(Aspect.OTHER, f"{lead} {with_article(bare)}", "after"),)
    if _AFTER.match(text) and is_short and not (text.lower().startswith("in ") and not is_person):
        return (
            Look(
                Aspect.CLOTHING
                if text.lower().startswith(("in ", "wearing", "dressed"))
                else Aspect.OTHER,
                text,
                "after",
            ),
        )
    if found is not None:
        return found[0]
    return ()


def stated(text: str) -> str:
    """Return ``text`` as a state or possession in the -ing form: "being about six years old"."""
    text = re.sub(r"^(?:to be|be|look(?:s|ing)? like|like|is|are)\s+(?=\S)", lambda m: "like " if "like" in m[0].lower() else "", plain(text), flags=re.IGNORECASE)  # fmt: skip
    words = text.split()
    first = words[0].lower() if words else ""
    if first == "like":
        return f"looking {text}"
    no = _NEGATED.match(text)
    if no is not None:
        rest = text[no.end() :]
        return (
            f"not {deed(rest)}"
            if is_verb(rest.split()[0]) and not aspect_of(rest.split()[0])
            else f"being not {rest}"
        )
    if first in {"has", "have", "got", "with", "had"} and len(words) > 1:
        return f"having {with_article(' '.join(words[1:]))}"
    if first in {"wears", "wear"} and len(words) > 1:
        return f"wearing {with_article(' '.join(words[1:]))}"
    is_finite = (
        is_verb(first)
        and first.endswith("s")
        and not is_noun(first)
        and first != lemma(first, "VERB")
    )
    if is_finite or (
        first.endswith("ing") and is_verb(first) and first not in word_list("not_acting")
    ):
        return deed(text)
    if first in {"looks", "keeps", "stays", "goes", "turns", "feels", "stands", "shines"}:
        return deed(text)
    if is_verb(first) and not is_noun(first) and not is_adjective(first) and len(words) > 1:
        is_order = words[1].lower() in {"it", "him", "her", "them", "this"}
        return "" if is_order else deed(text)
    clothes = word_list("clothing") - word_list("colors")
    lead = text.split(",", maxsplit=1)[0]
    if set(re.split(r"\W+", lead.lower())[-1:]) & clothes and noun_phrase(lead) is not None:
        return f"wearing {with_article(text)}"
    is_look = (
        not words
        or bool(_AGED.search(text))
        or first == "all"
        or aspect_of(words[-1]) is Aspect.COLOUR
    )
    thing = None if is_look else noun_phrase(text) or noun_phrase(text.split(",", maxsplit=1)[0])
    if thing is None and first in {"a", "an", "two", "some"} and " and " in text:
        return f"having {text}"
    if thing is None or first == "the":
        return f"being {text}"
    is_part = not aspect_of(words[-1]) and thing.noun in words_of("nouns", "belongings")
    if thing.determiner or is_plural(thing.phrase.split()[-1]) or is_part:
        said = text if "," in text else with_article(text)
        return f"having {said}"
    return f"being {text}"
