"""Retells who does what where: replaces subject, action, setting and details in a prompt's text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.lexicon.morphology import inflect, is_verb, lemma
from workbench.lexicon.words import sentence_case
from workbench.prompts.composer.circumstances import setting_phrase
from workbench.prompts.composer.facts import ground
from workbench.prompts.composer.verbs import verb_start
from workbench.scene import Change, Scene

__all__ = ["retell"]


def retell(prompt: str, before: Scene, after: Scene, changes: Sequence[Change]) -> str:
    """Return ``prompt`` with the changed subject, details, action, setting and details retold."""
    text = prompt
    for change in changes:
        if change.field == "subject":
            text = _subject(text, before, after)
        elif change.field == "subject_details":
            text = _after_subject(text, after.subject, str(change.before), str(change.after))
        elif change.field == "action":
            text = _action(text, before, after)
        elif change.field == "setting":
            text = _setting(text, before, after)
        elif change.field == "details":
            text = _details(text, tuple(change.before), tuple(change.after))
    return re.sub(r"\s+", " ", text).strip()


def _first(text: str) -> tuple[str, str]:
    first, stop, rest = text.partition(". ")
    return (first + ".", rest) if stop else (text, "")


def _subject(text: str, before: Scene, after: Scene) -> str:
    old, new = before.subject, after.subject
    if not old:
        return _with_somebody(text, new) if new else text
    old_many, new_many = ground(before).cast.many, ground(after).cast.many
    pattern = _phrase_pattern(old)
    match = pattern.search(text)
    if match is None:
        match = re.search(
            rf"\b{re.escape(ground(before).cast.subj.removeprefix('the '))}\b", text, re.IGNORECASE
        )
        if match is None:
            return f"{sentence_case(new)}. {text}" if new else text
    put = sentence_case(new) if match.start() == 0 else new
    rest = text[match.end() :]
    if old_many != new_many:
        rest = _agree(rest, many=new_many)
    text = text[: match.start()] + put + rest
    first, others = _first(text)
    old_cast, new_cast = ground(before).cast, ground(after).cast
    others = _renamed(others, old_cast.subj, new_cast.subj)
    others = _renamed(others, old_cast.short, new_cast.short)
    return f"{first} {others}".strip()


def _with_somebody(text: str, new: str) -> str:
    """Return a text of which nobody was the subject with ``new`` in it."""
    first, rest = _first(text)
    shown = re.sub(r"\bopens (?=\w+ (?:an?|the)\b)", f"shows {new} ", first, count=1)
    if shown == first:
        shown = f"{first.rstrip('.')}, with {new}."
    return f"{shown} {rest}".strip()


def _renamed(text: str, old: str, new: str) -> str:
    """Return ``text`` with the name ``old`` given as ``new``; common words are left alone."""
    if not old.startswith("the ") or old in {"the scene", "the surroundings"}:
        return text
    return re.sub(
        rf"\b{re.escape(old)}\b",
        lambda m: sentence_case(new) if m[0][:1].isupper() else new,
        text,
        flags=re.IGNORECASE,
    )


def _phrase_pattern(phrase: str) -> re.Pattern[str]:
    bare = re.sub(r"^(?:an?|the)\s+", "", phrase, flags=re.IGNORECASE)
    return re.compile(rf"\b(?:(?:an?|the)\s+)?{re.escape(bare)}\b", re.IGNORECASE)


def _agree(rest: str, *, many: bool) -> str:
    """Return what follows the subject with its verb in the right number."""
    clause = re.split(r"[.,;]", rest, maxsplit=1)[0]
    words = clause.split()
    at, finite = verb_start(["somebody", *words])
    be = next((i for i, w in enumerate(words) if w in {"is", "are"}), -1)
    spot = be if finite and be >= 0 else at - 1
    if spot < 0 or spot >= len(words):
        return rest
    word = words[spot]
    if word in {"is", "are"}:
        fresh = "are" if many else "is"
    elif word.endswith(("ing", "ed")) or not is_verb(word):
        return rest
    else:
        fresh = inflect(lemma(word, "VERB"), "VBP" if many else "VBZ")
    return re.sub(rf"\b{re.escape(word)}\b", fresh, rest, count=1)


def _after_subject(text: str, subject: str, old: str, new: str) -> str:
    if old and (match := re.search(rf"\s*{re.escape(old)}\b", text, re.IGNORECASE)):
        return f"{text[: match.start()]}{' ' + new if new else ''}{text[match.end() :]}"
    match = _phrase_pattern(subject).search(text)
    if match is None or not new:
        return text
    return f"{text[: match.end()]} {new}{text[match.end() :]}"


def _action(text: str, before: Scene, after: Scene) -> str:
    new = after.action
    many = ground(after).cast.many
    for form, tag in _action_forms(before.action):
        match = re.search(rf"\b{re.escape(form)}\b", text, re.IGNORECASE)
        if match:
            fresh = _inflected(new, tag, many=many)
            return (
                f"{text[: match.start()]}{fresh}{text[match.end() :]}"
                if fresh
                else text[: match.start()].rstrip() + text[match.end() :]
            )
    match = _phrase_pattern(after.subject).search(text)
    if match and new:
        return f"{text[: match.end()]} {new}{text[match.end() :]}"
    return text


def _action_forms(action: str) -> list[tuple[str, str]]:
    if not action:
        return []
    verb, _, rest = action.partition(" ")
    base = lemma(verb, "VERB")
    forms = []
    for tag in ("VBG", "VBZ", "VBP"):
        form = inflect(base, tag)
        forms.append((f"{form} {rest}".strip(), tag))
    forms.append((action, "VBG"))
    forms += [(inflect(base, tag), tag) for tag in ("VBG", "VBZ", "VBP")]
    return forms


def _inflected(action: str, tag: str, *, many: bool) -> str:
    if not action:
        return ""
    verb, _, rest = action.partition(" ")
    if tag in {"VBZ", "VBP"}:
        tag = "VBP" if many else "VBZ"
    return f"{inflect(lemma(verb, 'VERB'), tag)} {rest}".strip()


def _setting(text: str, before: Scene, after: Scene) -> str:
    new = setting_phrase(after, ground(after))
    if before.setting:
        bare = re.sub(r"^(?:an?|the)\s+", "", before.setting, flags=re.IGNORECASE)
        match = re.search(
            rf"\b(?:(?:in|on|at|by|across|through|along|inside|near|under|over)\s+)?(?:(?:an?|the)\s+)?{re.escape(bare)}\b",
            text,
            re.IGNORECASE,
        )
        if match:
            first = text[: match.start()] + new + text[match.end() :]
            return _renamed(first, ground(before).cast.place, ground(after).cast.place)
    if not new:
        return text
    first, rest = _first(text)
    return f"{first.rstrip('.')} {new}. {rest}".strip()


def _details(text: str, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    for gone in (d for d in before if d not in after):
        text = _without(text, gone)
    come = [d for d in after if d not in before]
    if come:
        first, rest = _first(text)
        bare = [re.sub(r"^with\s+", "", d) for d in come]
        text = f"{first.rstrip('.')}, with {' and '.join(bare)}. {rest}".strip()
    return text


def _without(text: str, detail: str) -> str:
    bare = re.sub(r"^(?:with|and)\s+", "", detail)
    match = re.search(rf",?\s*(?:\b(?:with|and)\s+)?{re.escape(bare)}\b", text, re.IGNORECASE)
    return text[: match.start()] + text[match.end() :] if match else text
