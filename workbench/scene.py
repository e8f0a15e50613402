"""The scene behind a prompt, the changes between two scenes, and the terms both are written in.

What the language side and the picture side both understand. Knows neither of them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = [
    "LIST_FIELDS",
    "SCENE_FIELDS",
    "Change",
    "Origin",
    "Scene",
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
    before: str | tuple[str, ...]
    after: str | tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The change in words, such as ``time of day: midday → night``."""
        name = self.field.replace("_", " ")
        if isinstance(self.before, tuple) or isinstance(self.after, tuple):
            gone = [item for item in self.before if item not in self.after]
            come = [item for item in self.after if item not in self.before]
            parts = [f"+ {item}" for item in come] + [f"- {item}" for item in gone]
            return f"{name}: {', '.join(parts) or 'reordered'}"
        return f"{name}: {self.before or 'none'} → {self.after or 'none'}"

    def __str__(self) -> str:
        return self.sentence


class Scene(BaseModel):
    """The structured parameters of a prompt; empty where the prompt says nothing.

    The same object is the API's ``parameters``, part of every recipe, what the widgets edit and
    the structured-output schema of a language model. Immutable: every edit returns a new scene.
    Two scenes are equal when their values are, wherever the values came from.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", str_strip_whitespace=True, defer_build=True
    )

    subject: str = Field("", description="Who or what is seen, with its count: 'two dogs'.")
    subject_details: str = Field("", description="How the subject looks: colour, clothing, build.")
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
    details: tuple[str, ...] = Field((), description="Other things to be seen, one phrase each.")
    negative_prompt: str = Field("", description="What must not be seen.")
    provenance: Mapping[str, Origin] = Field(
        default_factory=dict, description="Where each field's value came from."
    )

    @field_validator("provenance")
    @classmethod
    def _only_scene_fields(cls, value: Mapping[str, Origin]) -> Mapping[str, Origin]:
        return {name: origin for name, origin in value.items() if name in SCENE_FIELDS}

    @classmethod
    def empty(cls) -> Scene:
        """Return the scene that says nothing.

        It needs no validator, whose making is most of the work of a process's first prompt.
        """
        return cls.model_construct()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scene) and _in_order(self) == _in_order(other)

    def __hash__(self) -> int:
        return hash(_in_order(self))

    def values(self) -> dict[str, str | tuple[str, ...]]:
        """Return every field's value by name, in order, without the provenance."""
        return dict(zip(SCENE_FIELDS, _in_order(self), strict=True))

    def stated(self) -> dict[str, str | tuple[str, ...]]:
        """Return the fields that say something."""
        return {name: value for name, value in self.values().items() if value}

    def origin(self, field: str) -> Origin | None:
        """Return where ``field``'s value came from; None where that is not known."""
        return self.provenance.get(field)

    def is_locked(self, field: str) -> bool:
        """Tell whether ``field`` is locked."""
        return self.provenance.get(field) is Origin.LOCKED

    def edit(
        self, values: Mapping[str, Any], *, origin: Origin = Origin.EDITED, force: bool = False
    ) -> Self:
        """Return this scene with ``values`` set, their provenance being ``origin``.

        Locked fields keep their value unless ``force``. Raises ``KeyError`` for a field that a
        scene does not have.
        """
        if unknown := values.keys() - _FIELD_NAMES:
            raise KeyError(f"A scene has no field {min(unknown)!r}.")
        applied = {k: v for k, v in values.items() if force or not self.is_locked(k)}
        provenance = {**self.provenance, **dict.fromkeys(applied, origin)}
        for name, value in applied.items():
            if not value and origin is not Origin.LOCKED:
                provenance.pop(name, None)
        if all(_is_clean(name, value) for name, value in applied.items()):
            return self.model_copy(update={**applied, "provenance": provenance})
        data = {**self.values(), **applied, "provenance": provenance}
        return type(self).model_validate(data)

    def lock(self, *fields: str) -> Self:
        """Return this scene with ``fields`` locked at their present values."""
        return self.edit(
            {name: getattr(self, name) for name in fields}, origin=Origin.LOCKED, force=True
        )

    def unlock(self, *fields: str) -> Self:
        """Return this scene with ``fields`` free again, marked as edited."""
        return self.edit(
            {name: getattr(self, name) for name in fields}, origin=Origin.EDITED, force=True
        )

    def with_origins_of(self, other: Scene, fields: Iterable[str]) -> Self:
        """Return this scene with the provenance that ``fields`` have in ``other``: locks, or none."""
        names = set(fields)
        own = {name: origin for name, origin in self.provenance.items() if name not in names}
        theirs = {name: origin for name, origin in other.provenance.items() if name in names}
        return self.model_copy(update={"provenance": {**own, **theirs}})

    def merge(self, other: Scene) -> Self:
        """Return this scene with what ``other`` states laid over it; locked fields stay."""
        stated = other.stated()
        merged = self
        for origin in (*Origin, None):
            group = {k: v for k, v in stated.items() if other.origin(k) is origin}
            if group:
                merged = merged.edit(group, origin=origin or Origin.INFERRED)
        return merged

    def differing(self, other: Scene) -> frozenset[str]:
        """Return the names of the fields in which ``other`` differs."""
        pairs = zip(SCENE_FIELDS, _in_order(self), _in_order(other), strict=True)
        return frozenset(name for name, mine, theirs in pairs if mine != theirs)

    def changes_to(self, other: Scene) -> tuple[Change, ...]:
        """Return what differs in ``other``, field by field in order."""
        mine, theirs = self.values(), other.values()
        return tuple(
            Change(field=name, before=mine[name], after=theirs[name])
            for name in SCENE_FIELDS
            if mine[name] != theirs[name]
        )


