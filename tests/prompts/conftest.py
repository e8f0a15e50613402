"""A misbehaving endpoint, and settings that point at it with little patience."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.prompts.misbehaving import KEY, Misbehaving
from workbench.settings import Settings

LIMIT_S = 60.0
"""A limit that no answer reaches, however busy the machine is."""
SHORT_LIMIT_S = 1.5
"""For an endpoint that lets its client wait until the limit."""


@pytest.fixture
def endpoint() -> Iterator[Misbehaving]:
    with Misbehaving.running() as server:
        yield server


@pytest.fixture
def settings(endpoint: Misbehaving, tmp_path: Path) -> Settings:
    return Settings(
        outputs=tmp_path / "outputs",
        language_provider="openai",
        language_model="fake",
        language_base_url=endpoint.base_url,
        language_api_key=SecretStr(KEY),
        language_timeout_s=LIMIT_S,
        language_retries=1,
    )


@pytest.fixture
def impatient(settings: Settings) -> Settings:
    """Return the settings with the short limit."""
    return settings.model_copy(update={"language_timeout_s": SHORT_LIMIT_S})
