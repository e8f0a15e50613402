"""A session as one JSON document: written, read back, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import FieldProblem, InvalidRequest
from workbench.prompts.model import Entry, EntryKind, Exchange, PromptSession, Source
from workbench.scene import Change, Scene

__all__ = ["FORMAT", "read_session", "write_session"]

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
    transcript: tuple[_Exchange, ...] = ()


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: str = Field(pattern=f"^{FORMAT}$")
    version: int = Field(ge=1, le=_VERSION)
    session_id: str
    created_at: datetime
    current: int | None = None
    entries: tuple[_Entry, ...]


def write_session(
    session: PromptSession, exchanges: Sequence[Sequence[Exchange]], current: int | None
) -> dict[str, Any]:
    """Return ``session`` as a document of plain JSON values."""
    entries = tuple(
        _Entry(
            **{name: getattr(entry, name) for name in Entry.__slots__},
            transcript=tuple(_Exchange(**asdict(exchange)) for exchange in said),
        )
        for entry, said in zip(session.entries, exchanges, strict=True)
    )
    document = _Document(
        format=FORMAT,
        version=_VERSION,
        session_id=session.session_id,
        created_at=session.created_at,
        current=current,
        entries=entries,
    )
    return document.model_dump(mode="json")


def read_session(
    document: dict[str, Any],
) -> tuple[list[Entry], list[tuple[Exchange, ...]], int | None]:
    """Return the entries, their transcripts and the current index of a document.

    Raises ``InvalidRequest`` when it is not a session, or its entries do not form a tree.
    """
    try:
        read = _Document.model_validate(document)
    except ValidationError as error:
        problems = tuple(
            FieldProblem(".".join(str(part) for part in e["loc"]), e["msg"]) for e in error.errors()
        )
        raise InvalidRequest("This is not an exported session.", problems) from error
    for at, entry in enumerate(read.entries):
        if entry.index != at or (entry.parent is not None and not 0 <= entry.parent < at):
            where = FieldProblem(f"entries.{at}", "its index or parent does not fit")
            raise InvalidRequest("The entries do not form a session.", (where,))
    current = (
        read.current if read.current is not None and read.current < len(read.entries) else None
    )
    entries = [
        Entry(
            **{name: getattr(entry, name) for name in Entry.__slots__}
            | {"created_at": _aware(entry.created_at)}
        )
        for entry in read.entries
    ]
    said = [tuple(Exchange(**e.model_dump()) for e in entry.transcript) for entry in read.entries]
    return entries, said, current


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
