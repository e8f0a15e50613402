"""Asks an endpoint one short question and reports what is wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from workbench.errors import LanguageModelError
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.prompts.language_models.discovery import list_models, normal_url
from workbench.prompts.language_models.endpoint.chat import ChatEndpoint

__all__ = ["EndpointCheck", "check_endpoint"]

_TEST_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class EndpointCheck:
    """The result of testing an endpoint."""

    answers: bool
    message: str
    """What the user reads: how long it took, or what is wrong and what to do."""
    duration_s: float = 0.0


class _Pong(BaseModel):
    ready: bool


async def check_endpoint(
    choice: LanguageChoice, api_key: str = "", *, timeout_s: float = _TEST_S
) -> EndpointCheck:
    """Ask the endpoint of ``choice`` for its models and one short answer; never raises."""
    begun = time.monotonic()
    try:
        url = normal_url(choice.base_url)
        names = await list_models(url, api_key, timeout_s=timeout_s)
        if names and choice.model not in names:
            near = ", ".join(names[:5])
            return EndpointCheck(False, f"There is no model {choice.model!r} there; it has {near}.")
        endpoint = ChatEndpoint(url, choice.model, api_key, timeout_s=timeout_s, retries=0)
        try:
            question = 'Answer with the JSON object {"ready": true} and nothing else.'
            await endpoint.ask([{"role": "user", "content": question}], _Pong)
        finally:
            await endpoint.close()
    except LanguageModelError as error:
        return EndpointCheck(False, str(error), time.monotonic() - begun)
    took = time.monotonic() - begun
    return EndpointCheck(True, f"{choice.label} answers; that took {took:.1f} s.", took)
