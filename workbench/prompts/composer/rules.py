"""The composer's sentences as data: each with the tests that a scene must pass before it is said.

A file is a list of pairs of lines, tests and sentence. Tests are split at ";": a key, then the words of
which one must hold; ``not_`` before a key turns it round, and "&name" stands for a list of the lexicon's. "## kind; tests" opens a section, whose kind
and tests every rule after it has. A line that begins with "# " is a comment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.tagging import verb_classes
from workbench.prompts.composer.datafiles import folder_texts

__all__ = ["BY_WORD", "Rule", "rules_for"]

BY_WORD: Final = ("by", "nouns", "objects", "verbs", "at", "words", "says")
"""Keys that ask for words; a rule is found by the first of them that it has."""
_SETS: Final = {"shot": "shot_size", "move": "camera_movement", "with": "lens"}
_WEIGHTS: Final = {
    "by": 14, "objects": 14, "nouns": 14, "says": 13, "at": 13, "verbs": 10, "words": 10, "looks": 10,
    "time": 16, "light": 16, "species": 6, "actor": 3, "object": 3,
}  # fmt: skip
"""How much a test says of a scene; of any other key 4."""
_SURE: Final = 11
_MANY: Final = 14


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence, what it shows, and what must hold for it."""

    kind: str
    text: str
    tests: tuple[tuple[str, frozenset[str]], ...]
    values: tuple[tuple[str, str], ...] = ()
    """The shot size, camera movement and lens that a framing says; it is left out where one is said."""

    @property
    def weight(self) -> int:
        """How much it asks for: the rule that asks for more knows more."""
        asked = sum(_weight(key, words) for key, words in self.tests)
        return asked + _SURE * any(_is_sure(key, words) for key, words in self.tests)


def _is_sure(key: str, words: frozenset[str]) -> bool:
    """Tell whether a verb alone says what is seen: a laugh, or a thing that falls of itself."""
    faces = key == "verbs" and any("face" in verb_classes(word) for word in words)
    return faces or (key == "not_actor" and "person" in words)


def _weight(key: str, words: frozenset[str]) -> int:
    if key.startswith("not_"):
        return 1
    if any(word.startswith("@") for word in words):
        return 4
    return _WEIGHTS.get(key, 4) - (len(words) > _MANY)


def rules_for(kind: str, known: Mapping[str, Collection[str]]) -> Iterator[Rule]:
    """Yield the rules of ``kind`` that may hold where ``known`` gives the words of each key."""
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
    """Yield the words, and those of each list of the lexicon's that is named: "&light_words"."""
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
