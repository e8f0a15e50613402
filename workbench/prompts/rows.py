"""Entries of a session as rows of the index, and back. Knows the columns, no SQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Protocol

from workbench.actions.model import ACTIONS, Action, as_json
from workbench.actions.render_settings import RenderSettings
from workbench.prompts.model import Entry, EntryKind, Source, Turn
from workbench.scene import Change, Scene

__all__ = ["Row", "entry_in", "moment", "numbered", "row_of", "settings_row", "turn_in", "turn_row"]


class Row(Protocol):
    """A row with values by column name."""

    def __getitem__(self, column: str, /) -> Any: ...


def numbered(entry: Entry, index: int) -> Entry:
    """Return ``entry`` with the number ``index``."""
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    return Entry(**{**values, "index": index})


def row_of(session_id: str, entry: Entry, restores: int | None) -> tuple[object, ...]:
    """Return the row of ``entry``, in the order of the columns."""
    return (
        session_id,
        entry.index,
        entry.kind.value,
        entry.prompt,
        _scene_json(entry.scene),
        entry.parent,
        json.dumps([change.model_dump() for change in entry.changes], ensure_ascii=False),
        entry.provider,
        entry.created_at.timestamp(),
        entry.request,
        entry.is_fallback,
        entry.source.value,
        entry.message,
        restores,
        json.dumps(as_json(entry.actions), ensure_ascii=False),
        settings_row(entry.settings),
        int(entry.starred),
    )


def settings_row(settings: RenderSettings) -> str:
    """Return the column value of render settings."""
    return json.dumps(settings.as_json())


def _scene_json(scene: Scene) -> str:
    return json.dumps(scene.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)


def entry_in(row: Row) -> Entry:
    """Return the entry that ``row`` holds."""
    return Entry(
        index=row["entry_index"],
        kind=EntryKind(row["kind"]),
        prompt=row["prompt"],
        scene=Scene.model_validate_json(row["scene"]),
        parent=row["parent"],
        changes=tuple(Change.model_validate(c) for c in json.loads(row["changes"])),
        provider=row["provider"],
        created_at=moment(row["created_at"]),
        request=row["request"],
        is_fallback=bool(row["is_fallback"]),
        source=Source(row["source"]),
        message=row["message"],
        job_ids=tuple(json.loads(row["job_ids"])),
        actions=_actions_in(row["actions"]),
        settings=_settings_in(row["settings"]),
        starred=bool(row["starred"]),
    )


def turn_row(turn: Turn) -> tuple[object, ...]:
    """Return the row of ``turn``, without session and position."""
    actions = json.dumps(as_json(turn.actions), ensure_ascii=False)
    return (turn.request, actions, turn.message, turn.entry, turn.created_at.timestamp())


def turn_in(row: Row) -> Turn:
    """Return the turn that ``row`` holds."""
    return Turn(
        request=row["request"],
        actions=_actions_in(row["actions"]),
        message=row["message"],
        entry=row["entry_index"],
        created_at=moment(row["created_at"]),
    )


def _actions_in(text: str) -> tuple[Action, ...]:
    return () if text == "[]" else ACTIONS.validate_json(text)


def _settings_in(text: str) -> RenderSettings:
    return RenderSettings() if text == "{}" else RenderSettings.model_validate_json(text)


def moment(timestamp: float) -> datetime:
    """Return the time of a row's timestamp."""
    return datetime.fromtimestamp(timestamp, UTC)
