"""What can write prompts here, and choosing among it: servers, catalogue, default and keys as one object.

REST, notebooks, the screen and the command line all stand on this. Knows no session.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from workbench.errors import FieldProblem, InvalidRequest
from workbench.prompts.language_models.catalog import CatalogModel, OnProgress, catalog, fetch
from workbench.prompts.language_models.checking import EndpointCheck, check_endpoint
from workbench.prompts.language_models.choice import (
    LanguageChoice,
    read_default,
    write_default,
)
from workbench.prompts.language_models.discovery import (
    FoundServer,
    find_servers,
    list_models,
    normal_url,
)
from workbench.prompts.language_models.keys import Keys, open_keys
from workbench.settings import Settings

__all__ = ["BUILT_IN", "LanguageModels", "LanguageOptions"]

BUILT_IN: Final = LanguageChoice()
"""The composer, which needs nothing."""


@dataclass(frozen=True, slots=True)
class LanguageOptions:
    """What can be chosen here and now."""

    default: LanguageChoice
    servers: tuple[FoundServer, ...]
    """Servers that answer on this machine, with their models."""
    catalog: tuple[CatalogModel, ...]
    """Models that can be fetched; those that are here have a ``path``."""


class LanguageModels:
    """The language models of one ``outputs/``. Cheap to create; asks nobody until it is asked."""

    def __init__(self, settings: Settings, keys: Keys | None = None) -> None:
        self._settings = settings
        self._given_keys = keys

    @property
    def default(self) -> LanguageChoice:
        """What writes in a session that has chosen nothing."""
        return read_default(self._settings)

    async def options(self) -> LanguageOptions:
        """Return what can be chosen; local servers are asked, together at most 0.3 s."""
        return LanguageOptions(self.default, await find_servers(), catalog())

    async def models_at(self, base_url: str, api_key: str = "") -> tuple[str, ...]:
        """Return the models of an endpoint; see :func:`discovery.list_models` for what it raises."""
        url = normal_url(base_url)
        return await list_models(url, api_key or self._key(url))

    def local(self, name: str) -> LanguageChoice:
        """Return the choice of a local model: a name of the catalogue, a ``.gguf`` file or a folder.

        Raises ``InvalidRequest`` for one that is not here, saying how to get it.
        """
        known = next((one for one in catalog() if name in {one.name, one.file}), None)
        path = known.path if known else Path(name).expanduser()
        if path is not None and path.exists():
            return LanguageChoice(provider="local", model=str(path.absolute()))
        problem = f"is not here. Run: {known.command}" if known else "is no file or folder here"
        raise InvalidRequest(f"The model {name!r} {problem}", (FieldProblem("model", problem),))

    def normal(self, choice: LanguageChoice) -> LanguageChoice:
        """Return ``choice`` with its address as it is kept; raises ``InvalidRequest``."""
        if choice.provider != "openai":
            return choice
        return choice.model_copy(update={"base_url": normal_url(choice.base_url)})

    async def check(self, choice: LanguageChoice, api_key: str = "") -> EndpointCheck:
        """Ask the chosen model one small question; what is wrong is told, never raised."""
        if choice.provider == "builtin":
            return EndpointCheck(True, "The built-in composer is always there.")
        if choice.provider != "openai":
            here = await asyncio.to_thread(Path(choice.model).exists)
            is_here = here or self._settings.allow_hub
            return EndpointCheck(
                is_here, f"{choice.label} {'is here' if is_here else 'is not here'}."
            )
        return await check_endpoint(choice, api_key or self._key(choice.base_url))

    def make_default(self, choice: LanguageChoice, api_key: str = "") -> LanguageChoice:
        """Let ``choice`` write in every session that has chosen nothing, and keep its key.

        Returns the choice as it is kept. Raises ``InvalidRequest`` for an address that is none,
        ``LanguageModelError`` where default or key cannot be kept.
        """
        kept = self.normal(choice)
        self.keep_key(kept, api_key)
        write_default(self._settings, kept)
        return kept

    def keep_key(self, choice: LanguageChoice, api_key: str) -> None:
        """Keep the key of an endpoint where this user's keys are; an empty one changes nothing."""
        if api_key and choice.provider == "openai":
            self._keys.put(choice.base_url, api_key.strip())

    def settings_for(self, choice: LanguageChoice) -> Settings:
        """Return the settings with which ``choice`` writes, its key among them."""
        if choice.provider != "openai":
            return choice.applied(self._settings)
        return choice.applied(self._settings, self._key(choice.base_url))

    def fetch(self, name: str, on_progress: OnProgress | None = None) -> LanguageChoice:
        """Fetch a model of the catalogue and return its choice; see :func:`catalog.fetch`."""
        path = fetch(name, allow_hub=self._settings.allow_hub, on_progress=on_progress)
        return LanguageChoice(provider="local", model=str(path))

    @property
    def key_place(self) -> str:
        """Where keys are kept, in words."""
        return self._keys.place

    @cached_property
    def _keys(self) -> Keys:
        return self._given_keys or open_keys()

    def _key(self, base_url: str) -> str:
        if base_url and base_url == self._settings.language_base_url:
            return self._settings.language_api_key.get_secret_value() or self._keys.get(base_url)
        return self._keys.get(base_url)
