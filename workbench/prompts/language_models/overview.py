"""The chosen language model and the available ones, as REST, screen and command line show them.

Holds no key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from workbench.downloads import Download
from workbench.prompts.language_models.catalog import CatalogModel
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.prompts.language_models.discovery import FoundServer

__all__ = [
    "CatalogObject",
    "ChoiceObject",
    "LanguageOverview",
    "ServerObject",
    "catalog_objects",
    "server_objects",
]


class ChoiceObject(BaseModel):
    """One language model to write with."""

    provider: str = Field(description="builtin, openai (an endpoint) or local (a file or folder).")
    model: str = Field(description="The model's name at the endpoint, or its path.")
    base_url: str
    server: str
    label: str = Field(description="Display name of the choice, such as qwen3:8b (Ollama).")

    @classmethod
    def of(cls, choice: LanguageChoice) -> ChoiceObject:
        """Return ``choice`` as clients see it."""
        return cls(**choice.model_dump(), label=choice.label)


class ServerObject(BaseModel):
    """A language-model server that answers on this machine."""

    name: str
    base_url: str
    models: list[str]
    needs_key: bool = Field(description="Whether listing its models needs a key.")


class CatalogObject(BaseModel):
    """A model that can be fetched and run here."""

    name: str
    repository: str
    file: str
    bytes: int
    memory_bytes: int = Field(description="GPU or host memory it needs while running.")
    licence: str
    good_at: str
    command: str = Field(description="The command that downloads it.")
    is_here: bool
    fetched_bytes: int | None = Field(description="Progress of its download; null if none.")
    problem: str = Field(description="Why its download failed; empty otherwise.")


class LanguageOverview(BaseModel):
    """Who writes prompts, and what could."""

    choice: ChoiceObject = Field(description="The writer of the requested session.")
    is_own: bool = Field(description="Whether the session chose it; otherwise it is the default.")
    default: ChoiceObject
    has_key: bool = Field(description="Whether a key is stored for the chosen endpoint.")
    key_place: str = Field(description="Where keys are stored, as text.")
    can_run: bool = Field(
        description="Whether the package that runs downloaded models is installed."
    )
    can_fetch: bool = Field(
        description="Whether models may be downloaded here (WORKBENCH_ALLOW_HUB)."
    )
    servers: list[ServerObject]
    catalog: list[CatalogObject]


def server_objects(servers: Sequence[FoundServer]) -> list[ServerObject]:
    """Return the servers as clients see them."""
    return [
        ServerObject(
            name=one.name, base_url=one.base_url, models=list(one.models), needs_key=one.needs_key
        )
        for one in servers
    ]


def catalog_objects(
    models: Sequence[CatalogModel], downloads: Mapping[str, Download]
) -> list[CatalogObject]:
    """Return the catalogue as clients see it, with the progress of each download."""
    told = []
    for one in models:
        download = downloads.get(one.name)
        told.append(
            CatalogObject(
                name=one.name,
                repository=one.repository,
                file=one.file,
                bytes=one.bytes,
                memory_bytes=one.memory_bytes,
                licence=one.licence,
                good_at=one.good_at,
                command=one.command,
                is_here=one.path is not None,
                fetched_bytes=None if download is None else download.bytes_here,
                problem="" if download is None else download.problem,
            )
        )
    return told
