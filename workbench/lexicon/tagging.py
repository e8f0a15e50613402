"""Tags the words of a text with their part of speech, by a small hand-weighted Markov model.

Word classes come from the closed classes of ``tagging.toml``, the verbs of ``verbs.toml``, the nouns
of the lexicon and the dictionary; the weights score how well one tag follows another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final

from workbench.lexicon.datafiles import load
from workbench.lexicon.morphology import inflect, is_plural, lemma, lemmas
from workbench.lexicon.terms import is_pair, place_named, subject_kind, word_list

__all__ = ["Token", "is_action", "tagged", "tokenized", "verb_classes"]

_TOKEN: Final = re.compile(
    r"\"[^\"]{1,200}\"|[^\W_]+(?:['’\-/.&][^\W_]+)*(?:['’](?=\s))?|[^\w\s]", re.UNICODE
)
_CONTRACTION: Final = re.compile(
    r"(i|he|she|it|they|we|you|that|there|who|what|everyone|someone)('(?:s|re|m|ll|d|ve))",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\d+(?:[.,:/x×]\d+)*(?:st|nd|rd|th|s|k|am|pm)?", re.IGNORECASE)
_WEAK, _NEVER = -1.0, -9.0
_ARTICLES: Final = frozenset({"a", "an", "the"})
_TO_GERUND: Final = ("begin", "start", "stop", "keep", "finish")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or punctuation mark at ``start:end``, with its tag and the tag's confidence (0 to 1)."""

    text: str
    start: int
    end: int
    tag: str = ""
    sureness: float = 1.0

    @property
    def low(self) -> str:
        """The word in lower case."""
        return self.text.lower()


def tokenized(text: str) -> list[Token]:
    """Return the words and marks of ``text`` without tags; a quotation is one token."""
    made: list[Token] = []
    for match in _TOKEN.finditer(text):
        joined = _CONTRACTION.fullmatch(match[0])
        cut = match.start() + (len(joined[1]) if joined else 0)
        if joined:
            made.append(Token(joined[1], match.start(), cut))
        made.append(Token(text[cut : match.end()], cut, match.end()))
    return made


@lru_cache(maxsize=512)
def tagged(text: str) -> tuple[Token, ...]:
    """Return the words and marks of ``text`` with their most likely tags."""
    tokens = tokenized(text)
    options = [_options(token.text, at == 0) for at, token in enumerate(tokens)]
    scores: list[dict[str, tuple[float, str]]] = []
    before: Mapping[str, tuple[float, str]] = {".": (0.0, "")}
    for at, tags in enumerate(options):
        here: dict[str, tuple[float, str]] = {}
        for tag, own in tags.items():
            here[tag] = max(
                (value + own + _step(previous, tag, tokens, at), previous)
                for previous, (value, _) in before.items()
            )
        scores.append(here)
        before = here
    if scores:
        end = {tag: _follows().get(tag, {}).get(".", 0.0) for tag in scores[-1]}
        scores[-1] = {tag: (value + end[tag], way) for tag, (value, way) in scores[-1].items()}
    return tuple(_best_path(tokens, scores))


