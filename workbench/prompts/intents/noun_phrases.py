"""Noun phrases in the words of a request: their end, their number, and the verb after them."""

from __future__ import annotations

from typing import Final

from workbench.lexicon.morphology import inflect, is_plural, lemma
from workbench.lexicon.tagging import tagged
from workbench.prompts.intents.words import (
    ANIMATE,
    aspect_of,
    determiners,
    is_adjective,
    is_known_noun,
    is_verb,
    number_in,
    subject_kind,
    word_list,
    words_of,
)

__all__ = [
    "PRONOUNS",
    "acts_after",
    "is_many",
    "is_state",
    "noun_phrase_end",
    "subject_form",
    "without_head",
]

_SUBJECTS: Final = {"him": "he", "her": "she", "them": "they", "me": "I", "us": "we"}


PRONOUNS: Final = frozenset(
    ["he", "she", "it", "they", "him", "them", "this", "that", "these", "those", "everyone",
     "everybody", "everything", "someone", "somebody", "nobody", "nothing", "something", "we", "i", "you", "there", "one", "both", "all"]
)  # fmt: skip


_PLURALS: Final = frozenset(
    ["they", "we", "you", "these", "those", "both", "all", "i", "people", "police"]
)


def is_state(word: str) -> bool:
    """Tell whether ``word``, after "make it", is a state rather than an action."""
    if word in words_of("closed", "state_words") | words_of("closed", "hues") or word in word_list(
        "colors"
    ):
        return True
    return aspect_of(word) is not None and not is_verb(word)


def subject_form(words: list[str]) -> str:
    """Return a noun phrase as a subject: "him" becomes "he"."""
    if len(words) == 1:
        return _SUBJECTS.get(words[0].lower(), words[0])
    return " ".join(words)


def is_many(subject: str) -> bool:
    """Tell whether a noun phrase is in the plural."""
    words = subject.lower().split(" of ")[0].split()
    if not words:
        return False
    if words[-1] in _PLURALS or words[0] in {"both", "two", "three", "four", "five", "all", "some"}:
        return True
    if " and " in subject.lower():
        return True
    if words[-1] in PRONOUNS or words[0] in {"each", "every", "one", "another", "a", "an"}:
        return False
    return is_plural(words[-1])


def noun_phrase_end(words: list[str], *, is_object: bool = False) -> int:
    """Return the number of words of the noun phrase that begins ``words``; 0 for none."""
    if not words:
        return 0
    low = [w.lower().strip(",.") for w in words]
    if low[0] in PRONOUNS or (
        low[0] == "her"
        and (len(low) < 2 or is_object or not is_known_noun(low[1]) or _is_deed(low))
    ):
        if (
            low[0] in {"this", "that", "these", "those", "all", "both", "one"}
            and len(low) > 1
            and is_known_noun(low[1])
            and not acts_after(low, 1)
        ):
            pass
        else:
            return 3 if low[1:3] == ["of", "them"] else 1
    at, head = 0, 0
    is_determined = low[0] in determiners() or number_in(low[0]) is not None
    if is_determined:
        at = 1
    while at < len(low):
        word = low[at]
        if word == "of" and head and at + 1 < len(low):
            tail = noun_phrase_end(words[at + 1 :])
            return at + 1 + tail if tail else head
        if word == "and" and head and at + 1 < len(low) and not is_object:
            tail = noun_phrase_end(words[at + 1 :])
            if (
                tail
                and at + 1 + tail < len(low)
                and (low[at + 1] in determiners() or is_known_noun(low[at + 1]))
            ):
                return at + 1 + tail
            return head
        if word in PRONOUNS or (head and (word in determiners() or acts_after(low, at))):
            break
        if word in words_of("closed", "ordinals"):
            at += 1
            continue
        if word.endswith(("'s", "s'")) or is_known_noun(word) or (words[at][:1].isupper() and at):
            if head and is_object:
                break
            head = at + 1
        elif not (
            (is_adjective(word) or number_in(word) is not None or aspect_of(word) is not None)
            and not (head and not _noun_follows(low, at))
        ):
            break
        if words[at].endswith(","):
            break
        at += 1
    return head


def _is_deed(low: list[str]) -> bool:
    """Tell whether "her" is the actor: "let her sing", not "make her coat red"."""
    is_base = is_verb(low[1]) and lemma(low[1], "VERB") == low[1]
    following = low[2] if len(low) > 2 else ""
    return (
        is_base
        and low[1] not in word_list("clothing")
        and (
            not following
            or following in words_of("closed", "following")
            or following in word_list("prepositions")
        )
    )


def _noun_follows(low: list[str], at: int) -> bool:
    return at + 1 < len(low) and is_known_noun(low[at + 1]) and not acts_after(low, at + 1)


def acts_after(low: list[str], at: int) -> bool:
    """Tell whether the word at ``at``, after a noun, is its verb or state."""
    word = low[at]
    if (word in words_of("closed", "hues") or word in word_list("colors")) and (
        at + 1 == len(low) or low[at + 1] in word_list("colors")
    ):
        return True
    if word in {
        "is",
        "are",
        "was",
        "has",
        "have",
        "should",
        "must",
        "can",
        "could",
        "to",
        "with",
        "who",
        "that",
    }:
        return True
    if is_state(word) and not _noun_follows_plain(low, at):
        return True
    if not is_verb(word):
        return False
    following = low[at + 1] if at + 1 < len(low) else ""
    if not is_known_noun(word):
        return True
    before, base = low[at - 1], lemma(word, "VERB")
    if (
        word in words_of("verbs", "exclusive") | words_of("closed", "deeds")
        and subject_kind(before) in ANIMATE
    ):
        return True
    agrees = base == word if is_plural(before) else word == inflect(base, "VBZ") and word != base
    is_end = (
        following in {"", "left", "right", "and", "then", "without"}
        or following.endswith("n't")
        or following in words_of("closed", "following")
        or following in word_list("prepositions")
    )
    return following.endswith("ly") or (
        agrees and (is_end or is_state(following) or is_plural(before))
    )


def _noun_follows_plain(low: list[str], at: int) -> bool:
    return at + 1 < len(low) and is_known_noun(low[at + 1]) and low[at + 1] not in determiners()


def without_head(sentence: str, end: int, new: str) -> str:
    """Return ``sentence`` without the noun after ``end`` if ``new`` replaces it with its modifier.

    In "rye loaves", replacing "rye" with "croissants" also removes "loaves".
    """
    after = next((t for t in tagged(sentence) if t.start >= end), None)
    if (
        after is None
        or sentence[end : after.start].strip()
        or not is_plural(new.rsplit(maxsplit=1)[-1].lower())
    ):
        return sentence
    is_things = is_plural(after.low) and is_known_noun(lemma(after.low, "NOUN"))
    return f"{sentence[:end]}{sentence[after.end :]}" if is_things else sentence
