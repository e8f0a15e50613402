"""The list of sessions: search, names, tags, archive, deletion, and disk space."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View, session_line
from workbench.widgets.session_controller import SessionController

__all__ = ["SessionLibrary"]

_LISTED: Final = 100


class SessionLibrary:
    """Every session that this screen may see. Every method runs on the loop."""

    def __init__(
        self, studio: Studio, controller: SessionController, *, private: bool = False
    ) -> None:
        self._studio = studio
        self._controller = controller
        self._private = private

    @command
    async def sessions(self, known: list[str], query: str = "", *, archived: bool = False) -> View:
        """Return recent sessions and the space of all; a private screen gets those it knows."""
        return await asyncio.to_thread(self._listed, known, query, archived)

    @command
    async def label_session(
        self,
        session: str,
        name: str | None = None,
        tags: list[str] | None = None,
        *,
        archived: bool | None = None,
    ) -> None:
        """Name, tag or archive a session; null leaves a value unchanged."""
        await asyncio.to_thread(
            self._studio.sessions.label, session, name=name, tags=tags, archived=archived
        )

    @command
    async def delete_session(self, session: str, *, starred: bool = False) -> View:
        """Delete a session with its videos; if it is open, the screen is cleared."""
        gone = await asyncio.to_thread(self._studio.delete_session, session, starred=starred)
        if self._controller.open_session == session:
            await self._controller.fresh()
        return {"videos": len(gone)}

    @command
    async def undelete_session(self, session: str) -> None:
        """Restore a deleted session, and open it."""
        await asyncio.to_thread(self._studio.undelete_session, session)
        await self._controller.take_up(session)

    def _listed(self, known: Sequence[str], query: str, archived: bool) -> View:
        found = self._studio.sessions.sessions(
            limit=_LISTED, query=query, archived=archived, among=known if self._private else None
        )
        storage = self._studio.jobs.storage()
        lines = [
            session_line(one, *storage.by_session.get(one.session_id, (0, 0))) for one in found
        ]
        total = sum(line["bytes"] for line in lines) if self._private else storage.video_bytes
        return {"sessions": lines, "bytes": total}