def _is_joined(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether "and" occurs shortly before: "a cat and a dog sleep"."""
    for token in reversed(tokens[max(0, at - 9) : at]):
        if token.low == "and":
            return True
        if token.text in {",", ".", ";", ":"} or (
            is_action(token.text) and token.low.endswith("s")
        ):
            return False
    return False


def _best_path(
    tokens: Sequence[Token], scores: Sequence[Mapping[str, tuple[float, str]]]
) -> list[Token]:
    made: list[Token] = []
    tag = ""
    for at in range(len(tokens) - 1, -1, -1):
        ranked = sorted(scores[at], key=lambda one: scores[at][one][0], reverse=True)
        tag = tag if tag in scores[at] else ranked[0]
        rest = [scores[at][one][0] for one in ranked if one != tag]
        margin = scores[at][tag][0] - rest[0] if rest else 9.0
        one = tokens[at]
        made.append(Token(one.text, one.start, one.end, tag, min(1.0, max(0.0, 0.5 + margin / 4))))
        tag = scores[at][tag][1]
    made.reverse()
    return [_before_noun(made, at) for at in range(len(made))]


def _before_noun(tokens: Sequence[Token], at: int) -> Token:
    """Return the token, with an -ing form between article and noun tagged as an adjective."""
    own = tokens[at]
    if own.tag != "G" or at + 1 == len(tokens) or tokens[at + 1].tag not in "NA":
        return own
    is_inside = at > 0 and tokens[at - 1].low in _ARTICLES
    is_named = tokens[at + 1].tag == "N" and is_pair(own.low, tokens[at + 1].low)
    return replace(own, tag="A") if is_inside or is_named else own


def _step(previous: str, tag: str, tokens: Sequence[Token], at: int) -> float:
    """Return the transition score of ``tag``, subject-verb agreement included."""
    score = _follows().get(previous, {}).get(tag, _WEAK)
    if tag == "V" and at > 3 and tokens[at - 4].low == "one" and tokens[at - 3].low == "of":
        base = lemma(tokens[at].low, "VERB")
        if previous == "N" and base != tokens[at].low and inflect(base, "VBZ") == tokens[at].low:
            return score + 1.0  # "one of the cats wakes up": the verb agrees with "one"
    if tag == "V" and at:
        word, verb = tokens[at - 1].text, tokens[at].low
        base = lemma(verb, "VERB")
        if previous == "." and base != verb and inflect(base, "VBZ") == verb:
            alone = at + 1 == len(tokens) or not tokens[at + 1].text[0].isalnum()
            if alone and subject_kind(verb):
                return score  # "…, sparks, …"
            return score + 1.4  # "…, stops, leans on it": the subject continues
        if previous == "N" and at > 1 and tokens[at - 2].text.isdigit() and not is_plural(word):
            return score - 3.0  # "3 quick cuts": a number takes a plural
        if previous == "N" and base != verb and inflect(base, "VBZ") == verb:
            return score - (2.0 if is_plural(word) else -0.3)
        if previous == "N" and base == verb:
            return score + (0.3 if is_plural(word) or _is_joined(tokens, at) else -2.2)
        if previous == "T" and base != verb:
            return score - 4.0
        if previous == "X" and base != verb:
            return score - 2.0
    if tag == "O" and previous == "D" and tokens[at].low in {"other", "others", "one"}:
        return 0.5  # "the other rides away"
    if tag == "N" and previous in "NAP" and at:
        before, own = tokens[at - 1].low, tokens[at].low
        is_one = f"{before} {lemma(own, 'NOUN')}" in _pairs() or is_pair(before, own)
        score += 2.0 if is_one else 0.0
    if tag == "N" and previous == "T" and at and is_action(tokens[at].text):
        return score - 1.5
    if tag == "G" and at and previous == "V" and lemma(tokens[at - 1].low, "VERB") in _TO_GERUND:
        return score + 2.0
    return score


@lru_cache(maxsize=8_192)
def _options(word: str, is_first: bool) -> Mapping[str, float]:
    """Return the candidate tags of ``word``, each with its score."""
    if word[0] == "'" and len(word) > 1:
        return {"X": 0.0}
    if not word[0].isalnum():
        return {"Q": 0.0} if word.startswith('"') else {".": 0.0}
    low = word.lower().replace("’", "'")
    if closed := _closed().get(low):
        return dict.fromkeys(closed, 0.0) | _also_open(low)
    if _NUMBER.fullmatch(low):
        return {"D": 0.0} if low[-1] == "s" else {"D": 0.0, "N": -0.8}
    if low.endswith(("'s", "s'")):
        return {"D": 0.5, "N": -1.0}
    found = _open_tags(low)
    if word[0].isupper() and not is_first:
        found = {"N": found.get("N", 0.0) + 0.8} | {
            t: v - 0.6 for t, v in found.items() if t != "N"
        }
    return found


def _open_tags(low: str) -> dict[str, float]:
    if low == "stuck":
        return {"P": 1.4}
    bare = low.rpartition("-")[2]
    known = lemmas(low) or (lemmas(bare) if "-" in low else {})
    found: dict[str, float] = {}
    if subject_kind(low) or place_named(low):
        found["N"] = 1.4
    elif "NOUN" in known or "PROPN" in known:
        found["N"] = 0.0 if "ADJ" in known else 0.4
    if low in word_list("describing"):
        found["A"] = 0.6
    if "ADJ" in known or low in word_list("colors"):
        found["A"] = 0.9 if low in word_list("colors") or "NOUN" not in known else 0.4
    if low.endswith("-colored") or re.search(r"-(?:shaped|sized|like|style|size)\Z", low):
        found["A"] = 1.0
    if "ADV" in known:
        found["R"] = 0.8 if low.endswith("ly") else 0.1
    if "VERB" in known:
        found |= _verb_tags(bare if "-" in low else low)
        if "V" in found and not low.endswith("s"):
            found.setdefault("N", -0.2)
    if low in word_list("lead_nouns"):
        found["N"] = found.get("N", 0.0) + 1.5
    if not known and not found:
        found = _guessed(low)
    if "-" in low and not known and "A" not in found:
        found["A"] = 0.3
    return found or {"N": 0.2}


def _verb_tags(low: str) -> dict[str, float]:
    base = lemma(low, "VERB")
    own = 1.1 if is_action(base) else -0.9
    if low.endswith("ing") and low != base:
        if not is_action(base) and low in word_list("not_acting"):
            return {}
        return {"G": own + 0.5}
    tags: dict[str, float] = {}
    if low in {inflect(base, "VBN"), inflect(base, "VBD")} and low != base:
        tags["P"] = own
        if low == inflect(base, "VBD"):
            tags["V"] = own - 0.5
    if low in {base, inflect(base, "VBZ")}:
        tags["V"] = own
    return tags or {"V": own}


def _guessed(low: str) -> dict[str, float]:
    """Return the candidate tags of an unknown word, by its ending."""
    if low.endswith("ing") and len(low) > 5:
        return {"G": 0.3, "N": 0.1}
    if low.endswith("ed") and len(low) > 4:
        return {"P": 0.3, "V": 0.0, "A": 0.1}
    if low.endswith("ly"):
        return {"R": 0.5}
    if low.endswith(("ish", "ous", "ful", "less", "able", "ic")):
        return {"A": 0.4, "N": 0.1}
    return {"N": 0.5, "A": -0.8}


def _also_open(low: str) -> dict[str, float]:
    """Return the open-class tags of a word that is also in a closed class: "like", "past", "second"."""
    return {
        "like": {"V": -0.5},
        "her": {"O": -0.2},
        "his": {"O": -1.0},
        "one": {"O": 0.0},
        "other": {"O": -0.2, "A": 0.0},
        "another": {"O": -0.5},
        "each": {"O": -0.5},
        "second": {"N": -0.3, "A": 0.2},
        "first": {"A": 0.2},
        "alone": {"A": 0.2},
        "left": {"N": 0.4, "P": 0.2, "A": 0.3, "V": 0.0},
        "back": {"N": -0.8},
        "outside": {"N": -0.5},
        "inside": {"N": -0.5},
        "better": {"A": 0.2},
        "well": {"N": -0.3},
        "still": {"A": 0.1, "N": -0.8},
        "round": {"A": 0.4, "N": 0.0},
        "near": {"A": -0.5},
        "behind": {"R": -0.3},
        "below": {"R": -0.3},
        "above": {"R": -0.3},
        "past": {"R": -0.3},
        "around": {"R": -0.3},
        "over": {"R": -0.3},
        "down": {"R": -0.2},
        "up": {"R": -0.2},
        "off": {"R": -0.2},
        "out": {"R": -0.2},
        "in": {"R": -0.6},
        "on": {"R": -0.5},
        "through": {"R": -0.5},
        "being": {"N": -0.5},
        "will": {},
        "can": {"N": 0.2},
        "might": {},
        "may": {},
        "half": {"N": 0.0},
    }.get(low, {})


def is_action(word: str) -> bool:
    """Tell whether ``word`` is a form of a verb that describes what happens in a video."""
    return bool(verb_classes(word))


@lru_cache(maxsize=4_096)
def verb_classes(word: str) -> frozenset[str]:
    """Return the classes of ``verbs.toml`` that list the verb ``word``, in any form."""
    low = word.lower()
    found = _classes().get(low)
    return found or _classes().get(lemma(low, "VERB"), frozenset())


@cache
def _classes() -> Mapping[str, frozenset[str]]:
    made: dict[str, set[str]] = {}
    for name, words in load("verbs").items():
        for word in words.split():
            made.setdefault(word, set()).add(name)
    return {word: frozenset(names) for word, names in made.items()}


@cache
def _pairs() -> frozenset[str]:
    return frozenset(load("aspects")["names"]["pairs"].split("|"))


@cache
def _closed() -> Mapping[str, tuple[str, ...]]:
    made: dict[str, list[str]] = {}
    for tag, words in load("tagging")["closed"].items():
        for word in words.split():
            made.setdefault(word, []).append(tag)
    return {word: tuple(tags) for word, tags in made.items()}


@cache
def _follows() -> Mapping[str, Mapping[str, float]]:
    table: Mapping[str, Mapping[str, float]] = load("tagging")["follows"]
    return table
