"""Compares a text with its idea: which of the idea's words it covers, by itself or by evidence.

Unspaced scripts are compared by the runs between function words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from workbench.lexicon.languages import is_english, language_of, small_words, sure_words
from workbench.lexicon.morphology import lemma, lemmas
from workbench.lexicon.terms import find_terms, place_named, subject_kind
from workbench.lexicon.words import content_words, tokens
from workbench.prompts.language_models.writing.asked_language import without_request
from workbench.prompts.language_models.writing.endings import leading_words
from workbench.prompts.language_models.writing.numbers import changed_numbers
from workbench.prompts.language_models.writing.scripts import is_unspaced, script_of
from workbench.prompts.language_models.writing.shown import Shown, flat, forms_of

__all__ = ["has_evidence", "shows_nothing", "uncovered"]

_LOST: Final = 0.75
"""Minimum share of missing words for a text to count as off topic."""
_LOST_ABROAD: Final = 0.6
"""The same in languages other than English, where fewer words can be compared."""
_FEWEST_SAID: Final = 3
_MOST_OF_CLAIM: Final = 0.6
"""Minimum share of a claim's content words that the text must contain."""
_LONG_CLAIM, _TIMES_AS_LONG = 14, 2.5
"""Words from which a claim is a passage, and how many times as long it is as what it shows."""
_UNCLAIMED: Final = 2
"""Number of unclaimed words from which evidence without any word of the idea is rejected."""
_FEWEST_TO_TELL: Final = 4
"""Number of words of an idea from which one unclaimed word is enough."""
_FEWEST_CHARACTERS: Final = 4
_FEWEST_SHARED: Final = 0.2
"""Minimum share of an unspaced idea's characters for a text in its script to be on topic."""
_LONGEST_ENDING: Final = 5
"""Letters that a stem may be followed by."""
_NOT_SAID: Final = frozenset(
    """make made want video clip footage show showing shows please something scene shot film like just
    really kind sort thing things using doing get gets gonna wanna start starts finish begin begins
    end ends what how why where when could would should toward towards give imagine visualise visualize
    depict maybe perhaps idk sth though about between only""".split()  # noqa: SIM905
)
"""Words of an idea that name nothing visible."""
_BETWEEN: Final = re.compile(
    r"[的了在着把被和与從从向对里上下中一个個只条條位名们們这這那是有没不也都就还又地得给讓让用到去来]+"
    r"|[がはをにでのともへや]+(?![ぁ-ん])|(?<![ぁ-ん])[がはをにでのともへや](?=[ぁ-ん])"
    r"|て(?:いる|いた|いく|くる)?$|(?:ている|ていく|しながら|ながら|する|して)"
)
"""Chinese and Japanese function words, which separate content words."""


