"""PromptWriter: the language model that the settings choose, with the composer as fallback.

If a language model fails, the text comes from the composer and is marked as such.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from workbench.actions.model import Explain, NotUnderstood, SceneAction
from workbench.errors import FieldProblem, InvalidRequest, LanguageModelError
from workbench.lexicon.morphology import load_rules
from workbench.prompts.composer import composer
from workbench.prompts.composer.varying import vary as compose_variations
from workbench.prompts.distinct import DistinctTexts
from workbench.prompts.following.rewriting import rewrite
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.revising import revise as compose_revision
from workbench.prompts.markers import add_marker, strip_marker
from workbench.prompts.model import (
    ChatFailure,
    Draft,
    Exchange,
    OnText,
    Revision,
    Source,
    Variation,
)
from workbench.scene import Scene
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.prompts.language_models.endpoint.chat import ChatEndpoint
    from workbench.prompts.language_models.writing.language_writer import LanguageWriter, Take

__all__ = ["FindKey", "PromptWriter", "is_about_session", "rewrite_prompt", "scene_of"]

_log = logging.getLogger(__name__)
FindKey = Callable[[], str]
"""Returns an endpoint's stored key; may be slow."""
_LARGEST_CALL = 8
"""Maximum variations in one question; more are split into concurrent questions."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One question for a few variations of one parent, by its index."""

    parent: int
    count: int
    seed: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """The result of a question, and the replacement of each missing variation."""

    question: _Question
    variations: Sequence[Variation] = ()
    said: tuple[Exchange, ...] = ()
    instead: Source = Source.SUBSTITUTE


