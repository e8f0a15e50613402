"""Wishes about who is seen: how many, who, and what they do."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import (
    inflect,
    is_noun,
    is_plural,
    is_verb,
    lemma,
)
from workbench.lexicon.nouns import head_of
from workbench.lexicon.terms import find_terms, subject_kind, word_list
from workbench.prompts.composer.grammar import read_clause
from workbench.prompts.composer.reading import read
from workbench.prompts.composer.wish_terms import (
    PRONOUNS,
    Values,
    acting,
    subject_words,
)
from workbench.scene import Scene, canonical_term

__all__ = [
    "by_action",
    "by_count",
    "by_one_more",
    "by_subject",
]

_NUMBERS: Final = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "a dozen": 12,
    "a couple of": 2,
}


def by_one_more(wish: str, scene: Scene) -> Values | None:
    """Understand "add another dog", "one more horse", "more dogs" when dogs are the subject."""
    match = re.match(
        r"(?:add\s+|have\s+|show\s+)?(?:an?\s+(?:second|third|fourth|fifth)|another|one more|more|an extra)\s+(\w+)\Z",
        wish,
    )
    if match is None or not scene.subject or " and " in scene.subject:
        return None
    head = head_of(scene.subject)
    if lemma(match[1], "NOUN") != lemma(head, "NOUN"):
        return None
    first = scene.subject.split()[0].lower()
    have = _NUMBERS.get(first, 2 if is_plural(head) else 1)
    return {"subject": _counted(scene.subject, have + 1)}


def by_count(wish: str, scene: Scene) -> Values | None:
    """Understand "two dogs", "make it three", "only one", "there should be five of them"."""
    number = "|".join(_NUMBERS)
    match = re.match(
        rf"(?:(?:make|have|show|use|put|there should be|there are|add|with|i want)\s+)?(?:it |them |that )?(?:only |just |exactly )?({number}|\d+)(?: of (?:them|those|these))?(?:\s+(?!more\b)([\w\s]+?))?(?: instead)?\Z",
        wish,
    )
    if match is None or not scene.subject:
        return None
    if match[0] == match[1] and match[1].isdigit():
        return None
    count = _NUMBERS.get(match[1]) or int(match[1])
    noun = head_of(scene.subject)
    said = (match[2] or "").strip()
    if said and lemma(said.split()[-1], "NOUN") != lemma(noun, "NOUN"):
        return None
    return {"subject": _counted(scene.subject, count)}


def _counted(subject: str, count: int) -> str:
    words = [
        w
        for i, w in enumerate(subject.split())
        if not (i == 0 and w.lower() in english("determiners"))
    ]
    head = head_of(" ".join(words))
    single = lemma(head, "NOUN")
    form = single if count == 1 else inflect(single, "NNS")
    at = next((i for i, w in enumerate(words) if w.lower() == head), len(words) - 1)
    words[at] = form
    spelled = next((w for w, n in _NUMBERS.items() if n == count and " " not in w), str(count))
    return with_article(" ".join(words)) if count == 1 else f"{spelled} {' '.join(words)}"


def by_action(wish: str, scene: Scene) -> Values | None:
    """Understand "make him jump", "the dog should sleep", "have her dancing in the rain", "jumping"."""
    match = re.match(
        rf"(?:make|have|let|get|show|see)\s+(?:{PRONOUNS}|the [\w ]+?|everyone|{subject_words(scene)})\s+(?:to\s+)?(?:be\s+)?([a-z]+(?:ing)?\b.*)\Z",
        wish,
    )
    if match is None:
        match = re.match(
            rf"(?:{PRONOUNS}|the \w+|{subject_words(scene)})\s+(?:should|could|must|needs to|has to|(?:is|are)(?: now)?|can|'s|starts?|start to|begins? to)\s+(?:be\s+)?([a-z]+.*)\Z",
            wish,
        )
    if match is None:
        match = re.match(r"([a-z]+ing\b.*)\Z", wish)
        if match and match[1].split()[0] in word_list("not_acting"):
            match = None
    if match is None:
        return None
    return _act(match[1], scene)


def _act(words: str, scene: Scene) -> Values | None:
    if weather := canonical_term("weather", acting(words)):  # "make it pour"
        return {"weather": weather}
    if re.match(r"(?:take place|happen|be set|be in)\b", words):
        return None
    words = re.sub(r"^(?:stop|go|come|start)(?:s|ing)? (?:and|to) (?=[a-z]+)", "", words)
    verb = words.split(maxsplit=1)[0]
    if (
        not is_verb(verb)
        or verb in {"be", "feel", "seem", "more", "less", "have"}
        or (
            verb == "look"
            and not re.match(r"look (?:at|up|down|away|around|into|out|back)\b", words)
        )
        or (is_noun(verb) and not verb.endswith("ing") and verb in word_list("colors"))
    ):
        return None
    if not verb.endswith("ing") and lemma(verb, "VERB") != verb:
        return None
    if (
        canonical_term("camera_movement", words)
        or canonical_term("pace", words)
        or canonical_term("weather", words)
    ):
        return None
    clause = read_clause(acting(words))
    if not clause.action:
        return {"action": acting(words)} if len(words.split()) <= 3 else None
    values: Values = {"action": clause.action}
    if clause.setting and clause.setting != scene.setting:
        values["setting"] = with_article(clause.setting)
    for term in find_terms(words):
        if term.field in {"weather", "time_of_day", "pace"}:
            values[term.field] = term.term
    if "weather" in values or "time_of_day" in values:
        masked = read(f"someone {acting(words)}").scene
        values["action"] = masked.action or clause.action
        if masked.setting:
            values["setting"] = masked.setting
        else:
            values.pop("setting", None)
    return values


def by_subject(wish: str, scene: Scene) -> Values | None:
    """Understand "make it a cat", "a cat", "it should be an old robot"."""
    named = re.match(rf"(?:make|turn)\s+(?:{PRONOUNS})\s+(?:into\s+)?([a-z]+(?: [a-z]+)?)\Z", wish)
    if named and is_plural(named[1]) and subject_kind(head_of(named[1])):
        return {"subject": named[1]}
    match = re.match(
        r"(?:(?:make|turn|change)\s+(?:it|him|her|them|that|this|the subject)\s+(?:to |into )?|it should be |(?:use|show|have)\s+)?(an?\s+[\w' \-]+|(?:two|three|four|five|some)\s+[\w' \-]+)\Z",
        wish,
    )
    if match is None:
        return None
    clause = read_clause(match[1])
    kind = subject_kind(head_of(clause.subject))
    if kind is None or (clause.action and not scene.subject):
        return None
    values: Values = {"subject": with_article(clause.subject)}
    if clause.action:
        values["action"] = clause.action
    return values