SCENE_FIELDS: Final = tuple(name for name in Scene.model_fields if name != "provenance")
"""The names of a scene's fields, in the order in which they are shown."""

_FIELD_NAMES: Final = frozenset(SCENE_FIELDS)
_fields_of: Final = itemgetter(*SCENE_FIELDS)

LIST_FIELDS: Final = frozenset({"details"})
"""The fields that hold several phrases."""


def _is_clean(name: str, value: Any) -> bool:
    """Tell whether ``value`` is what validation would make of it: the many edits need none."""
    if name in LIST_FIELDS:
        return type(value) is tuple and all(_is_clean("", item) for item in value)
    return type(value) is str and value == value.strip()


def _in_order(scene: Scene) -> tuple[str | tuple[str, ...], ...]:
    """Return every field's value in order: the quickest way, for scenes are compared by thousands."""
    values: tuple[str | tuple[str, ...], ...] = _fields_of(scene.__dict__)
    return values


@cache
def vocabulary() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the established terms: field → term → other phrases for it, in the field's order."""
    text = Path(__file__).with_name("vocabulary.toml").read_text("utf-8")
    return MappingProxyType(
        {
            field: MappingProxyType({term: tuple(phrases) for term, phrases in table.items()})
            for field, table in tomllib.loads(text).items()
        }
    )


def terms(field: str) -> tuple[str, ...]:
    """Return the established terms of ``field``; none for a field of free text."""
    return tuple(vocabulary().get(field, {}))


def canonical_term(field: str, text: str) -> str | None:
    """Return the established term of ``field`` that ``text`` as a whole says, or None."""
    return _phrases(field).get(_normal(text))


@cache
def _phrases(field: str) -> Mapping[str, str]:
    table = vocabulary().get(field, {})
    pairs: Iterable[tuple[str, str]] = (
        (phrase, term) for term, phrases in table.items() for phrase in (term, *phrases)
    )
    return {_normal(phrase): term for phrase, term in pairs}


def _normal(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text.strip().lower())
