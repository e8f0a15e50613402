"""Which language model writes in each session: its own choice, else the default.

A session's choice is kept in the index, without its key, for every process of this ``outputs/``.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from workbench.errors import NotFound
from workbench.prompts.language_models.choice import LanguageChoice, read_default
from workbench.prompts.store import PromptStore
from workbench.prompts.writer import PromptWriter
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.prompts.language_models.overview import LanguageOverview
    from workbench.prompts.language_models.selection import LanguageModels

__all__ = ["SessionLanguage"]

_MOST_WRITERS: Final = 8
"""Maximum number of connected writers; the least recently used one is closed first."""


class SessionLanguage:
    """The language models of the sessions of ``store``. Creating it connects to nothing."""

    def __init__(self, settings: Settings, store: PromptStore) -> None:
        self._settings = settings
        self._store = store
        self._writers: OrderedDict[LanguageChoice, PromptWriter] = OrderedDict()
        self._guard = threading.Lock()

    @cached_property
    def models(self) -> LanguageModels:
        """The available language models: servers, catalogue and keys."""
        # Imported on first use: it loads the clients and the keyring.
        from workbench.prompts.language_models.selection import LanguageModels  # noqa: PLC0415

        return LanguageModels(self._settings)

    def own_choice(self, session_id: str) -> LanguageChoice | None:
        """Return the session's own choice; None if it uses the default."""
        kept = self._store.language(session_id)
        try:
            return LanguageChoice.model_validate_json(kept) if kept else None
        except ValidationError:  # written by a later version
            return None

    def choice(self, session_id: str | None = None) -> LanguageChoice:
        """Return the choice of the session, or the default."""
        own = None if session_id is None else self.own_choice(session_id)
        return own or read_default(self._settings)

    def writer(self, session_id: str | None = None) -> PromptWriter:
        """Return the writer of the session, or the default one."""
        choice = self.choice(session_id)
        with self._guard:
            writer = self._writers.get(choice) or self._made(choice)
            self._writers[choice] = writer
            self._writers.move_to_end(choice)
        return writer

    async def overview(self, session_id: str | None = None) -> LanguageOverview:
        """Return the session's language model and the available ones; raises ``NotFound``."""
        self._check(session_id)
        own = None if session_id is None else self.own_choice(session_id)
        return await self.models.overview(self.choice(session_id), is_own=own is not None)

    async def choose(
        self,
        choice: LanguageChoice,
        session_id: str | None = None,
        *,
        api_key: str = "",
        as_default: bool = False,
    ) -> LanguageChoice:
        """Use ``choice`` in the session, or as the default of all sessions (``as_default``).

        Both together make it the default, which the session then follows. Returns the choice as it
        is kept. Raises ``NotFound`` for an unknown session, ``InvalidRequest`` for an invalid
        address or a missing local model, ``LanguageModelError`` where the key or the default cannot
        be stored.
        """
        self._check(session_id)
        kept = self.models.checked(choice)
        self.models.keep_key(kept, api_key)
        if as_default:
            self.models.make_default(kept)
        if session_id is not None:
            self._store.set_language(session_id, "" if as_default else kept.model_dump_json())
        if api_key:
            await self._let_go(one for one in self._held() if one.base_url == kept.base_url)
        await self._let_go(self._held()[:-_MOST_WRITERS])
        return kept

    async def close(self) -> None:
        """Close every connection."""
        await self._let_go(self._held())

    def _check(self, session_id: str | None) -> None:
        if session_id is not None and self._store.created_at(session_id) is None:
            raise NotFound("session", session_id)

    def _made(self, choice: LanguageChoice) -> PromptWriter:
        if choice.provider != "openai":
            return PromptWriter(choice.applied(self._settings))
        return PromptWriter(
            choice.applied(self._settings), find_key=partial(self._key, choice.base_url)
        )

    def _key(self, base_url: str) -> str:
        return self.models.key(base_url)

    def _held(self) -> list[LanguageChoice]:
        with self._guard:
            return list(self._writers)

    async def _let_go(self, choices: Iterable[LanguageChoice]) -> None:
        for choice in choices:
            with self._guard:
                writer = self._writers.pop(choice, None)
            if writer is not None:
                await writer.close()
