"""Guards on every reading: what an action may not put into a scene.

A rule reads words by their form; a guard looks at what would be seen. A reading that fails is dropped,
and its words are named as not understood instead of standing in the prompt.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.actions.model import Action, AddBeat, AddEntity, ChangeBeat, EditEntity, EditField
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.references import is_person, is_singular
from workbench.prompts.intents.words import (
    ANIMATE,
    aspect_of,
    determiners,
    inflect,
    is_adjective,
    is_known,
    is_noun,
    is_plural,
    is_verb,
    lemma,
    number_in,
    place_named,
    subject_kind,
    word_list,
    words_of,
)
from workbench.scene import Entity

__all__ = ["is_question", "is_sound"]

_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_QUESTION: Final = re.compile(
    r"(?:how (?:many|much|long|big|far|old|is|are|does|do)|what|why|who|whose|which|where|when (?:is|are|does|do)|"
    r"can (?:you|one) (?:see|hear) (?:his|her|their|the|any) \w+(?= *\?)|do (?:you|we|i) (?:see|hear|know)|"
    r"(?:is|are|does|do|did|will|has|was|were) (?:the|there|it|he|she|they|this|that|his|her|any|anyone))\b[^?]*\?\W*",
    re.IGNORECASE,
)
_ONE_OF: Final = re.compile(
    r"\bone of\b|\bthe (?!same\b)(?:\w+ )?(?:one|other)\b(?! by one)|\bthe other (?=\w)|"
    r"^(?:only |just |and |then |make |let |have )*one (?!more\b|by one\b|after\b|take\b|shot\b)(?=\w)",
    re.IGNORECASE,
)
_NEGATED: Final = re.compile(
    r"\b(?:not|no|but|except|only|never|\w+n't|doesnt|dont|isnt|musnt|mustnt|one of)\b",
    re.IGNORECASE,
)
_GROUPS: Final = frozenset({"person", "crowd", "animal"})


def is_question(text: str) -> bool:
    """Tell whether ``text`` only asks: "can you see his face?"; "can you make it red?" does not."""
    return bool(_QUESTION.fullmatch(text.strip()))


def is_sound(candidate: Candidate, text: str, context: Context) -> bool:
    """Tell whether everything that a reading puts into the scene can be seen and is read in full."""
    if candidate.already and not candidate.actions:
        return not _NEGATED.search(text) or candidate.intent in {"step", "term"}
    if is_question(text) and _changes(candidate):
        return False
    added: dict[str, AddEntity] = {a.id: a for a in candidate.actions if isinstance(a, AddEntity)}
    return all(_is_sound(action, text, context, added) for action in candidate.actions)


def _changes(candidate: Candidate) -> bool:
    kinds = (AddEntity, EditEntity, EditField, AddBeat, ChangeBeat)
    return any(isinstance(action, kinds) for action in candidate.actions)


def _is_sound(action: Action, text: str, context: Context, added: dict[str, AddEntity]) -> bool:
    if isinstance(action, AddEntity):
        looks = " ".join(look.text for look in action.looks)
        return is_seen(action.phrase, action.determiner or "", count=action.count) and _is_clean(
            f"{looks} {action.position}"
        )
    if isinstance(action, EditEntity):
        return _is_edit_sound(action, text, context)
    if isinstance(action, AddBeat):
        newcomer = added.get(action.actor)
        entity = context.scene.entity(action.actor) if action.actor else None
        if entity is not None and not action.part and _means_one_of(entity, text):
            return False
        if entity is not None and not _may_act(entity, text):
            return False
        return _is_deed(action.text, context, is_new=newcomer is not None)
    if isinstance(action, ChangeBeat):
        return _is_deed(action.text, context, is_new=False)
    if isinstance(action, EditField) and isinstance(action.value, str):
        return _is_field_sound(action.field, action.value, context, text)
    return True


def is_seen(phrase: str, determiner: str, *, count: int | None = 1) -> bool:
    """Tell whether a noun phrase names what a video can show, and nothing else stands in it."""
    words = [w.lower() for w in _WORD.findall(phrase)]
    if not words or not _is_clean(phrase) or ":" in phrase or "," in phrase:
        return False
    if words[0] in words_of("misc", "never_first"):
        return False
    head = words[words.index("of") - 1] if "of" in words[1:] else words[-1]
    base = lemma(head, "NOUN")
    if {head, base} & (words_of("misc", "unseen") | words_of("misc", "abstract")):
        return False
    if any(number_in(word) is not None and word.isdigit() for word in words[1:]):
        return False
    if head in word_list("colors") or number_in(head) is not None:
        return False
    if _is_in_lexicon(base) or _is_in_lexicon(head):
        return True
    if head[:1].isupper() or not is_known(head):
        return True
    if aspect_of(head) is not None or is_adjective(head):
        return False
    is_marked = bool(determiner) or count is None or is_plural(head)
    return is_noun(head) and is_marked and head not in words_of("verbs", "commands")


def _is_in_lexicon(noun: str) -> bool:
    return (
        (subject_kind(noun) is not None and noun not in word_list("colors"))
        or place_named(noun) is not None
        or noun in word_list("clothing") | words_of("nouns", "belongings")
    )


def _is_clean(text: str) -> bool:
    """Tell whether ``text`` holds none of the words that people say to the tool."""
    words = [w.lower() for w in _WORD.findall(text)]
    return not set(words) & words_of("misc", "spoken")


def _means_one_of(entity: Entity, text: str) -> bool:
    """Tell whether one of several is meant, and ``entity`` is all of them."""
    return not is_singular(entity) and bool(_ONE_OF.search(text))


def _may_act(entity: Entity, text: str) -> bool:
    """Tell whether the pronoun that begins ``text`` can mean ``entity``."""
    first = text.lower().split(maxsplit=1)[0]
    kind = str(entity.kind)
    if first in {"he", "she"}:
        return is_singular(entity) and not re.match(
            r"(?:a|the) (?:couple|pair|group)\b", entity.text
        )
    if first in {"everybody", "everyone", "we", "you", "i"}:
        return first not in {"we", "you", "i"} and (is_person(entity) or kind in _GROUPS)
    return True


def _is_edit_sound(action: EditEntity, text: str, context: Context) -> bool:
    entity = context.scene.entity(action.entity)
    if entity is not None and action.aspect == "count" and not _may_count(entity, text, context):
        return False
    value = action.value if isinstance(action.value, str) else ""
    if entity is None or not value:
        return True
    if _MEASURED.search(value) or (action.aspect == "other" and value in {"one", "ones"}):
        return False
    if action.aspect == "phrase":
        if value != entity.phrase and _is_whole_for_part(value, entity):
            return False
        return value.lower() == entity.phrase.lower() or (
            is_seen(value, action.determiner or "the")
            and not re.search(r"\bthe .+ instead\b", text)
        )
    if not _is_clean(value) or value.lower() in _PRAISE:
        return False
    if action.aspect != "position" and _means_one_of(entity, text):
        return False
    if action.aspect == "position":
        return not re.search(r"\bones?\b", value) and not _is_infinitive(value)
    worn = re.fullmatch(r"wearing (.+)", value)
    if worn:
        last = _WORD.findall(worn[1].lower())[-1:]
        return not (set(last) & (word_list("colors") | _BODY))
    if re.match(r"(?:holding|carrying) ", value):
        return is_singular(entity) or not re.search(r"\b(?:her|his) ", value)
    return True


def _may_count(entity: Entity, text: str, context: Context) -> bool:
    """Tell whether a number that names nobody can be about ``entity``, and not about several others."""
    if not is_singular(entity):
        return True
    named = {lemma(word, "NOUN") for word in _WORD.findall(text.lower())}
    others = [e for e in context.scene.cast if e.id != entity.id and not is_singular(e)]
    return not others or bool(named & {lemma(entity.phrase.split()[-1].lower(), "NOUN")})


_MEASURED: Final = re.compile(r"\binstead of\b|\byears? olds?\b", re.IGNORECASE)
_PRAISE: Final = frozenset(
    {"good", "great", "perfect", "nice", "fine", "better", "cool", "much", "many"}
)
_BODY: Final = frozenset(
    [
        "tooth",
        "teeth",
        "eye",
        "eyes",
        "nose",
        "mouth",
        "hand",
        "hands",
        "arm",
        "arms",
        "leg",
        "legs",
        "foot",
        "feet",
        "ear",
        "ears",
    ]
)


def _is_whole_for_part(value: str, entity: Entity) -> bool:
    """Tell whether a part of a body would take the place of somebody."""
    return is_person(entity) and value.lower().split()[-1] in _BODY | words_of(
        "nouns", "belongings"
    )


def _is_infinitive(value: str) -> bool:
    words = value.lower().split()
    return (
        words[:1] == ["to"]
        and len(words) > 1
        and is_verb(words[1])
        and words[1] not in determiners()
    )


_AFTER_VERB: Final = frozenset(
    [
        "up",
        "down",
        "over",
        "out",
        "off",
        "away",
        "back",
        "around",
        "along",
        "together",
        "too",
        "again",
    ]
)


def _is_deed(doing: str, context: Context, *, is_new: bool) -> bool:
    """Tell whether ``doing`` is something that somebody is seen to do, read to its last word."""
    words = [w.lower() for w in _WORD.findall(doing)]
    while len(words) > 1 and (words[0].endswith("ly") or words[0] in {"not", "then", "just"}):
        words = words[1:]
    if not words or not _is_clean(doing):
        return False
    verb = lemma(words[0], "VERB")
    if verb in words_of("verbs", "unseen"):
        return False
    if verb in {"do", "forget", "except", "hate"} or (is_new and verb == "be"):
        return False
    if re.search(r",\s*(?:not|no|but not) |\b(?:wide|close|medium|long)[ -](?:shot|up)\b", doing):
        return False
    rest = words[1:]
    if rest[:1] and is_noun(verb) and words[0].endswith("ing") and not _goes_on(rest[0]):
        # "dogging height", "seeding 77", "grooming dad cries": a noun that was read as a verb.
        is_thing = subject_kind(verb) is not None
        if is_thing and (len(rest) == 1 or _has_finite(rest)):
            return False
        if number_in(rest[0]) is not None and rest[0].isdigit():
            return False
    if (
        is_noun(verb)
        and subject_kind(verb) is not None
        and _has_finite(rest[:2])
        and rest[:1] != ["and"]
    ):
        return False
    if {"him", "he", "she"} & set(rest) and not is_new:
        return any(
            is_singular(e) and (str(e.kind) in ANIMATE or is_person(e)) for e in context.scene.cast
        )
    return True


def _goes_on(word: str) -> bool:
    return (
        word in determiners()
        or word in word_list("prepositions")
        or word in words_of("misc", "pronouns")
        or word in _AFTER_VERB
        or word.endswith("ly")
    )


def _has_finite(words: list[str]) -> bool:
    """Tell whether a verb in the third person follows that nothing joins: "cook freezes"."""
    for i, word in enumerate(words):
        if word in {
            "and",
            "while",
            "as",
            "that",
            "who",
            "which",
            "when",
            "then",
            "until",
            "what",
            "where",
        }:
            return False
        base = lemma(word, "VERB")
        is_finite = is_verb(word) and base != word and inflect(base, "VBZ") == word
        is_led = i > 0 and words[i - 1] in determiners()
        if is_finite and not is_led and subject_kind(word) is None:
            return True
    return False


def _is_field_sound(field: str, value: str, context: Context, text: str) -> bool:
    if field == "camera_movement" and not value:
        now = context.scene.camera_movement or ""
        return "then" not in now or bool(re.search(r"\bcamera|\bmove", text, re.IGNORECASE))
    if field == "camera_movement" and ", her " in value:
        return False
    if field == "style":
        return _is_clean(value) and not re.search(r"\d\s?(?:k|p|fps|hz)\b", value, re.IGNORECASE)
    if field == "setting" and re.match(
        r"(?:behind|over|above|beside|near) a miss\b|.*\bshoulders?$", value
    ):
        return False
    if field != "setting" or not value or value == context.scene.setting:
        return True
    words = [w.lower() for w in _WORD.findall(value)]
    if not words or re.search(r"[:;]|\. ", value) or not _is_clean(value):
        return False
    if any(word.isdigit() and len(word) < 4 for word in words):
        return False
    if not place_named(words[-1]) and (
        words[-1] in words_of("nouns", "belongings")
        or subject_kind(words[-1]) in ANIMATE
        or words[-1] in words_of("misc", "unseen") | words_of("misc", "abstract")
    ):
        return "of" in words[1:]
    return "," not in value or place_named(words[-1]) is not None or value[:1].isupper()
