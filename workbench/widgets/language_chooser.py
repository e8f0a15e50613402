"""Chooses the language model that writes the prompts. A private page sees only its name."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

from pydantic import Field

from workbench.errors import InvalidRequest
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View
from workbench.widgets.session_controller import SessionController

__all__ = ["LanguageChooser"]

Name = Annotated[str, Field(min_length=1, max_length=400)]
Address = Annotated[str, Field(max_length=2_000)]
Key = Annotated[str, Field(max_length=4_000)]


class LanguageChooser:
    """The language model of the session at one screen. Every method runs on the loop."""

    def __init__(
        self, studio: Studio, controller: SessionController, *, private: bool = False
    ) -> None:
        self._studio = studio
        self._controller = controller
        self._private = private

    @command
    async def language_label(self) -> View:
        """Return the name of the model that writes in the open session."""
        choice = await asyncio.to_thread(
            self._studio.language.choice, self._controller.session_to_write_in
        )
        return {"label": choice.label, "provider": choice.provider}

    @command
    async def language(self) -> View:
        """Return the current model, the servers that respond here, and what can be fetched."""
        self._check()
        session_id = self._controller.session_to_write_in
        return (await self._studio.language.overview(session_id)).model_dump(mode="json")

    @command
    async def use_language(
        self, name: Name, base_url: Address = "", api_key: Key = "", *, as_default: bool = False
    ) -> View:
        """Use a model in the open session; with ``as_default``, wherever none was chosen."""
        choice = await self._named(name, base_url)
        session_id = await self._studio.choose_language(
            choice, self._controller.session_to_write_in, api_key=api_key
        )
        self._controller.write_in(session_id)
        if as_default:
            await self._studio.choose_language(choice, api_key=api_key, as_default=True)
        return await self.language_label()

    @command
    async def test_language(self, name: Name, base_url: Address = "", api_key: Key = "") -> View:
        """Ask a model one small question, and return whether it answered, what, and how fast."""
        choice = await self._named(name, base_url)
        return asdict(await self._studio.language.models.check(choice, api_key))

    @command
    async def models_at(self, base_url: Address, api_key: Key = "") -> list[str]:
        """Return the models of an endpoint."""
        self._check()
        return list(await self._studio.language.models.models_at(base_url, api_key))

    @command
    async def fetch_language(self, name: Name) -> None:
        """Start to download a model from the catalogue; ``language`` reports the progress."""
        self._check()
        await asyncio.to_thread(self._studio.language.models.begin_fetching, name)

    async def _named(self, name: str, base_url: str) -> LanguageChoice:
        """Return the choice; a page names models of the catalogue or an endpoint, never files."""
        self._check()
        if not base_url and name != "builtin":
            known = (await self._studio.language.overview()).catalog
            if name not in {one.name for one in known}:
                raise InvalidRequest(f"There is no model {name!r} in the catalogue.")
        return await asyncio.to_thread(self._studio.language.models.named, name, base_url)

    def _check(self) -> None:
        if self._private:
            raise InvalidRequest("Only the dashboard's operator can choose the language model.")
