"""Checks that words form a sentence for a prompt: subject and verb, not a command, not a question.

A fragment is completed if its subject is clear ("the middle cube green"), and rejected otherwise.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.morphology import inflect, is_plural, lemma, lemmas
from workbench.lexicon.words import article
from workbench.prompts.intents.words import (
    ANIMATE,
    aspect_of,
    determiners,
    is_adjective,
    is_known,
    is_known_noun,
    is_noun,
    is_verb,
    noun_in_text,
    number_in,
    subject_kind,
    word_list,
    words_of,
)
from workbench.scene import Aspect

__all__ = ["finite_at", "is_order", "whole_sentence"]

_LEADS: Final = frozenset(
    ["then", "and", "but", "also", "now", "so", "or", "finally", "meanwhile", "suddenly", "next"]
)
_OBJECTS: Final = frozenset(
    ["him", "her", "it", "them", "me", "us", "this", "that", "these", "those", "some"]
)
_AGE: Final = re.compile(r"(?:early |mid-?|late )?(\d0)s$", re.IGNORECASE)
_SHORTEST_ABROAD: Final = 3
"""Minimum words of a text in another language; shorter ones are shorthand: "ccw"."""
_MOST: Final = 14
"""Maximum words of a fragment that is completed."""


def whole_sentence(said: str, prompt: str, who: str = "") -> str:
    """Return ``said`` as a clause without a full stop; empty if it cannot be made one.

    ``prompt`` is the text that the clause is added to, ``who`` the default subject.
    """
    words = said.split()
    low = [w.lower().strip(",.:;()\"'。、") for w in words]
    unknown = [w for w in low if not w.isascii() or (w.isalpha() and not is_known(w))]
    if 2 * len(unknown) > len(low):
        return "" if said.isascii() and len(low) < _SHORTEST_ABROAD else said  # another language
    first = next((n for n, w in enumerate(low) if w not in _LEADS), len(low))
    if (
        first == len(low)
        or low[first] in words_of("closed", "asking_soundness")
        or _REFERS.search(said)
    ):
        return ""
    if (added := _ADDING.match(said)) is not None and "it" not in low[1:3]:
        end = _noun_end([w.lower() for w in said[added.end() :].split()])
        return f"there {_be(said[added.end() :])} {_determined(said[added.end() :])}" if end else ""
    if is_order(low[first:]):
        return ""
    at = finite_at(low)
    if at > first:
        return _agreed(words, low, at)
    if low[first] in {"he", "she", "it"} and first + 1 < len(low) and len(low) > first + 1:
        return _inflected(words, low, first)
    if (
        who
        and (at == first or _is_bare_act(low, first))
        and low[first] not in words_of("closed", "auxiliaries") - {"goes", "gets", "stays", "has"}
    ):
        return " ".join([*words[:first], who, *words[first:]])
    if low[first] in word_list("prepositions") and "," in said and finite_at(low[first:]) > 0:
        return said
    return _mended(said, prompt, who) if len(words) <= _MOST else ""


_ADDING: Final = re.compile(r"(?:please )?(?:add|include|insert) (?=\S)", re.IGNORECASE)


def _is_bare_act(low: list[str], at: int) -> bool:
    """Tell whether the words begin with a third-person verb: "looks at the door"."""
    base = lemma(low[at], "VERB")
    is_third = is_verb(low[at]) and low[at] == inflect(base, "VBZ") and low[at] != base
    after = low[at + 1] if at + 1 < len(low) else ""
    is_led = after in word_list("prepositions") or after in determiners() | _OBJECTS | words_of(
        "closed", "particles"
    )
    return low[at] == "doesn't" or (is_third and is_led and not _is_own(low[at]))


def _agreed(words: list[str], low: list[str], at: int) -> str:
    """Return the words with verbs after "and" in the form of the first: "stops and grasp"."""
    base = lemma(low[at], "VERB")
    if (
        low[at] in words_of("closed", "auxiliaries")
        or low[at] == base
        or low[at] != inflect(base, "VBZ")
    ):
        return " ".join(words)
    made = list(words)
    for n in range(at + 2, len(low)):
        after = low[n + 1] if n + 1 < len(low) else ""
        is_led = after in determiners() | _OBJECTS | words_of(
            "closed", "particles"
        ) or after in word_list("prepositions")
        is_base = is_verb(low[n]) and lemma(low[n], "VERB") == low[n]
        if (
            low[n - 1] in {"and", "then"}
            and is_base
            and is_led
            and low[n] not in words_of("closed", "particles")
        ):
            made[n] = words[n].replace(low[n], inflect(low[n], "VBZ"))
    return " ".join(made)


def _inflected(words: list[str], low: list[str], first: int) -> str:
    """Return "he laugh", "she not eat" with inflected verbs; empty if no verb follows."""
    at = first + 1
    if low[at] == "not" and at + 1 < len(low) and is_verb(low[at + 1]):
        return " ".join([*words[:at], "does not", *words[at + 1 :]])
    if at < len(low) and is_verb(low[at]) and lemma(low[at], "VERB") == low[at]:
        return " ".join(
            [*words[:at], words[at].replace(low[at], inflect(low[at], "VBZ")), *words[at + 1 :]]
        )
    return ""


_REFERS: Final = re.compile(
    r"^(?:it|this|that|the (?:other|left|right)) (?:is|was) (?:(?:the|an?|that) )?(?:\w+ )?(?:one|pop)$|"
    r"^(?:it|this|that) (?:pops|works|fits|reads|matters|helps)$",
    re.IGNORECASE,
)
"""Sentences that mean nothing out of context: "it is the right one"."""


def finite_at(low: list[str]) -> int:
    """Return the index of the first finite verb in the lower-cased words; -1 if there is none."""
    for at, word in enumerate(low):
        if word in words_of("closed", "auxiliaries") or word.endswith("n't"):
            return at
        back = at - 1
        while back > 0 and (
            low[back] in words_of("closed", "adverbs_soundness") or low[back].endswith("ly")
        ):
            back -= 1
        before = (
            low[back] if at and low[back] not in words_of("closed", "adverbs_soundness") else ""
        )
        if before == "one" and back:
            before = "it"
        if at and _is_finite(word, before, low[at + 1] if at + 1 < len(low) else ""):
            return at
    return -1


def _is_finite(word: str, before: str, after: str) -> bool:
    if not before or not is_verb(word) or word.endswith("ing") or before in determiners():
        return False
    if word in words_of("closed", "particles") or word in word_list("prepositions"):
        return False
    if number_in(before) is not None or (
        before in word_list("prepositions") and before not in words_of("closed", "particles")
    ):
        return False
    base = lemma(word, "VERB")
    is_led = (
        before in words_of("closed", "pronouns")
        or before in words_of("closed", "adverbs_soundness")
        or before.endswith("ly")
    )
    if word == inflect(base, "VBZ") and word != base:
        return is_led or is_known_noun(before) or not is_known(before) or not is_noun(word)
    if word == base:
        ends = after in {"", "and", "then"} or after in determiners() | _OBJECTS | words_of(
            "closed", "particles"
        )
        ends = ends or after in word_list("prepositions") or after.endswith("ly")
        many = before in words_of("closed", "many") or is_plural(before)
        return many and (before in words_of("closed", "pronouns") or not is_noun(word) or ends)
    return is_led and not is_adjective(word)


def is_order(low: list[str]) -> bool:
    """Tell whether lower-cased words begin with a command: "slow the brushes down", "reverse it"."""
    if not low:
        return False
    word, at = low[0], 0
    if word in {"please", "just", "only", "now", "also", "then"} and len(low) > 1:
        at, word = 1, low[1]
    if (
        not is_verb(word)
        or lemma(word, "VERB") != word
        or word in words_of("closed", "ordinal") | {"close", "light"}
    ):
        return False
    after = low[at + 1] if at + 1 < len(low) else ""
    if after in _OBJECTS or (after in determiners() and after not in {"more", "less"}):
        return True
    if word in {"think", "imagine", "ensure", "annotate", "picture", "remember"}:
        return True
    if word in {"add", "make", "put", "show", "use", "keep", "give", "let", "try", "start", "end"}:
        return finite_at(low[at:]) != 1
    is_led = after in words_of("closed", "particles") or after in word_list("prepositions")
    return is_led and (not is_known_noun(word) or word in words_of("verbs", "commands"))


# fragments


def _mended(said: str, prompt: str, who: str) -> str:
    first, comma, rest = said.partition(", ")
    if any(
        is_order([w.lower() for w in re.sub(r"^(?:and|then|and then) ", "", p).split()])
        for p in said.split(", ")[1:]
        if p
    ):
        return ""
    pieces = said.split(", ")
    if who and len(pieces) > 1 and all(_is_trait(p) for p in pieces):
        ages = [p for p in pieces if _AGE.search(p)]
        looks = [_determined(p) for p in pieces if not _AGE.search(p)]
        own = f"in {_possessive(who, prompt)} {ages[0].strip()}" if ages else ""
        listed = " and ".join(filter(None, (", ".join(looks[:-1]), looks[-1] if looks else "")))
        return (
            f"{who} is {own}, with {listed}"
            if own and looks
            else f"{who} has {listed}"
            if looks
            else ""
        )
    whole = _predicated(first, prompt, who)
    return f"{whole}{comma}{rest}" if whole else ""


def _possessive(who: str, prompt: str) -> str:
    low = f"{who} {prompt}".lower()
    if re.search(r"\b(?:woman|girl|lady|she|her|grandmother|mother)\b", who.lower()):
        return "her"
    return "his" if re.search(r"\b(?:he|his|him)\b", low) else "their"


def _is_trait(text: str) -> bool:
    head = text.rsplit(maxsplit=1)[-1].lower().strip(".") if text.split() else ""
    return bool(_AGE.search(text)) or _is_own(head)


def _is_own(head: str) -> bool:
    known = words_of("nouns", "belongings") | word_list("clothing")
    return head not in word_list("colors") and bool({head, lemma(head, "NOUN")} & known)


def _predicated(text: str, prompt: str, who: str) -> str:
    """Return a fragment without commas as a clause; empty if its subject is unclear."""
    words = text.split()
    low = [w.lower().strip(".:;") for w in words]
    if not words or low[-1] in {"and", "or", "of", "the", "a", "one", "incl", "etc"}:
        return ""
    if re.match(
        r"(?:slow motion|slow-mo\w*|slow mo|real time|normal speed)\b", text, re.IGNORECASE
    ):
        return f"it is in {text[:1].lower()}{text[1:]}"
    if (
        low[0] in {"inside", "outside", "above", "below"}
        and all(_is_how(w) for w in low[1:])
        and low[1:]
    ):
        return f"{low[0]} it is {' '.join(words[1:])}"
    grown = re.fullmatch(r"(?P<how>(?:more|less) [\w-]+) (?P<who>[\w' -]+)", text, re.IGNORECASE)
    if grown is not None and is_adjective(low[1]) and noun_in_text(grown["who"], prompt):
        return f"the {grown['who']} {_be(grown['who'])} {grown['how']}"
    if (
        low[0] in {"only", "just"}
        and len(words) > 2
        and _noun_end(low[1:])
        and low[1] not in {"this", "that", "it"}
    ):
        name = " ".join(words[1:])
        many = " and " in name or _is_many(name)
        return f"only {name} {'are' if many else 'is'} seen"
    if low[0] == "nothing" and len(low) > 1 and all(_is_how(w) for w in low[1:]):
        return f"there is {text}"
    if low[0] in word_list("prepositions") | {
        "like",
        "as",
        "instead",
        "more",
        "less",
        "only",
        "nothing",
        "same",
        "no",
        "if",
        "not",
    }:
        return ""
    if low[0] in words_of("free", "weather") and _is_how(low[0]) and len(words) == 1:
        return f"it is {text}"
    is_deed = len(low) > 1 and low[-1].endswith("ing") and not low[-2].endswith("ly")
    is_manner = (
        not is_deed and all(w in words_of("closed", "degrees") or _is_how(w) for w in low)
    ) or _is_participle(low[0])
    if is_manner:
        is_step = any(w.endswith("er") and lemma(w, "ADJ") != w for w in low)
        is_coat = is_alive(who) and any(w in word_list("colors") for w in low)
        known = len(low) > 1 or aspect_of(low[0]) not in {None, Aspect.OTHER}
        is_said = (
            known
            and not is_step
            and not is_coat
            and low[0] not in {"close", "wide", "backwards", "left", "right"}
        )
        return f"{who} {_be(who)} {text}" if who and is_said else ""
    if len(words) == 1:
        return ""
    end = _noun_end(low)
    if not end:
        return ""
    name, left = " ".join(words[:end]), low[end:]
    is_there = noun_in_text(low[end - 1], prompt)
    is_led = low[0] in determiners() or number_in(low[0]) is not None
    if low[end - 1] in words_of("misc", "unseen") | words_of("closed", "abstract"):
        return f"it is {_determined(text)}" if low[end - 1] == "take" else ""
    if left and (_says(left) or left[0] in word_list("prepositions") - {"of"}):
        if is_there or (low[0] in {"everything", "everyone", "all", "both"}):
            lead = (
                name
                if is_led or low[0] in words_of("closed", "pronouns") or is_plural(low[end - 1])
                else f"the {name}"
            )
            lead = (
                f"the {name}"
                if is_there and not is_led and low[0] not in words_of("closed", "pronouns")
                else lead
            )
            return f"{lead} {_be(name)} {' '.join(words[end:])}"
        if low[0] in {"the", "his", "her", "its", "their"}:
            return f"{name} {_be(name)} {' '.join(words[end:])}"
        return _there(text)
    if left:
        return ""
    if who and _is_own(low[end - 1]) and low[0] not in {"the", "his", "her", "their"}:
        have = "have" if _is_many(who) else "has"
        return f"{who} {have} {_determined(text)}"
    if low[0] in {"the", "his", "her", "its", "their", "this", "that", "it", "he", "she", "they"}:
        return ""
    return _there(text)


def _there(text: str) -> str:
    """Return "there is …" for a phrase that names a thing; empty for other phrases."""
    words = text.split()
    low = [w.lower().strip(".:;") for w in words]
    end = _noun_end(low)
    head = low[end - 1]
    is_mass = head in word_list("mass") or head in words_of("free", "weather")
    is_led = low[0] in determiners() or number_in(low[0]) is not None or is_plural(head)
    if not end or not (is_mass or (is_led and subject_kind(head) is not None)):
        return ""
    return f"there {_be(' '.join(words[:end]))} {_determined(_uncapped(text))}"


def _uncapped(text: str) -> str:
    first = text.split(maxsplit=1)[0].lower()
    is_common = number_in(first) is not None or first in determiners() or is_adjective(first)
    return text[:1].lower() + text[1:] if is_common else text


def _says(left: list[str]) -> bool:
    """Tell whether words after a noun describe it: "green", "still up", "stuck in the mud"."""
    at = next(
        (
            n
            for n, w in enumerate(left)
            if w not in words_of("closed", "degrees") | words_of("closed", "adverbs_soundness")
        ),
        len(left),
    )
    if at == len(left):
        return False
    return _is_how(left[at]) or left[at] in words_of("closed", "particles") | {
        "asleep",
        "awake",
        "alone",
        "apart",
    }


def _is_how(word: str) -> bool:
    if word in word_list("colors") or aspect_of(word) is not None or is_adjective(word):
        return True
    base = lemma(word, "VERB")
    return is_verb(word) and word != base and word in {inflect(base, "VBG"), inflect(base, "VBN")}


def _noun_end(low: list[str]) -> int:
    """Return the number of words of the noun phrase that begins a fragment; 0 for none."""
    is_led = low[0] in {"all", "both", "this", "that", "these", "those", "other", "one"} and low[
        1:2
    ] != ["of"]
    if low[0] in words_of("closed", "pronouns") and not (
        is_led and len(low) > 1 and _may_be_named(low[1])
    ):
        return 2 if low[1:2] == ["else"] else 1
    head = 0
    for at, word in enumerate(low):
        if not head and (
            word in determiners()
            or number_in(word) is not None
            or word in words_of("closed", "ordinal")
        ):
            continue
        if head and word in words_of("closed", "adverbs_soundness"):
            break
        if word == "of" and head:
            head = 0
            continue
        is_last = at + 1 == len(low) or not is_known_noun(low[at + 1])
        is_hue = word in word_list("colors") and is_last
        if head and (is_hue or word in word_list("prepositions")):
            break
        if head and word.endswith(("ing", "ed")) and is_verb(word):
            break
        is_small = word in words_of("closed", "adverbs") | word_list("prepositions")
        if (
            not is_small
            and (is_known_noun(word) or not is_known(word))
            and not (head and _is_state_here(word))
        ):
            head = at + 1
        elif head or not (
            _is_how(word)
            or number_in(word) is not None
            or word.endswith("'s")
            or word in determiners()
        ):
            break
    return head


def _may_be_named(word: str) -> bool:
    return is_known_noun(word) or _is_how(word) or word in words_of("closed", "ordinal")


def _is_participle(word: str) -> bool:
    base = lemma(word, "VERB")
    is_form = word in {inflect(base, "VBG"), inflect(base, "VBN")} and word != base
    return is_verb(word) and is_form and not is_noun(word)


def _is_state_here(word: str) -> bool:
    return aspect_of(word) is not None and "NOUN" not in lemmas(word)


def _determined(text: str) -> str:
    words = text.split()
    low = words[0].lower()
    end = _noun_end([w.lower().strip(".") for w in words])
    head = words[end - 1].lower() if end else low
    if (
        low in determiners()
        or number_in(low) is not None
        or is_plural(head)
        or words[0][:1].isupper()
    ):
        return text
    if head in word_list("mass") | {"hair", "no", "light", "skin", "fur"} or low in {
        "no",
        "more",
        "some",
        "lots",
    }:
        return text
    return f"{article(words[0])} {text}"


def _be(name: str) -> str:
    return "are" if _is_many(name) else "is"


def _is_many(name: str) -> bool:
    words = name.lower().split(" of ")[0].split()
    if not words or words[0] in {"a", "an", "one", "everything", "everyone", "it", "he", "she"}:
        return False
    number = number_in(words[0])
    return (
        (number is not None and number > 1)
        or words[-1] in words_of("closed", "many")
        or is_plural(words[-1])
    )


def is_alive(name: str) -> bool:
    """Tell whether a noun phrase names an animate being."""
    return bool(name) and subject_kind(name.rsplit(maxsplit=1)[-1]) in ANIMATE
