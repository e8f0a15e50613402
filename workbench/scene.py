"""The scene behind a prompt, and the changes between two scenes.

Shared by prompts and engines; knows neither of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from operator import itemgetter
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.cast import (
    Aspect,
    Beat,
    Entity,
    EntityKind,
    Look,
    When,
    action_of,
    beats_from,
    details_of,
    leads_from,
    moments,
    next_id,
    subject_of,
    with_details,
)
from workbench.vocabulary import camera_moves, canonical_term, terms, vocabulary

__all__ = [
    "LIST_FIELDS",
    "SCENE_FIELDS",
    "STRUCTURED_FIELDS",
    "Aspect",
    "Beat",
    "Change",
    "Entity",
    "EntityKind",
    "Look",
    "Origin",
    "Scene",
    "When",
    "camera_moves",
    "canonical_term",
    "terms",
    "vocabulary",
]


class Origin(StrEnum):
    """Where the value of a scene field came from."""

    SAID = "said"
    """The user wrote it."""
    INFERRED = "inferred"
    """The composer or a language model chose it."""
    EDITED = "edited"
    """The user changed it by a tuning request or by hand."""
    LOCKED = "locked"
    """The user fixed it: no later step may change it."""


class Change(BaseModel):
    """One named difference between two scenes."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    field: str
    """A scene field, or ``cast`` for an entity that is not part of the subject."""
    before: str | tuple[str, ...]
    after: str | tuple[str, ...]
    entity: str = ""
    """The id of the entity that changed; empty if none or several did."""
    aspect: str = ""
    """What changed: an aspect of its looks, ``name``, ``position``, ``added``, ``removed``."""
    name: str = ""
    """The entity in words: "house"."""

    @property
    def sentence(self) -> str:
        """The change in words: ``time of day: midday → night``, ``house: colour none → red``."""
        name = self.field.replace("_", " ")
        if self.field == "cast":
            if self.aspect in {"added", "removed"}:
                return f"cast: {'+' if self.aspect == 'added' else '-'} {self.name}"
            return f"{self.name}: {self.aspect} {self.before or 'none'} → {self.after or 'none'}"
        if isinstance(self.before, tuple) or isinstance(self.after, tuple):
            gone = [item for item in self.before if item not in self.after]
            come = [item for item in self.after if item not in self.before]
            parts = [f"+ {item}" for item in come] + [f"- {item}" for item in gone]
            return f"{name}: {', '.join(parts) or 'reordered'}"
        return f"{name}: {self.before or 'none'} → {self.after or 'none'}"

    def __str__(self) -> str:
        return self.sentence


