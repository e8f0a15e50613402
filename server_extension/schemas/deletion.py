"""Request and response models of deleting and of storage."""

from __future__ import annotations

from pydantic import BaseModel, Field

from server_extension.schemas.common import Body, Identifier

__all__ = ["DeletedAnswer", "SessionStorage", "StorageAnswer", "UndeleteRequest"]


class DeletedAnswer(BaseModel):
    """What was deleted."""

    job_ids: list[str]
    undo_s: float = Field(description="Seconds during which it can be restored.")


class UndeleteRequest(Body):
    """What to bring back."""

    job_ids: list[Identifier] = Field([], max_length=10_000)
    session_id: Identifier | None = Field(
        None, description="The session to restore, with the renders deleted with it."
    )


class SessionStorage(BaseModel):
    """The space that the videos of one session take."""

    session_id: str | None = Field(description="Null for renders without a session.")
    job_count: int
    video_bytes: int


class StorageAnswer(BaseModel):
    """The space that videos take."""

    job_count: int
    video_bytes: int
    deleted_bytes: int = Field(description="Deleted videos that can still be restored.")
    sessions: list[SessionStorage]
