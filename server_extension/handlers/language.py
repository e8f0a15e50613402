"""Language models: the one that writes prompts, the available ones, and the choice."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict

from pydantic import ValidationError

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, Parameter, operation
from server_extension.schemas.language import (
    CheckObject,
    LanguageAnswer,
    LanguageOverview,
    LanguageRequest,
)
from workbench.errors import FieldProblem, InvalidRequest, LanguageModelError
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.prompts.language_models.overview import ChoiceObject

__all__ = ["LanguageHandler"]

_SESSION = Parameter(
    "session_id",
    {"type": "string", "maxLength": 64},
    "The session whose language model is returned.",
)


class LanguageHandler(ApiHandler):
    """GET and POST /api/language."""

    @operation(
        Operation(
            "Get the current language model and the available ones",
            answer=LanguageOverview,
            query=(_SESSION,),
            errors=(404,),
        )
    )
    async def get(self) -> None:
        """Return the choice, the servers that respond on this machine, and the catalogue."""
        self.answer(await self.on_studio(self.studio.language.overview(self.query("session_id"))))

    @operation(
        Operation(
            "Choose, test or fetch a language model, or list an endpoint's",
            LanguageRequest,
            LanguageAnswer,
            errors=(404, 409, 503),
        )
    )
    async def post(self) -> None:
        """Use, test, list or fetch a model."""
        asked = self.parse(LanguageRequest)
        key = asked.api_key.get_secret_value()
        language, check, models = self.studio.language, None, None
        session_id = asked.session_id
        if asked.do == "models":
            check, models = await self._models_at(asked.base_url, key)
        elif asked.do == "fetch":
            await asyncio.to_thread(language.models.begin_fetching, asked.model)
        elif asked.do == "test":
            found = await self.on_studio(language.models.check(_choice(asked), key))
            check = CheckObject(**asdict(found))
        else:
            session_id = await self.on_studio(
                self.studio.choose_language(
                    _choice(asked), session_id, api_key=key, as_default=asked.as_default
                )
            )
        told = await asyncio.to_thread(self._told, session_id)
        self.answer(told.model_copy(update={"check": check, "models": models}))

    async def _models_at(self, url: str, key: str) -> tuple[CheckObject, list[str]]:
        """Return the models of an endpoint, or why it does not list them."""
        begun = time.monotonic()
        try:
            names = await self.on_studio(self.studio.language.models.models_at(url, key))
        except LanguageModelError as error:
            took = time.monotonic() - begun
            return CheckObject(answers=False, message=str(error), duration_s=took), []
        told = f"It has {len(names)} model{'' if len(names) == 1 else 's'}."
        took = time.monotonic() - begun
        return CheckObject(answers=True, message=told, duration_s=took), list(names)

    def _told(self, session_id: str | None) -> LanguageAnswer:
        language = self.studio.language
        own = None if session_id is None else language.own_choice(session_id)
        return LanguageAnswer(
            session_id=session_id,
            choice=ChoiceObject.of(language.choice(session_id)),
            is_own=own is not None,
            default=ChoiceObject.of(language.choice()),
            check=None,
            models=None,
        )


def _choice(asked: LanguageRequest) -> LanguageChoice:
    """Return the requested choice; raises ``InvalidRequest`` if it is incomplete."""
    try:
        return LanguageChoice(
            provider=asked.provider, model=asked.model, base_url=asked.base_url, server=asked.server
        )
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        field = "base_url" if asked.model else "model"
        raise InvalidRequest(
            f"The choice is incomplete: {problem}.", (FieldProblem(field, problem),)
        ) from error