class Scene(BaseModel):
    """The structured parameters of a prompt; fields that the prompt does not mention are empty.

    The same object is the API's ``parameters``, part of every recipe, what the widgets edit and
    the structured-output schema of a language model. Immutable: every edit returns a new scene.
    Equality compares values, not their provenance.

    ``cast`` and ``beats`` hold the entities and what happens; ``subject``, ``subject_details`` and
    ``action`` are computed from them. A scene given without a cast derives it from those three, and
    an edit of one of the three edits the cast or the beats.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", str_strip_whitespace=True, defer_build=True
    )

    subject: str = Field("", description="Who or what is seen, with its count, such as 'two dogs'.")
    subject_details: str = Field("", description="The subject's looks: colour, clothing, build.")
    action: str = Field("", description="What the subject does: 'running through puddles'.")
    setting: str = Field("", description="Where it happens: 'a busy city street'.")
    time_of_day: str = ""
    weather: str = ""
    lighting: str = ""
    mood: str = ""
    style: str = Field("", description="The visual style: 'film noir', 'watercolour'.")
    color_palette: str = ""
    shot_size: str = ""
    camera_angle: str = ""
    camera_movement: str = ""
    lens: str = ""
    pace: str = ""
    viewpoint: str = Field("", description="The viewpoint, such as 'dashcam' or 'ego view'.")
    on_screen_text: str = Field("", description="On-screen text, word for word.")
    details: tuple[str, ...] = Field((), description="Other visible things, one phrase each.")
    negative_prompt: str = Field("", description="What must not be seen.")
    cast: tuple[Entity, ...] = Field((), description="Who and what is seen.")
    beats: tuple[Beat, ...] = Field((), description="What happens, in order.")
    provenance: Mapping[str, Origin] = Field(
        default_factory=dict, description="Origin of each field's value."
    )

    @field_validator("provenance")
    @classmethod
    def _only_scene_fields(cls, value: Mapping[str, Origin]) -> Mapping[str, Origin]:
        return {name: origin for name, origin in value.items() if name in _FIELD_NAMES}

    @model_validator(mode="before")
    @classmethod
    def _cast_from_flat_fields(cls, data: Any) -> Any:
        """Derive the cast and the beats of a scene that was given without them."""
        if not isinstance(data, Mapping):
            return data
        flat = {name: data.get(name) or "" for name in _COMPUTED}
        if not all(isinstance(value, str) for value in flat.values()):
            return data  # the field's own validation rejects it
        flat = {name: value.strip() for name, value in flat.items()}
        made = dict(data)
        if not made.get("cast"):
            cast = with_details(flat["subject_details"], leads_from(flat["subject"], ()))
            made["cast"] = cast
        if not made.get("beats"):
            cast = () if data.get("cast") else made["cast"]
            made["beats"] = beats_from(flat["action"], cast)
        return made

    @model_validator(mode="after")
    def _flat_fields_from_cast(self) -> Self:
        for name, value in _computed(self.cast, self.beats).items():
            if getattr(self, name) != value:
                object.__setattr__(self, name, value)
        return self

    @classmethod
    def empty(cls) -> Scene:
        """Return an empty scene.

        It needs no validator, whose construction dominates the cost of a process's first prompt.
        """
        return cls.model_construct()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scene) and _in_order(self) == _in_order(other)

    def __hash__(self) -> int:
        return hash(_in_order(self))

    def values(self) -> dict[str, str | tuple[str, ...]]:
        """Return the value of every text field by name, in order."""
        return dict(zip(SCENE_FIELDS, _in_order(self), strict=False))

    def stated(self) -> dict[str, str | tuple[str, ...]]:
        """Return the fields that are not empty."""
        return {name: value for name, value in self.values().items() if value}

    def origin(self, field: str) -> Origin | None:
        """Return the origin of ``field``'s value; None if unknown."""
        return self.provenance.get(field)

    def is_locked(self, field: str) -> bool:
        """Tell whether ``field`` is locked."""
        return self.provenance.get(field) is Origin.LOCKED

    def edit(
        self, values: Mapping[str, Any], *, origin: Origin = Origin.EDITED, force: bool = False
    ) -> Self:
        """Return this scene with ``values`` set, with the provenance ``origin``.

        Locked fields keep their value unless ``force``. Raises ``KeyError`` for a field that a
        scene does not have.
        """
        if unknown := values.keys() - _FIELD_NAMES:
            raise KeyError(f"A scene has no field {min(unknown)!r}.")
        applied = {k: v for k, v in values.items() if force or not self.is_locked(k)}
        if not all(_is_clean(name, value) for name, value in applied.items()):
            checked = type(self).model_validate({**self._plain_values(), **applied})
            applied = {name: getattr(checked, name) for name in applied} | {
                name: str(applied[name]).strip() for name in _COMPUTED if name in applied
            }
        if not applied.keys().isdisjoint(_OF_CAST):
            applied = self._with_cast(applied, force=force)
        provenance = {**self.provenance, **dict.fromkeys(applied, origin)}
        for name, value in applied.items():
            if not value and origin is not Origin.LOCKED:
                provenance.pop(name, None)
        return self.model_copy(update={**applied, "provenance": provenance})

    def _plain_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*SCENE_FIELDS, *STRUCTURED_FIELDS)}

    def _with_cast(self, values: Mapping[str, Any], *, force: bool) -> dict[str, Any]:
        """Return ``values`` with cast, beats and the fields computed from them in agreement.

        A flat field that is given beside a cast counts only if it differs from this scene's own.
        Values that would change a locked field are left out.
        """
        cast, beats = values.get("cast", self.cast), values.get("beats", self.beats)
        given = {n: v for n, v in values.items() if n in _COMPUTED and v != getattr(self, n)}
        if "subject" in given:
            cast = leads_from(given["subject"], cast)
        if "subject_details" in given:
            cast = with_details(given["subject_details"], cast)
        if "action" in given:
            beats = beats_from(given["action"], cast)
        held = set() if force else {n for n in _OF_CAST if self.is_locked(n)}
        made = {"cast": cast, "beats": beats, **_computed(cast, beats)}
        if any(made[n] != getattr(self, n) for n in held & {"cast", "subject", "subject_details"}):
            cast = self.cast
        if any(made[n] != getattr(self, n) for n in held & {"beats", "action"}):
            beats = self.beats
        made = {"cast": cast, "beats": beats, **_computed(cast, beats)}
        changed = {n: v for n, v in made.items() if n in values or v != getattr(self, n)}
        return {**{n: v for n, v in values.items() if n not in _OF_CAST}, **changed}

    def lock(self, *fields: str) -> Self:
        """Return this scene with ``fields`` locked at their current values."""
        return self.edit(
            {name: getattr(self, name) for name in fields}, origin=Origin.LOCKED, force=True
        )

    def unlock(self, *fields: str) -> Self:
        """Return this scene with ``fields`` unlocked, marked as edited."""
        return self.edit(
            {name: getattr(self, name) for name in fields}, origin=Origin.EDITED, force=True
        )

    def with_origins_of(self, other: Scene, fields: Iterable[str]) -> Self:
        """Return this scene with the provenance of ``fields`` in ``other``, locks included."""
        names = set(fields)
        own = {name: origin for name, origin in self.provenance.items() if name not in names}
        theirs = {name: origin for name, origin in other.provenance.items() if name in names}
        return self.model_copy(update={"provenance": {**own, **theirs}})

    def merge(self, other: Scene) -> Self:
        """Return this scene overlaid with the stated values of ``other``; locked fields stay."""
        stated: dict[str, Any] = {
            name: value
            for name, value in other._plain_values().items()
            if value
            and not (other.cast and name in {"subject", "subject_details"})
            and not (other.beats and name == "action")
        }
        merged = self
        for origin in (*Origin, None):
            group = {k: v for k, v in stated.items() if other.origin(k) is origin}
            if group:
                merged = merged.edit(group, origin=origin or Origin.INFERRED)
        return merged

    def differing(self, other: Scene) -> frozenset[str]:
        """Return the names of the fields in which ``other`` differs, cast and beats included."""
        pairs = zip(_ALL_FIELDS, _in_order(self), _in_order(other), strict=True)
        return frozenset(name for name, mine, theirs in pairs if mine != theirs)

    def changes_to(self, other: Scene) -> tuple[Change, ...]:
        """Return the changes from this scene to ``other``: fields in order, then entities."""
        mine, theirs = self.values(), other.values()
        flat = tuple(
            Change(field=name, before=mine[name], after=theirs[name], **self._about(name, other))
            for name in SCENE_FIELDS
            if mine[name] != theirs[name]
        )
        if self.cast == other.cast:
            return flat
        return (*flat, *_cast_changes(self.cast, other.cast, {c.field for c in flat}))

    def _about(self, name: str, other: Scene) -> dict[str, str]:
        """Return the entity that a change of a computed field concerns, if it is only one."""
        if name not in {"subject", "subject_details"}:
            return {}
        before = {entity.id: entity for entity in self.cast if entity.is_lead}
        changed = [e for e in other.cast if e.is_lead and before.get(e.id) != e]
        if len(changed) != 1 or changed[0].id not in before:
            return {}
        differences = list(_differences(before[changed[0].id], changed[0]))
        aspect = differences[0][0] if len(differences) == 1 else ""
        return {"entity": changed[0].id, "aspect": aspect, "name": _short(changed[0])}

    def entity(self, entity_id: str) -> Entity | None:
        """Return the entity of this id, or None."""
        return next((one for one in self.cast if one.id == entity_id), None)

    def beats_of(self, entity_id: str) -> tuple[Beat, ...]:
        """Return the beats of an entity, in order."""
        return tuple(beat for beat in self.beats if beat.actor == entity_id)

    def moments(self) -> tuple[tuple[Beat, ...], ...]:
        """Return the beats in groups: simultaneous within a group, the groups in order."""
        return moments(self.beats)

    def next_entity_id(self) -> str:
        """Return an id that neither an entity nor a beat of this scene uses."""
        named = [name for beat in self.beats for name in (beat.actor, *beat.targets)]
        return next_id("e", [*(entity.id for entity in self.cast), *named])

    def next_beat_id(self) -> str:
        """Return an id that no beat of this scene has."""
        return next_id("b", [beat.id for beat in self.beats])

    def with_entity(self, entity: Entity, *, origin: Origin = Origin.EDITED) -> Self:
        """Return this scene with ``entity`` replacing the one with its id, or added."""
        cast = tuple(entity if one.id == entity.id else one for one in self.cast)
        if self.entity(entity.id) is None:
            cast = (*cast, entity)
        return self.edit({"cast": cast}, origin=origin)

    def without_entity(self, entity_id: str, *, origin: Origin = Origin.EDITED) -> Self:
        """Return this scene without an entity, its beats, and its role in other beats."""
        cast = tuple(one for one in self.cast if one.id != entity_id)
        beats = tuple(
            replace(beat, targets=tuple(t for t in beat.targets if t != entity_id))
            for beat in self.beats
            if beat.actor != entity_id
        )
        return self.edit({"cast": cast, "beats": beats}, origin=origin)

    def with_beat(
        self, beat: Beat, *, at: int | None = None, origin: Origin = Origin.EDITED
    ) -> Self:
        """Return this scene with ``beat`` replacing the one with its id, or inserted at ``at``."""
        if any(one.id == beat.id for one in self.beats):
            beats = tuple(beat if one.id == beat.id else one for one in self.beats)
        else:
            place = len(self.beats) if at is None else at
            beats = (*self.beats[:place], beat, *self.beats[place:])
        return self.edit({"beats": beats}, origin=origin)

    def without_beat(self, beat_id: str, *, origin: Origin = Origin.EDITED) -> Self:
        """Return this scene without a beat."""
        return self.edit(
            {"beats": tuple(one for one in self.beats if one.id != beat_id)}, origin=origin
        )


