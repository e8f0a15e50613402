"""Writes, reads and validates a session as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.actions.model import Action
from workbench.actions.render_settings import RenderSettings
from workbench.errors import FieldProblem, InvalidRequest
from workbench.prompts.model import Entry, EntryKind, Exchange, PromptSession, Source
from workbench.prompts.store import Pointer
from workbench.scene import Change, Scene

__all__ = ["FORMAT", "ReadSession", "read_session", "write_session"]

FORMAT: Final = "world-model-workbench session"
_VERSION: Final = 1


class _Exchange(BaseModel):
    model_config = ConfigDict(extra="ignore")

    model: str
    request: str
    answer: str
    error: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_s: float = 0.0
    finish_reason: str = ""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    index: int = Field(ge=0)
    kind: EntryKind
    prompt: str
    scene: Scene
    parent: int | None = None
    changes: tuple[Change, ...] = ()
    provider: str
    created_at: datetime
    request: str = ""
    is_fallback: bool = False
    source: Source = Source.PROVIDER
    message: str = ""
    job_ids: tuple[str, ...] = ()
    restores: int | None = None
    """The earlier entry that undo, redo or starting over repeats."""
    transcript: tuple[_Exchange, ...] = ()
    actions: tuple[Action, ...] = ()
    settings: RenderSettings = RenderSettings()
    starred: bool = False


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: str = Field(pattern=f"^{FORMAT}$")
    version: int = Field(ge=1, le=_VERSION)
    session_id: str
    created_at: datetime
    current: int | None = None
    redo: tuple[int, ...] = ()
    """The entries that a redo would restore, the next one last."""
    entries: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class ReadSession:
    """The content of a document: entries, each with its exchanges and what it repeats."""

    entries: tuple[Entry, ...]
    exchanges: tuple[tuple[Exchange, ...], ...]
    restores: tuple[int | None, ...]
    pointer: Pointer


def write_session(
    session: PromptSession,
    exchanges: Sequence[Sequence[Exchange]],
    restores: Mapping[int, int],
    pointer: Pointer,
) -> dict[str, Any]:
    """Return ``session`` as plain JSON values."""
    entries = tuple(
        _Entry(
            **{name: getattr(entry, name) for name in Entry.__slots__},
            restores=restores.get(entry.index),
            transcript=tuple(_Exchange(**asdict(exchange)) for exchange in said),
        )
        for entry, said in zip(session.entries, exchanges, strict=True)
    )
    document = _Document(
        format=FORMAT,
        version=_VERSION,
        session_id=session.session_id,
        created_at=session.created_at,
        current=pointer.head,
        redo=pointer.redo,
        entries=entries,
    )
    return document.model_dump(mode="json")


def read_session(document: dict[str, Any]) -> ReadSession:
    """Return the content of ``document``.

    Raises ``InvalidRequest`` if it is not a session, or its entries do not form a tree.
    """
    try:
        read = _Document.model_validate(document)
    except ValidationError as error:
        problems = tuple(
            FieldProblem(".".join(str(part) for part in e["loc"]), e["msg"]) for e in error.errors()
        )
        raise InvalidRequest("This is not an exported session.", problems) from error
    for at, entry in enumerate(read.entries):
        earlier = [i for i in (entry.parent, entry.restores) if i is not None]
        if entry.index != at or not all(0 <= i < at for i in earlier):
            where = FieldProblem(f"entries.{at}", "its index, parent or origin does not fit")
            raise InvalidRequest("The entries do not form a session.", (where,))
    count = len(read.entries)
    is_there = read.current is not None and 0 <= read.current < count
    return ReadSession(
        entries=tuple(_entry(entry) for entry in read.entries),
        exchanges=tuple(
            tuple(Exchange(**e.model_dump()) for e in entry.transcript) for entry in read.entries
        ),
        restores=tuple(entry.restores for entry in read.entries),
        pointer=Pointer(
            read.current if is_there else None, tuple(i for i in read.redo if 0 <= i < count)
        ),
    )


def _entry(read: _Entry) -> Entry:
    values = {name: getattr(read, name) for name in Entry.__slots__}
    return Entry(**values | {"created_at": _aware(read.created_at)})


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
