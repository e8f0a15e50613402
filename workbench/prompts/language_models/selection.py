"""The available language models: servers, catalogue, default and keys as one object.

REST, notebooks, the screen and the command line use it. Knows no session.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from workbench.downloads import Downloads, OnProgress
from workbench.errors import Conflict, FieldProblem, InvalidRequest
from workbench.prompts.language_models.catalog import catalog, fetch, named, refusal_of
from workbench.prompts.language_models.checking import EndpointCheck, check_endpoint
from workbench.prompts.language_models.choice import (
    LanguageChoice,
    read_default,
    write_default,
)
from workbench.prompts.language_models.discovery import (
    find_servers,
    list_models,
    normal_url,
)
from workbench.prompts.language_models.keys import Keys, open_keys
from workbench.prompts.language_models.overview import (
    CatalogObject,
    ChoiceObject,
    LanguageOverview,
    catalog_objects,
    server_objects,
)
from workbench.settings import Settings

__all__ = ["BUILT_IN", "LanguageModels"]

BUILT_IN: Final = LanguageChoice()
"""The built-in composer."""


class LanguageModels:
    """The language models of one ``outputs/``. Creating it asks no server."""

    def __init__(self, settings: Settings, keys: Keys | None = None) -> None:
        self._settings = settings
        self._given_keys = keys

    @property
    def default(self) -> LanguageChoice:
        """The choice of sessions without one of their own."""
        return read_default(self._settings)

    async def models_at(self, base_url: str, api_key: str = "") -> tuple[str, ...]:
        """Return the models of an endpoint; raises as :func:`discovery.list_models` does."""
        url = normal_url(base_url)
        return await list_models(url, api_key or self.key(url))

    def local(self, name: str) -> LanguageChoice:
        """Return the choice of a local model: a catalogue name, a ``.gguf`` file or a folder.

        Raises ``InvalidRequest``, with how to get it, if it is missing.
        """
        known = next((one for one in catalog() if name in {one.name, one.file}), None)
        path = known.path if known else Path(name).expanduser()
        if path is not None and path.exists():
            return LanguageChoice(provider="local", model=str(path.absolute()))
        problem = f"is not here. Run: {known.command}" if known else "is not a file or folder here"
        raise InvalidRequest(f"The model {name!r} {problem}", (FieldProblem("model", problem),))

    def named(self, model: str, base_url: str = "") -> LanguageChoice:
        """Return the choice that ``model`` names: ``builtin``, one at ``base_url``, or a local one.

        Raises ``InvalidRequest`` for an invalid address and a missing local model.
        """
        if model == "builtin":
            return BUILT_IN
        if base_url:
            url = normal_url(base_url)
            return LanguageChoice(provider="openai", model=model, base_url=url)
        return self.local(model)

    def checked(self, choice: LanguageChoice) -> LanguageChoice:
        """Return ``choice`` as it is stored: with its full address, or its file's full path.

        Raises ``InvalidRequest`` for an invalid address and a missing local model.
        """
        if choice.provider == "openai":
            return choice.model_copy(update={"base_url": normal_url(choice.base_url)})
        return BUILT_IN if choice.provider == "builtin" else self.local(choice.model)

    async def check(self, choice: LanguageChoice, api_key: str = "") -> EndpointCheck:
        """Ask the chosen model one short question; failures are returned, never raised."""
        if choice.provider == "builtin":
            return EndpointCheck(True, "The built-in composer is always there.")
        if choice.provider != "openai":
            here = await asyncio.to_thread(Path(choice.model).exists)
            is_here = here or self._settings.allow_hub
            return EndpointCheck(
                is_here, f"{choice.label} {'is here' if is_here else 'is not here'}."
            )
        return await check_endpoint(choice, api_key or self.key(choice.base_url))

    def make_default(self, choice: LanguageChoice, api_key: str = "") -> LanguageChoice:
        """Make ``choice`` the default and store its key.

        Returns the choice as it is stored. Raises ``InvalidRequest`` for an invalid address,
        ``LanguageModelError`` where the default or the key cannot be stored.
        """
        kept = self.checked(choice)
        self.keep_key(kept, api_key)
        write_default(self._settings, kept)
        return kept

    def keep_key(self, choice: LanguageChoice, api_key: str) -> None:
        """Store an endpoint's key; an empty one changes nothing."""
        if api_key and choice.provider == "openai":
            self._keys.put(choice.base_url, api_key.strip())

    def fetch(self, name: str, on_progress: OnProgress | None = None) -> LanguageChoice:
        """Fetch a model of the catalogue and return its choice; see :func:`catalog.fetch`."""
        path = fetch(name, allow_hub=self._settings.allow_hub, on_progress=on_progress)
        return LanguageChoice(provider="local", model=str(path))

    def begin_fetching(self, name: str) -> None:
        """Fetch a model in the background; :meth:`overview` shows the progress.

        Raises ``NotFound``, and ``Conflict`` with the command to run if the hub is not allowed.
        """
        model = named(name)
        if not self._settings.allow_hub and model.path is None:
            raise Conflict(refusal_of(model))
        self._downloads.start(model.name)

    async def overview(self, choice: LanguageChoice, *, is_own: bool) -> LanguageOverview:
        """Return ``choice``, the other available models, and the progress of downloads.

        Asking local servers takes at most 0.3 s.
        """
        servers, (has_key, models) = await asyncio.gather(
            find_servers(), asyncio.to_thread(self._looked_up, choice)
        )
        return LanguageOverview(
            choice=ChoiceObject.of(choice),
            is_own=is_own,
            default=ChoiceObject.of(self.default),
            has_key=has_key,
            key_place=self.key_place,
            can_run=find_spec("xllamacpp") is not None,
            can_fetch=self._settings.allow_hub and find_spec("huggingface_hub") is not None,
            servers=server_objects(servers),
            catalog=models,
        )

    def _looked_up(self, choice: LanguageChoice) -> tuple[bool, list[CatalogObject]]:
        """Return whether a key is stored, and the catalogue. Reads disk and keyring."""
        has_key = choice.provider == "openai" and bool(self.key(choice.base_url))
        return has_key, catalog_objects(catalog(), self._downloads.known)

    @cached_property
    def _downloads(self) -> Downloads:
        return Downloads(self.fetch)

    @property
    def key_place(self) -> str:
        """Where keys are stored, as text."""
        return self._keys.place

    @cached_property
    def _keys(self) -> Keys:
        return self._given_keys or open_keys()

    def key(self, base_url: str) -> str:
        """Return an endpoint's key from the settings or the store; empty where there is none."""
        if base_url and base_url == self._settings.language_base_url:
            return self._settings.language_api_key.get_secret_value() or self._keys.get(base_url)
        return self._keys.get(base_url)