STRUCTURED_FIELDS: Final = ("cast", "beats")
"""The fields with entities and beats instead of text."""

SCENE_FIELDS: Final = tuple(
    name for name in Scene.model_fields if name not in {"provenance", *STRUCTURED_FIELDS}
)
"""The names of a scene's text fields, in display order."""

LIST_FIELDS: Final = frozenset({"details"})
"""The fields with several phrases."""

_ALL_FIELDS: Final = (*SCENE_FIELDS, *STRUCTURED_FIELDS)
_FIELD_NAMES: Final = frozenset(_ALL_FIELDS)
_COMPUTED: Final = ("subject", "subject_details", "action")
_OF_CAST: Final = frozenset({*_COMPUTED, *STRUCTURED_FIELDS})
_fields_of: Final = itemgetter(*_ALL_FIELDS)


def _computed(cast: tuple[Entity, ...], beats: tuple[Beat, ...]) -> dict[str, str]:
    return {
        "subject": subject_of(cast),
        "subject_details": details_of(cast),
        "action": action_of(cast, beats),
    }


def _cast_changes(
    before: tuple[Entity, ...], after: tuple[Entity, ...], told: set[str]
) -> tuple[Change, ...]:
    """Return the changes of entities that no change of a flat field covers."""
    was = {entity.id: entity for entity in before}
    is_now = {entity.id: entity for entity in after}
    made: list[Change] = []

    def told_as_subject(entity: Entity) -> bool:
        return entity.is_lead and "subject" in told

    for one in after:
        if one.id not in was:
            if not told_as_subject(one):
                made.append(_change(one, "added", "", one.text))
            continue
        for aspect, old, new in _differences(was[one.id], one):
            is_told = one.is_lead and (
                "subject" in told if aspect == "name" else bool(told & set(_COMPUTED))
            )
            if aspect != "kind" and (aspect == "position" or not is_told):
                made.append(_change(one, aspect, old, new))
    gone = [one for one in before if one.id not in is_now and not told_as_subject(one)]
    return (*made, *(_change(one, "removed", one.text, "") for one in gone))


