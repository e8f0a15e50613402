"""Replaces names in a request by those of the prompt: "the coat" becomes "the raincoat".

Users name things freely; another word for the same thing must not add a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.lexicon.morphology import is_noun, is_plural, lemma
from workbench.lexicon.tagging import Token, tagged
from workbench.prompts.intents.words import data, word_list

__all__ = ["named_alike"]

_DEFINITE: Final = frozenset(["the", "that", "this", "his", "her", "their", "its"])
_STARTS: Final = frozenset([".", ",", ";", "!", "?", ":", "and", "but", "then", "so"])
_SHORTEST: Final = 3
"""Minimum letters of a name that is the end of another: "coat", "raincoat"."""


def named_alike(request: str, prompt: str) -> str:
    """Return ``request`` with synonyms replaced by the names that ``prompt`` uses."""
    names = _names_in(prompt)
    made = request
    words = tagged(request)
    for at in range(len(words) - 1, -1, -1):
        word = words[at]
        is_definite = at > 0 and words[at - 1].low in _DEFINITE
        is_bare = (at == 0 or words[at - 1].low in _STARTS) and _acts(words, at + 1)
        if not (is_definite or is_bare) or not is_noun(word.low) or word.tag not in "NA":
            continue
        own = lemma(word.low, "NOUN")
        if own in names:
            said = word.text if is_bare and not is_plural(word.low) else ""
        else:
            alike = [name for name in names if _is_alike(own, name)]
            said = alike[0] if len(alike) == 1 and not is_plural(word.low) else ""
        if said and (is_bare or said != word.text) and own not in word_list("mass"):
            made = f"{made[: word.start]}{'the ' if is_bare else ''}{said}{made[word.end :]}"
    return made


def _names_in(prompt: str) -> list[str]:
    """Return the singular nouns of ``prompt``, each once."""
    found = (lemma(t.low, "NOUN") for t in tagged(prompt) if t.tag == "N" and not is_plural(t.low))
    return list(dict.fromkeys(found))


def _is_alike(said: str, name: str) -> bool:
    synonyms = data("words")["synonyms"]
    is_other = said in str(synonyms.get(name, "")).split()
    return is_other or (
        len(said) >= _SHORTEST
        and name.endswith(said)
        and len(name) >= len(said) + _SHORTEST
        and is_noun(name)
    )


def _acts(words: Sequence[Token], at: int) -> bool:
    return at < len(words) and words[at].tag in "VX" and words[at].low not in {"can", "could"}