class PromptWriter:
    """Enhances, reads, varies and revises prompts; never fails for lack of a language model.

    Every method raises only ``InvalidRequest``, for a text that is empty or longer than the
    settings allow. With a language model, one call takes at most ``language_timeout_s`` and some
    milliseconds. ``find_key`` returns the endpoint's key before the first question, and again after
    a refused key.
    """

    def __init__(self, settings: Settings, find_key: FindKey | None = None) -> None:
        self._settings = settings
        self.name: str = settings.language_provider
        self._model = _language_writer(settings, find_key)
        _warm_up()

    @property
    def takes_time(self) -> bool:
        """Whether a language model writes, which takes time; the composer is immediate."""
        return self._model is not None

    async def enhance(
        self, rough: str, *, seed: int = 0, on_text: OnText | None = None, picture: str = ""
    ) -> Draft:
        """Return ``rough`` as a full prompt with its scene.

        ``picture`` is the video's first frame as a data URL, for a model with vision.

        ``on_text`` is called by the event loop with the prompt so far, where a language model can
        stream. Only the returned draft is final: a streamed text may turn out unusable.
        """
        text = self._checked(rough, "rough_prompt")
        if self._model is None:
            return composer.enhance(text, seed=seed)
        try:
            return await self._model.enhance(text, seed=seed, on_text=on_text, picture=picture)
        except LanguageModelError as error:
            draft = composer.enhance(text, seed=seed)
            return _fallen_back(draft, error)

    async def extract(self, prompt: str) -> Draft:
        """Return ``prompt`` unchanged, with the scene that it describes."""
        text = self._checked(prompt, "prompt")
        if self._model is None:
            return Draft(prompt=text, scene=scene_of(text), provider=composer.NAME)
        try:
            return await self._model.extract(text)
        except LanguageModelError as error:
            return _fallen_back(Draft(text, scene_of(text), composer.NAME), error)

    async def vary(
        self,
        parents: Sequence[tuple[str, Scene]],
        count: int,
        *,
        axes: Sequence[str] = (),
        hold: Sequence[str] = (),
        seed: int = 0,
        avoid: Sequence[str] = (),
        on_variations: Callable[[Sequence[Variation]], object] | None = None,
        picture: str = "",
    ) -> list[Variation]:
        """Return exactly ``count`` new prompts, all distinct, made from ``parents`` in turn.

        ``on_variations`` is called once with each variation, as it is written where the language
        model can stream; exchanges are known only at the end. Missing, repeated and invalid ones
        are requested once more, then filled by the composer and marked.
        """
        tell = on_variations or _nobody
        bare = [(strip_marker(prompt), scene) for prompt, scene in parents]
        distinct = DistinctTexts([*avoid, *(prompt for prompt, _ in bare)])
        if self._model is None or count <= 0 or not bare:
            made = compose_variations(
                bare, count, axes=axes, hold=hold, seed=seed, avoid=distinct.texts
            )
            tell(made)
            return made

        def take(variation: Variation) -> bool:
            is_new = distinct.add(variation.prompt, variation.name)
            if is_new:
                tell([variation])
            return is_new

        asked = [
            asyncio.ensure_future(
                self._ask_for_variations(bare[q.parent], q, axes, hold, take, picture)
            )
            for q in _questions(count, len(bare), seed)
        ]
        try:
            answers = await asyncio.gather(*asked)
        finally:
            for question in asked:
                question.cancel()
        made = [replace(v, exchanges=answer.said) for answer in answers for v in answer.variations]
        missing = [
            answer
            for answer in answers
            for _ in range(answer.question.count - len(answer.variations))
        ]
        filled = [
            _filled(bare[gap.question.parent], gap, axes, hold, seed + number, distinct.texts)
            for number, gap in enumerate(missing)
        ]
        tell(filled)
        return _in_turn([*made, *filled], len(bare))

    def revise(
        self, request: str, context: Context, failure: LanguageModelError | None = None
    ) -> Revision:
        """Return the prompt of ``context`` tuned as ``request`` says, by the rules.

        Actions on the session are listed, not carried out. ``failure`` is why a language model did
        not do it; the revision then says so and is marked as a fallback.
        """
        asked = self._checked(request, "user_request")
        revision = compose_revision(asked, replace(context, prompt=strip_marker(context.prompt)))
        if failure is None:
            return revision
        return replace(
            revision,
            is_fallback=True,
            message=f"{revision.message} {failure} The built-in rules answered instead.",
            exchanges=_exchanges(failure),
        )

    @property
    def endpoint(self) -> ChatEndpoint | None:
        """The language model's endpoint; None where the composer writes alone."""
        return None if self._model is None else self._model.endpoint

    async def close(self) -> None:
        """Close any connection."""
        if self._model is not None:
            await self._model.close()

    async def _ask_for_variations(
        self,
        parent: tuple[str, Scene],
        question: _Question,
        axes: Sequence[str],
        hold: Sequence[str],
        take: Take,
        picture: str,
    ) -> _Answer:
        if self._model is None:
            return _Answer(question)
        found: list[Variation] = []

        def keep(variation: Variation) -> bool:
            is_taken = take(variation)
            if is_taken:
                found.append(variation)
            return is_taken

        said, failure = await self._model.vary(
            parent,
            question.parent,
            question.count,
            axes=axes,
            hold=hold,
            seed=question.seed,
            take=keep,
            picture=picture,
        )
        if failure is not None:
            _log.warning("Variations fall back to the composer: %s", failure)
        instead = Source.SUBSTITUTE if failure is None else Source.FALLBACK
        return _Answer(question, found, said, instead)

    def _checked(self, text: str, field: str) -> str:
        limit = self._settings.max_prompt_chars
        problem = ""
        if not text.strip():
            problem = "must not be empty"
        elif len(text) > limit:
            problem = f"must have at most {limit:,} characters"
        if problem:
            raise InvalidRequest(f"The text {problem}.", (FieldProblem(field, problem),))
        return text.strip()


@cache
def _warm_up() -> None:
    """Load the morphology in the background, once per process, before the first prompt needs it."""
    threading.Thread(target=load_rules, name="workbench-morphology", daemon=True).start()


