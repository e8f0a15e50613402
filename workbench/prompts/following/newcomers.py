"""Adds new entities and beats to a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from workbench.lexicon.words import sentence_case
from workbench.prompts.following.beats import is_same
from workbench.prompts.following.entities import mention_of, with_entity
from workbench.prompts.following.labelled import added
from workbench.prompts.following.spans import DETERMINER
from workbench.prompts.phrasing import beat_sentence, newcomer_sentence, preposition_for
from workbench.scene import Beat, Entity, Scene

__all__ = ["with_newcomers"]


def with_newcomers(text: str, before: Scene, after: Scene) -> str:
    """Return ``text`` with a sentence for each new entity and each new beat."""
    known = {beat.id: beat for beat in before.beats}
    fresh = [b for b in after.beats if b.id not in known or not is_same(known[b.id], b)]
    had = {entity.id for entity in before.cast}
    come = [entity for entity in after.cast if entity.id not in had]
    told = list(dict.fromkeys(beat.told for beat in fresh if beat.told))
    shown: list[str] = []
    for entity in come:
        own = [beat for beat in fresh if beat.actor == entity.id]
        if any(beat.told for beat in own):
            continue
        bare = replace(entity, looks=(), position="")
        is_named = (
            not own and (entity.looks or entity.position) and entity.determiner.lower() == "the"
        )
        mention = mention_of(text, bare) if is_named else None
        if mention is not None:
            said = text[mention.start : mention.end]
            text = with_entity(text, _as_said(bare, said), _as_said(entity, said), after)
        elif not before.cast and not before.beats and entity.is_lead and not told:
            text = _opened_with(text, entity, own, after)
            fresh = [beat for beat in fresh if beat not in own]
        elif not own and not any(entity.phrase in one for one in told):
            shown.append(newcomer_sentence(entity))
    new = {entity.id for entity in come}
    for beat in fresh:
        if beat.told:
            shown += [beat.told] if beat.told not in shown else []
            continue
        same = [b for b in fresh if b.actor == beat.actor and not b.told]
        others = same if beat.actor in new else [beat]
        if others[0] == beat:
            is_new = beat.actor in new
            shown.append(beat_sentence(beat, after, others=others[1:], is_new=is_new))
    return added(text, " ".join(filter(None, shown)), after)


def _as_said(entity: Entity, said: str) -> Entity:
    """Return ``entity`` with the determiner that the text uses for it."""
    first = said.split(maxsplit=1)[0]
    own = first if re.fullmatch(DETERMINER, first, re.IGNORECASE) and " " in said else ""
    return Entity(
        id=entity.id, phrase=entity.phrase, noun=entity.noun, count=entity.count, kind=entity.kind,
        looks=entity.looks, position=entity.position, determiner=own,
    )  # fmt: skip


def _opened_with(text: str, entity: Entity, own: Sequence[Beat], after: Scene) -> str:
    """Return a bare place with its first entity in front: "A dog running in a street"."""
    doing = f" {own[0].text}" if own else ""
    if after.setting and (
        found := re.match(
            rf"(?:an?\s+|the\s+)?{re.escape(re.sub(r'^(?:an?|the) ', '', after.setting))}",
            text,
            re.IGNORECASE,
        )
    ):
        lead = f"{entity.text}{doing} {preposition_for(after.setting)} {after.setting}"
        return sentence_case(lead) + text[found.end() :]
    return added(
        text, beat_sentence(own[0], after, is_new=True) if own else newcomer_sentence(entity), after
    )