def _differences(one: Entity, other: Entity) -> Iterable[tuple[str, str, str]]:
    bare = [replace(e, looks=()).name for e in (one, other)]
    if bare[0] != bare[1]:
        yield "name", bare[0], bare[1]
    for aspect in Aspect:
        if one.look(aspect) != other.look(aspect):
            yield aspect, one.look(aspect), other.look(aspect)
    if one.position != other.position:
        yield "position", one.position, other.position


def _change(entity: Entity, aspect: str, before: str, after: str) -> Change:
    name = entity.text if aspect in {"added", "removed"} else _short(entity)
    return Change(
        field="cast", before=before, after=after, entity=entity.id, aspect=aspect, name=name
    )


def _short(entity: Entity) -> str:
    return entity.phrase or entity.noun


def _is_clean(name: str, value: Any) -> bool:
    """Tell whether validation would leave ``value`` unchanged, so that an edit can skip it."""
    if name == "cast":
        return type(value) is tuple and all(type(item) is Entity for item in value)
    if name == "beats":
        return type(value) is tuple and all(type(item) is Beat for item in value)
    if name in LIST_FIELDS:
        return type(value) is tuple and all(_is_clean("", item) for item in value)
    return type(value) is str and value == value.strip()


def _in_order(scene: Scene) -> tuple[Any, ...]:
    """Return every field's value in order; fast, as thousands of scenes are compared."""
    values: tuple[Any, ...] = _fields_of(scene.__dict__)
    return values