def uncovered(idea: str, text: str, covers: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the content words of ``idea`` that ``text`` does not cover, as written.

    A word is covered if the text has it in any form, or if ``covers`` (``said``, ``shown_as``)
    names words for it most of which are in the text.
    """
    shown = Shown.of(text, idea)
    claims = " ".join(flat(str(one.get("said", ""))) for one in covers if _proves(one, shown, idea))
    claimed = Shown.of(claims, idea)
    missing = [word for word in _said_words(idea) if not (shown.has(word) or claimed.has(word))]
    missing += changed_numbers(covers)
    return tuple(dict.fromkeys(missing))


def _stands(words: Any, shown: Shown) -> bool:
    """Tell whether most of a claim's words are in the text."""
    plain = flat(str(words or ""))
    if not plain or shown.is_most_of(plain):
        return False
    if shown.holds(plain):
        return True
    each = content_words(plain)
    return bool(each) and sum(shown.has(word) for word in each) >= _MOST_OF_CLAIM * len(each)


def _proves(cover: Mapping[str, Any], shown: Shown, idea: str) -> bool:
    """Tell whether a claim stands, and is no passage that has none of the words that it shows."""
    said, words = str(cover.get("said", "")), str(cover.get("shown_as", ""))
    short, long = len(tokens(said)), len(tokens(words))
    is_passage = long >= _LONG_CLAIM and long > _TIMES_AS_LONG * short
    if is_passage and not any(map(Shown.of(words, idea).has, content_words(flat(said)))):
        return False
    return _stands(words, shown)


def has_evidence(idea: str, text: str, covers: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether at least half of the claims of ``covers`` stand in ``text``.

    An idea of one abstract word needs none.
    """
    shown = Shown.of(text, idea)
    standing = sum(_stands(one.get("shown_as"), shown) for one in covers)
    if not covers:  # an abstract idea names nothing that could be claimed
        return not _named(idea, language_of(idea)) and len(_said_words(idea)) == 1
    return standing > 0 and 2 * standing >= len(covers)


def shows_nothing(
    idea: str, text: str, missing: Sequence[str], covers: Sequence[Mapping[str, Any]]
) -> bool:
    """Tell whether ``text``, which lacks ``missing``, shows almost nothing of ``idea``.

    Words for things, places and weather are searched by name; an abstract idea may be shown in
    other words. A text in another language is judged by its evidence and the dictionary; where
    there is no dictionary, a text in the idea's language must share a word with it.
    """
    said = {
        word
        for word in _said_words(idea)
        if not set(lemmas(word)) <= {"ADV", "ADJ"} or not lemmas(word)
    }
    lost = len(said & set(missing))
    language = language_of(idea)
    if missing and covers and _is_for_another(idea, text, covers):
        return True
    if not language and not is_english(idea):
        if is_english(text):
            return bool(covers) and lost == len(said) >= _FEWEST_SAID
        is_other = len(said) >= _FEWEST_SAID and not any(map(Shown.of(text, idea).has, said))
        return (is_other or lost == len(said) >= _UNCLAIMED) and not _is_thought(said)
    if language and language_of(text) != language:
        if not covers:
            return _is_strange_to_dictionary(idea, text, language, least=_UNCLAIMED)
        is_lost = lost >= _LOST_ABROAD * len(said)
        is_strange = is_lost and _is_strange_to_dictionary(idea, text, language, least=1)
        return len(said) >= _FEWEST_SAID and (lost == len(said) or is_strange)
    if language and is_unspaced(idea):
        return _is_other_run(idea, text, lost, len(said))
    shown = Shown.of(text, idea)
    named = _named(idea, language)
    if any(shown.has(word) for word in said if language or not word.endswith("ing")):
        is_named = any(shown.has(word) for word in named)
        return not language and not is_named and lost >= _LOST * len(said) and _is_spelt(said)
    if language:
        if _is_thought(said) or (
            language == "Korean" and not lost
        ):  # its endings are not separated
            return False
        return bool(named) or lost == len(said) >= _FEWEST_SAID
    if shown.has_kind_of(named):
        return False
    if len(said) > _FEWEST_TO_TELL and named and not any(map(_agrees, covers)):
        return True
    least = 1 if len(said) >= _FEWEST_TO_TELL and named else _UNCLAIMED
    if len(said) < _FEWEST_SAID:  # a dish may be shown by its ingredients
        return 1 < lost == len(said) and any(
            subject_kind(lemma(w, "NOUN")) != "food" for w in named
        )
    return bool(named) and lost >= least


def _is_for_another(idea: str, text: str, covers: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the evidence belongs to another idea or to another text.

    Evidence of an idea in another language may say in English what the idea says.
    """
    asked, shown = Shown.of(idea, idea), Shown.of(text, idea)
    said = [flat(str(one.get("said", ""))) for one in covers]
    is_asked = any(asked.holds(one) or any(map(asked.has, tokens(one))) for one in said if one)
    if any(said) and not is_asked and (is_english(idea) or not is_english(" ".join(said))):
        return True
    if any(_stands(one.get("shown_as"), shown) for one in covers):
        return False
    named = _named(idea, language_of(idea))
    is_kin = any(map(shown.has, named)) or shown.has_kind_of(named)
    return not is_kin and (bool(named) or len(covers) > 1)


def _agrees(cover: Mapping[str, Any]) -> bool:
    """Tell whether a claim names the same as it shows: a word, a film term or a kind of thing."""
    said, shown = (_meanings(str(cover.get(name, ""))) for name in ("said", "shown_as"))
    return bool(said & shown)


def _meanings(words: str) -> set[str]:
    """Return the forms, terms and kinds of the content words of a claim."""
    plain = flat(words)
    forms = {form for word in content_words(plain) for form in forms_of(word)}
    kinds = {kind for word in content_words(plain) if (kind := subject_kind(word)) != "object"}
    terms = {term.term for term in find_terms(plain)}
    return {one for one in (*forms, *kinds, *terms) if one}


def _named(idea: str, language: str) -> list[str]:
    """Return the words of an idea that are known to name a thing, a place or the weather."""
    if language:
        return [
            said
            for _, _, said in sure_words(idea, language)
            if said.startswith(("noun:", "setting:", "weather:", "subject:"))
        ]
    return [
        word
        for word in _said_words(idea)
        if subject_kind(lemma(word, "NOUN")) or place_named(lemma(word, "NOUN"))
    ]


def _is_thought(said: Collection[str]) -> bool:
    """Tell whether an idea is abstract, without a fixed look: "autumn learns to whisper"."""
    stems: str = _thoughts()
    return any(re.fullmatch(rf"(?:{stems})\w{{0,{_LONGEST_ENDING}}}", word) for word in said)


@cache
def _thoughts() -> str:
    folder = resources.files("workbench.prompts").joinpath("data")
    return "|".join(
        tomllib.loads(folder.joinpath("guard.toml").read_text("utf-8"))["thoughts"].split()
    )


def _is_spelt(words: Collection[str]) -> bool:
    """Tell whether most of ``words`` are in the dictionary; others are typos or foreign."""
    return 2 * sum(bool(lemmas(word)) for word in words) > len(words)


def _said_words(idea: str) -> list[str]:
    """Return the words of an idea that the text must show."""
    language = language_of(idea)
    small = small_words(language) | leading_words(language)
    words: list[str] = []
    for word in content_words(without_request(idea)):
        if is_unspaced(word):
            words += [run for run in _BETWEEN.split(word) if len(run) > 1 or _is_picture(run)]
        elif word not in _NOT_SAID | small and (len(word) > 2 or word.isdigit()):
            words.append(word)
    return words


def _is_picture(run: str) -> bool:
    """Tell whether ``run`` is one character that is a word by itself."""
    return len(run) == 1 and script_of(run) == "CJK"


def _is_other_run(idea: str, text: str, lost: int, said: int) -> bool:
    """Tell whether a text in its language has almost no character of an unspaced idea."""
    held = {c for word in _said_words(idea) for c in word if script_of(c) != "HIRAGANA"}
    if len(held) < _FEWEST_CHARACTERS or not said:
        return False
    shared = sum(character in text for character in held)
    is_lost = lost >= _LOST_ABROAD * said
    return not shared or (shared <= _FEWEST_SHARED * len(held) and is_lost)


def _is_strange_to_dictionary(idea: str, text: str, language: str, *, least: int) -> bool:
    """Tell whether an English text has none of the ``least`` or more things of the idea."""
    named = [
        said.partition(": ")[2]
        for _, _, said in sure_words(idea, language)
        if said.startswith(("noun:", "setting:"))
    ]
    have = {form for word in tokens(text) for form in forms_of(word)}
    known = [{form for word in content_words(one) for form in forms_of(word)} for one in named]
    return len(known) >= least and not any(forms & have for forms in known)
