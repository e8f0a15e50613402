"""Which language model writes: a choice as data, and the default of this ``outputs/``.

A choice never holds a key: :mod:`workbench.prompts.language_models.keys` stores those.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from workbench.errors import LanguageModelError
from workbench.settings import Settings

__all__ = ["LanguageChoice", "read_default", "write_default"]

_FILE: Final = "language.json"

_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]


class LanguageChoice(BaseModel):
    """One language model to write with: the composer, an endpoint, or a model in a folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Literal["builtin", "openai", "local", "transformers"] = "builtin"
    model: _Line = Field("", description="The model's name at the endpoint, or its folder.")
    base_url: _Line = Field("", description="The endpoint's address, such as http://host:8000/v1.")
    server: _Line = Field("", description="Display name of the server, such as Ollama.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.provider != "builtin" and not self.model:
            raise ValueError("name the model")
        if self.provider == "openai" and not self.base_url:
            raise ValueError("give the endpoint's address")
        return self

    @classmethod
    def of(cls, settings: Settings) -> LanguageChoice:
        """Return the choice that ``settings`` make."""
        if settings.language_provider == "builtin":
            return cls()
        return LanguageChoice.model_construct(
            provider=settings.language_provider,
            model=settings.language_model,
            base_url=settings.language_base_url,
            server="",
        )

    @property
    def label(self) -> str:
        """The choice in words: ``built-in composer``, ``qwen3:8b (Ollama)``."""
        if self.provider == "builtin":
            return "built-in composer"
        where = self.server or urlsplit(self.base_url).netloc
        name = self.model if self.provider == "openai" else Path(self.model).name
        return f"{name} ({where})" if where else name

    def applied(self, settings: Settings, api_key: str = "") -> Settings:
        """Return ``settings`` with this choice applied."""
        if self == LanguageChoice.of(settings) and not api_key:
            return settings
        values = {
            "language_provider": self.provider,
            "language_model": self.model,
            "language_base_url": self.base_url,
        }
        if api_key:
            values["language_api_key"] = api_key
        elif self.base_url != settings.language_base_url:
            values["language_api_key"] = ""  # one endpoint's key is never sent to another
        return Settings(**{**settings.model_dump(), **values})


def read_default(settings: Settings) -> LanguageChoice:
    """Return the default of this ``outputs/``: the stored choice, else that of the settings."""
    try:
        return LanguageChoice.model_validate_json(_path(settings).read_text("utf-8"))
    except (OSError, ValidationError, ValueError):
        return LanguageChoice.of(settings)


def write_default(settings: Settings, choice: LanguageChoice) -> None:
    """Make ``choice`` the default for every process of this ``outputs/``.

    Raises ``LanguageModelError`` if it cannot be written.
    """
    path = _path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".language-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(choice.model_dump_json())
            Path(name).replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise LanguageModelError(f"The default cannot be saved in {path} ({error}).") from error


def _path(settings: Settings) -> Path:
    return settings.index_path.parent / _FILE
