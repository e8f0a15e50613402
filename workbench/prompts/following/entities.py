"""Finds the mention of an entity in a text, and edits it when the entity changes."""

from __future__ import annotations

import re

from workbench.lexicon.morphology import lemma
from workbench.prompts.following.agreement import agreeing, is_many, renamed_later, with_pronouns
from workbench.prompts.following.labelled import added
from workbench.prompts.following.spans import DETERMINER, Span, cut, put
from workbench.prompts.phrasing import newcomer_sentence
from workbench.scene import Entity, Scene

__all__ = ["mention_of", "with_entity"]


def mention_of(text: str, entity: Entity) -> Span | None:
    """Return where ``text`` first names ``entity``, including article and looks before it."""
    for name in dict.fromkeys((entity.name, entity.phrase, entity.noun)):
        if not name:
            continue
        found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE)
        if found is not None:
            return _widened(text, Span(found.start(), found.end()), entity)
    if entity.noun:
        for found in re.finditer(r"[\w'-]+", text):
            if lemma(found[0].lower(), "NOUN") == entity.noun:
                return _widened(text, Span(found.start(), found.end()), entity)
    return None


def _widened(text: str, span: Span, entity: Entity) -> Span:
    """Return ``span`` extended by the looks and the determiner before it."""
    start = span.start
    looks = {w.lower() for look in entity.looks for w in look.text.split()}
    while found := re.search(r"(?<![\w-])([\w'-]+),?\s+\Z", text[:start]):
        if found[1].lower() not in looks:
            break
        start = found.start()
    own = re.search(rf"(?<![\w-]){DETERMINER}\s+\Z", text[:start], re.IGNORECASE)
    if own is not None and not re.match(rf"{DETERMINER}\s", text[start : span.end], re.IGNORECASE):
        start = own.start()
    return Span(start, span.end)


def with_entity(text: str, old: Entity, new: Entity, after: Scene) -> str:
    """Return ``text`` with ``old`` changed to ``new``; unnamed attributes become a sentence."""
    span = mention_of(text, old)
    if span is None:
        changed = [k.text for k in new.looks if k not in old.looks]
        if not changed and old.position == new.position and old.name == new.name:
            return text
        return added(text, newcomer_sentence(new, definite=True), after)
    name_before, name_after = old.name, new.name
    if name_before != name_after:
        said = text[span.start : span.end]
        name = name_after
        if said.lower().startswith("the ") and new.determiner.lower() in {"a", "an"}:
            name = re.sub(r"^an?\s+", "the ", name_after)
        text = put(text, span, name)
        span = Span(span.start, span.start + len(name))
        text = renamed_later(text, span.end, old, new)
        text = with_pronouns(text, span, old, new, after)
        if is_many(old) is not is_many(new):
            text = agreeing(text, span.end, many=is_many(new))
    text = _with_looks_after(text, span, old, new)
    if old.position != new.position:
        text = _with_position(text, span, old, new)
    return text


def _with_looks_after(text: str, span: Span, old: Entity, new: Entity) -> str:
    was = [look.text for look in old.looks if look.place == "after"]
    now = [look.text for look in new.looks if look.place == "after"]
    gone = [t for t in was if t not in now]
    come = [t for t in now if t not in was]
    for one in gone:
        found = re.search(re.escape(one), text, re.IGNORECASE)
        if found is None:
            continue
        if come:
            text = text[: found.start()] + come.pop(0) + text[found.end() :]
        else:
            text = cut(text, found.start(), found.end())
    at = span.end
    for one in was:
        found = re.compile(re.escape(one), re.IGNORECASE).search(text, span.start)
        if found is not None and one in now:
            at = max(at, found.end())
    for one in come:
        text = f"{text[:at]} {one}{text[at:]}"
        at += len(one) + 1
    return text


def _with_position(text: str, span: Span, old: Entity, new: Entity) -> str:
    if old.position:
        found = re.compile(re.escape(old.position), re.IGNORECASE).search(text, span.start)
        if found is not None:
            if new.position:
                return text[: found.start()] + new.position + text[found.end() :]
            return cut(text, found.start(), found.end())
    if not new.position:
        return text
    at = span.end
    for look in new.looks:
        found = (
            re.compile(re.escape(look.text), re.IGNORECASE).search(text, span.end)
            if look.place == "after"
            else None
        )
        if found is not None and found.start() <= at + 2:
            at = found.end()
    return f"{text[:at]} {new.position}{text[at:]}"
