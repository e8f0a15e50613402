"""Language models: who writes prompts, what could, and choosing among it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from server_extension.schemas.common import Body, Identifier
from workbench.prompts.language_models.overview import ChoiceObject, LanguageOverview

__all__ = ["CheckObject", "LanguageAnswer", "LanguageOverview", "LanguageRequest"]

_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]


class LanguageRequest(Body):
    """What to do: ``use`` a model, ``test`` one, list the ``models`` of an endpoint, ``fetch`` one.

    A model to use is chosen for the session; with ``as_default`` for all that have chosen nothing;
    with neither a session is started that it is chosen for.
    """

    do: Literal["use", "test", "models", "fetch"]
    provider: Literal["builtin", "openai", "local"] = Field(
        "openai",
        description="The built-in composer, an OpenAI-compatible endpoint, or a local model.",
    )
    model: _Line = Field(
        "", description="Its name at the endpoint or in the catalogue, or its path."
    )
    base_url: _Line = Field("", examples=["http://127.0.0.1:11434/v1"])
    server: _Line = Field("", description="Display name of the server.")
    api_key: SecretStr = Field(
        SecretStr(""),
        description="Stored in the system's keyring or in a file that only its owner can read; never "
        "returned. Testing and listing do not store it. Empty means the stored one.",
        max_length=10_000,
    )
    session_id: Identifier | None = None
    as_default: bool = False


class CheckObject(BaseModel):
    """What asking a model one small question showed."""

    answers: bool
    message: str
    duration_s: float


class LanguageAnswer(BaseModel):
    """Who writes now, and what was asked about."""

    session_id: str | None
    choice: ChoiceObject = Field(description="The writer of the session.")
    is_own: bool = Field(description="Whether the session chose it; otherwise it is the default.")
    default: ChoiceObject
    check: CheckObject | None = Field(description="Result of a test or listing; null if none.")
    models: list[str] | None = Field(description="The endpoint's models; null if not requested.")
