"""The composer's sentences as data: each with the tests that a scene must pass.

A file is a list of pairs of lines: tests, then a sentence. Tests are split at ";": a key, then
words of which one must hold. ``not_`` before a key negates it; "&name" stands for a list of the
lexicon. "## kind; tests" opens a section: its kind and tests apply to every rule after it. A line
that begins with "# " is a comment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.tagging import verb_classes
from workbench.prompts.composer.datafiles import folder_texts

__all__ = ["BY_WORD", "Rule", "rules_for"]

BY_WORD: Final = ("by", "nouns", "objects", "verbs", "at", "words", "says")
"""Keys that test for words; a rule is indexed by the first of them that it has."""
_SETS: Final = {"shot": "shot_size", "move": "camera_movement", "with": "lens"}
_WEIGHTS: Final = {
    "by": 14, "objects": 14, "nouns": 14, "says": 13, "at": 13, "verbs": 10, "words": 10, "looks": 10,
    "time": 16, "light": 16, "species": 6, "actor": 3, "object": 3,
}  # fmt: skip
"""Weight of a test by its key; 4 for any other key."""
_SURE: Final = 11
_MANY: Final = 14


@dataclass(frozen=True)
class Rule:
    """One sentence, what it shows, and what must hold for it."""

    kind: str
    text: str
    tests: tuple[tuple[str, frozenset[str]], ...]
    values: tuple[tuple[str, str], ...] = ()
    """Shot size, camera movement and lens of a framing; skipped if the user gave any."""

    @cached_property
    def weight(self) -> int:
        """Sum of the weights of its tests; the more specific rule wins."""
        asked = sum(_weight(key, words) for key, words in self.tests)
        return asked + _SURE * any(_is_sure(key, words) for key, words in self.tests)


def _is_sure(key: str, words: frozenset[str]) -> bool:
    """Tell whether a verb alone implies what is seen: a laugh, or a thing that falls by itself."""
    faces = key == "verbs" and any("face" in verb_classes(word) for word in words)
    return faces or (key == "not_actor" and "person" in words)


def _weight(key: str, words: frozenset[str]) -> int:
    if key.startswith("not_"):
        return 1
    if any(word.startswith("@") for word in words):
        return 4
    return _WEIGHTS.get(key, 4) - (len(words) > _MANY)


def rules_for(kind: str, known: Mapping[str, Collection[str]]) -> Iterator[Rule]:
    """Yield the rules of ``kind`` that may hold; ``known`` gives the words of each key."""
    table = _index()[kind]
    found: dict[int, Rule] = dict(table["", ""])
    for key in BY_WORD:
        for word in known[key]:
            found.update(table.get((key, word), ()))
    yield from (found[number] for number in sorted(found))


@cache
def _index() -> Mapping[str, Mapping[tuple[str, str], list[tuple[int, Rule]]]]:
    made: dict[str, dict[tuple[str, str], list[tuple[int, Rule]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number, rule in enumerate(
        rule for text in folder_texts("evidence") for rule in _read(text)
    ):
        tests = dict(rule.tests)
        key = next((key for key in BY_WORD if key in tests), "")
        for word in tests[key] if key else ("",):
            made[rule.kind][key, word].append((number, rule))
    return made


def _read(text: str) -> Iterator[Rule]:
    kind, shared, tests = "", "", None
    for line in text.splitlines():
        if line.startswith("## "):
            kind, _, shared = line[3:].partition(";")
        elif tests is None and line and not line.startswith("# "):
            tests = line
        elif tests is not None:
            yield _made(kind.strip(), f"{shared};{tests}", line)
            tests = None


def _expanded(words: list[str]) -> Iterator[str]:
    """Yield the words, with references such as "&light_words" expanded to their list."""
    for word in words:
        yield from english(word[1:]) if word.startswith("&") else (word,)


def _made(kind: str, header: str, text: str) -> Rule:
    tests: list[tuple[str, frozenset[str]]] = []
    values: list[tuple[str, str]] = []
    for part in header.split(";"):
        key, *words = part.split() or [""]
        if key in _SETS:
            values.append((_SETS[key], " ".join(words)))
        elif key:
            tests.append((key, frozenset(_expanded(words))))
    return Rule(kind, text, tuple(tests), tuple(values))
