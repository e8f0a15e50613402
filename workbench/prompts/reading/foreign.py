"""Reads texts in other languages with a small dictionary; the rest is kept as is."""

from __future__ import annotations

from workbench.lexicon.languages import language_of, sure_words
from workbench.prompts.reading.phrases import kind_of
from workbench.prompts.reading.reading import Reading, Said
from workbench.scene import Beat, Entity, Origin, Scene

__all__ = ["foreign_reading"]


def foreign_reading(text: str) -> Reading | None:
    """Return the reading of a text that is not English, or None for English.

    The text is kept word for word; the scene holds only the values of known words.
    """
    language = language_of(text)
    if not language:
        return None
    values: dict[str, str] = {}
    cast: list[Entity] = []
    beats: list[Beat] = []
    said: list[Said] = []
    known: list[tuple[str, str]] = []
    for start, end, meaning in sure_words(text, language):
        name, _, value = meaning.partition(": ")
        known.append((text[start:end], value))
        if name == "noun":
            if all(entity.noun != value for entity in cast):
                cast.append(_entity(f"e{len(cast) + 1}", value, is_lead=not cast))
            said.append(Said(start, end, "cast", value, entity=cast[-1].id))
        elif name == "verb":
            beats.append(Beat(f"b{len(beats) + 1}", value, cast[-1].id if cast else ""))
            said.append(Said(start, end, "beats", value, beat=beats[-1].id))
        else:
            values.setdefault(name, value)
            said.append(Said(start, end, name, value))
    if not cast:
        cast = [Entity("e1", text, "", None, is_lead=True)]
    scene = Scene.empty().edit(
        {**values, "cast": tuple(cast), "beats": tuple(beats)}, origin=Origin.SAID
    )
    return Reading(
        text=text,
        scene=scene,
        said=tuple(said),
        unread=(text,),
        language=language,
        known=tuple(dict.fromkeys(known)),
    )


def _entity(entity_id: str, noun: str, *, is_lead: bool) -> Entity:
    return Entity(entity_id, noun, noun, None, kind_of(noun), is_lead=is_lead)