def _language_writer(settings: Settings, find_key: FindKey | None) -> LanguageWriter | None:
    if settings.language_provider == "builtin":
        return None
    # Imported only with a language model: the client is slow to load.
    from workbench.prompts.forms import family_for  # noqa: PLC0415
    from workbench.prompts.language_models.endpoint.chat import ChatEndpoint  # noqa: PLC0415
    from workbench.prompts.language_models.local.local_endpoint import LocalEndpoint  # noqa: PLC0415
    from workbench.prompts.language_models.writing.language_writer import LanguageWriter  # noqa: PLC0415

    if settings.language_provider in {"local", "transformers"}:
        endpoint: ChatEndpoint = LocalEndpoint.of(settings)
    else:
        endpoint = ChatEndpoint(
            base_url=settings.language_base_url,
            model=settings.language_model,
            api_key=settings.language_api_key.get_secret_value(),
            timeout_s=settings.language_timeout_s,
            retries=settings.language_retries,
            find_key=find_key,
        )
    return LanguageWriter(
        settings.language_provider,
        endpoint,
        max_prompt_chars=settings.max_prompt_chars,
        words=family_for(settings.model).words,
    )


def scene_of(prompt: str) -> Scene:
    """Return the scene that the composer reads in ``prompt``."""
    return composer.scene_of(strip_marker(prompt))


def rewrite_prompt(prompt: str, before: Scene, after: Scene) -> str:
    """Return ``prompt`` edited for the scene ``after`` instead of ``before``."""
    return rewrite(strip_marker(prompt), before, after)


def is_about_session(revision: Revision) -> bool:
    """Tell whether the rules fully understood a request and it does not change the scene.

    False for a question: a language model that sees the session answers it better.
    """
    return bool(revision.actions) and not any(
        isinstance(action, SceneAction | Explain | NotUnderstood) for action in revision.actions
    )


def _nobody(_variations: Sequence[Variation]) -> None:
    """Ignore the variations."""


def _questions(count: int, parents: int, seed: int) -> list[_Question]:
    """Divide ``count`` variations among the parents, and into questions of a few each."""
    shares = [count // parents + (i < count % parents) for i in range(parents)]
    parts = [
        (parent, min(_LARGEST_CALL, share - at))
        for parent, share in enumerate(shares)
        for at in range(0, share, _LARGEST_CALL)
    ]
    return [_Question(parent, part, seed + n) for n, (parent, part) in enumerate(parts)]


def _filled(
    parent: tuple[str, Scene],
    gap: _Answer,
    axes: Sequence[str],
    hold: Sequence[str],
    seed: int,
    taken: set[str],
) -> Variation:
    """Return the composer's variation for a missing one, or as a last resort the original."""
    index = gap.question.parent
    try:
        made = compose_variations([parent], 1, axes=axes, hold=hold, seed=seed, avoid=taken)[0]
    except (LookupError, ValueError, TypeError, AttributeError):
        # The last resort: log the traceback and repeat the original.
        _log.exception("The composer could not vary a prompt")
        number = sum(1 for t in taken if strip_marker(t) == parent[0]) + 1
        text = add_marker(parent[0], Source.EMERGENCY, number)
        taken.add(text)
        return Variation(
            text, parent[1], index, (), composer.NAME, Source.EMERGENCY, exchanges=gap.said
        )
    taken.add(made.prompt)
    text = add_marker(made.prompt, gap.instead)
    return replace(made, prompt=text, parent=index, source=gap.instead, exchanges=gap.said)


def _in_turn(made: list[Variation], parents: int) -> list[Variation]:
    """Return the variations with alternating parents."""
    groups = [[v for v in made if v.parent == i] for i in range(parents)]
    longest = max(len(g) for g in groups)
    return [g[i] for i in range(longest) for g in groups if i < len(g)]


def _fallen_back(draft: Draft, error: LanguageModelError) -> Draft:
    _log.warning("The composer steps in: %s", error)
    return replace(
        draft,
        is_fallback=True,
        message=f"{draft.message} {_excuse(error)}".strip(),
        exchanges=_exchanges(error),
    )


def _excuse(error: LanguageModelError) -> str:
    return f"{error} The built-in composer wrote this instead."


def _exchanges(error: LanguageModelError) -> tuple[Exchange, ...]:
    return error.exchanges if isinstance(error, ChatFailure) else ()
