"""Writes prompts with a language model: asks, and checks the answers.

Raises ``LanguageModelError`` without a usable answer; the caller falls back. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from workbench.errors import LanguageModelError
from workbench.lexicon.languages import language_of
from workbench.lexicon.words import content_words
from workbench.prompts.composer import composer
from workbench.prompts.composer.varying import fields_of_axes
from workbench.prompts.language_models.endpoint.abilities import with_pictures
from workbench.prompts.language_models.endpoint.chat import ChatEndpoint
from workbench.prompts.language_models.writing.answers import (
    Enhanced,
    Extracted,
    ItemsInAnswer,
    SceneAnswer,
    Varied,
    keeps_subject,
    plain_text,
    prompt_so_far,
)
from workbench.prompts.language_models.writing.asked_language import asked_language
from workbench.prompts.language_models.writing.evidence import (
    has_evidence,
    shows_nothing,
    uncovered,
)
from workbench.prompts.language_models.writing.guard import (
    fault_in,
    is_document,
    without_preamble,
)
from workbench.prompts.language_models.writing.instructions import instruction
from workbench.prompts.model import ChatFailure, Draft, Exchange, OnText, Variation
from workbench.scene import SCENE_FIELDS, Origin, Scene

__all__ = ["LanguageWriter", "Take"]

_LONGEST_NAME: Final = 80

Take = Callable[[Variation], bool]
"""Takes a variation and returns True; returns False for a duplicate or near-duplicate."""


class LanguageWriter:
    """The writing tasks on one endpoint; ``name`` is that of the provider.

    ``words`` is the range of prompt lengths that the authors of the video model recommend.
    """

    def __init__(
        self,
        name: str,
        endpoint: ChatEndpoint,
        *,
        max_prompt_chars: int,
        words: tuple[int, int] = (60, 120),
    ) -> None:
        self.name = name
        self._words = f"{words[0]} to {words[1]}"
        self.endpoint = endpoint
        self._longest = max_prompt_chars

    async def enhance(
        self, rough: str, *, seed: int, on_text: OnText | None = None, picture: str = ""
    ) -> Draft:
        """Return the model's prompt for ``rough``; raises ``LanguageModelError``.

        ``picture`` is the video's first frame as a data URL, for a model with vision.
        ``on_text`` is called with the prompt so far, where the endpoint can stream.
        """
        shown = None if on_text is None else _PromptInAnswer(on_text)
        data = {"idea": rough, "words": self._words, "seed": seed}
        messages = _messages("enhance", data, picture)
        answer, said = await self.endpoint.ask(messages, Enhanced, shown)
        text = self._guarded(answer, rough, said)
        missing = uncovered(rough, text, answer.evidence)
        if missing:
            answer, text, missing, more = await self._completed(rough, answer, text, missing)
            said = (*said, *more)
        if shows_nothing(rough, text, missing, answer.evidence):
            raise ChatFailure("The language model's prompt is about something else.", said)
        message = " ".join(filter(None, [_language_note(rough, text), _missing_note(missing)]))
        scene = _with_said_words(answer.scene.scene(Origin.INFERRED), rough)
        return Draft(text, scene, self.name, message=message, exchanges=said)

    async def _completed(
        self, rough: str, answer: Enhanced, text: str, missing: tuple[str, ...]
    ) -> tuple[Enhanced, str, tuple[str, ...], Sequence[Exchange]]:
        """Ask once more for what is missing, by name, and return the better text."""
        data = {"idea": rough, "prompt": text, "missing": list(missing)}
        try:
            again, said = await self.endpoint.ask(_messages("complete", data), Enhanced)
            better = self._guarded(again, rough, said)
        except ChatFailure as error:
            return answer, text, missing, error.exchanges
        still = uncovered(rough, better, [*again.evidence, *answer.evidence])
        if len(still) >= len(missing):
            return answer, text, missing, said
        if not again.scene.scene(Origin.INFERRED).stated():
            again = again.model_copy(update={"scene": answer.scene})
        return again, better, still, said

    async def extract(self, prompt: str) -> Draft:
        """Return ``prompt`` with the scene that the model finds in it."""
        answer, said = await self.endpoint.ask(_messages("extract", {"prompt": prompt}), Extracted)
        scene = answer.scene.scene(Origin.SAID)
        if not scene.stated():
            raise ChatFailure("The language model found no scene in the prompt.", said)
        return Draft(prompt, scene, self.name, exchanges=said)

    async def vary(
        self,
        parent: tuple[str, Scene],
        index: int,
        count: int,
        *,
        axes: Sequence[str],
        hold: Sequence[str],
        seed: int,
        take: Take,
        picture: str = "",
    ) -> tuple[tuple[Exchange, ...], LanguageModelError | None]:
        """Pass up to ``count`` usable variations of one parent to ``take``, each as it is written.

        ``take`` returns whether it accepted one; the model is asked once more for the missing ones.
        Returns the exchanges, and what went wrong, within the endpoint's limit for one question.
        """
        prompt, scene = parent
        data = {
            "prompt": prompt, "scene": _shown(scene), "count": count, "axes": list(axes),
            "hold": [*hold, *_locked(scene)], "words": self._words, "seed": seed,
        }  # fmt: skip
        stays = frozenset({*hold, *_locked(scene), "subject", "action"})
        if axes:
            stays |= set(SCENE_FIELDS) - set(fields_of_axes(axes))
        taken: list[Variation] = []

        def hear(given: Any) -> None:
            if len(taken) == count:
                return
            try:
                one = self._variation(Enhanced.model_validate(given), parent, index, stays)
            except (ValidationError, ChatFailure):
                return
            if take(one):
                taken.append(one)

        said: list[Exchange] = []
        try:
            async with asyncio.timeout(self.endpoint.timeout_s):
                said += await self._heard(data, hear, picture)
                if len(taken) < count:
                    there = [{"name": one.name, "prompt": one.prompt} for one in taken]
                    more = {**data, "count": count - len(taken), "avoid": there}
                    said += await self._heard(more, hear, picture)
        except TimeoutError:
            limit = f"{self.endpoint.timeout_s:g} s"
            problem = f"The language model did not write all variations within {limit}."
            return tuple(said), LanguageModelError(problem)
        except ChatFailure as error:
            return (*said, *error.exchanges), error
        return tuple(said), None

    async def _heard(
        self, data: Mapping[str, Any], hear: Callable[[Any], None], picture: str
    ) -> tuple[Exchange, ...]:
        """Ask for variations and pass each to ``hear`` once, as it arrives if streamed."""
        coming = ItemsInAnswer("variations", hear)
        answer, said = await self.endpoint.ask(_messages("vary", data, picture), Varied, coming)
        for given in answer.variations[coming.told :]:
            hear(given)
        return said

    async def close(self) -> None:
        """Close the connection."""
        await self.endpoint.close()

    def _guarded(self, answer: Enhanced, idea: str, said: Sequence[Exchange]) -> str:
        """Return the cleaned text; raises ``ChatFailure`` if it is not a prompt.

        A text is whole where the endpoint says that the model ended it, and its evidence, which
        comes behind it, stands in it.
        """
        if is_document(answer.prompt):
            raise ChatFailure("The language model's prompt is markup or code.", said)
        plain = without_preamble(plain_text(answer.prompt))
        is_ended = bool(said) and said[-1].finish_reason == "stop"
        is_whole = is_ended and has_evidence(idea, plain, answer.evidence)
        if fault := fault_in(plain, idea, longest=self._longest, is_whole=is_whole):
            raise ChatFailure(f"The language model's prompt {fault}.", said)
        return plain

    def _variation(
        self,
        given: Enhanced,
        parent: tuple[str, Scene],
        index: int,
        stays: frozenset[str],
    ) -> Variation:
        """Return the model's variation; raises ``ChatFailure`` if it is unusable."""
        prompt, before = parent
        text = self._guarded(given, prompt, ())
        if not keeps_subject(before.subject, text):
            raise ChatFailure("A variation changes the subject.")
        after = _after(before, given.scene, origin=Origin.INFERRED)
        if before.differing(after) & stays:
            raise ChatFailure("A variation changes something that should stay.")
        changes = before.changes_to(after)
        if not changes:
            raise ChatFailure("A variation does not name its change.")
        name = plain_text(given.name)[:_LONGEST_NAME]
        return Variation(text, after, index, changes, self.name, name=name)


class _PromptInAnswer:
    """Calls ``on_text`` whenever the prompt in a streamed answer grows."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._told = ""

    def __call__(self, answer: str) -> None:
        text = prompt_so_far(answer)
        if text and text != self._told:
            self._told = text
            self._on_text(text)


def _messages(task: str, data: Mapping[str, Any], picture: str = "") -> list[dict[str, Any]]:
    parts = ["common", task, *(["picture"] if picture else [])]
    system = "\n".join(instruction(part) for part in parts)
    body = json.dumps({"data": data}, ensure_ascii=False)
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": with_pictures(body, picture)},
    ]


def _shown(scene: Scene) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in scene.stated().items()}


def _locked(scene: Scene) -> list[str]:
    return [name for name in SCENE_FIELDS if scene.is_locked(name)]


def _with_said_words(scene: Scene, idea: str) -> Scene:
    """Return ``scene`` with the fields whose words are in the idea marked as said.

    Where the composer reads the same subject or action, its richer cast or beats are used.
    """
    have = set(content_words(idea))
    said: dict[str, Any] = {
        name: value
        for name, value in scene.stated().items()
        if isinstance(value, str) and (words := set(content_words(value))) and words <= have
    }
    read = composer.scene_of(idea)
    if read.cast and scene.subject == read.subject:
        said["cast"] = read.cast
    if read.beats and scene.action == read.action:
        said["beats"] = read.beats
    return scene.edit(said, origin=Origin.SAID)


def _missing_note(missing: Sequence[str]) -> str:
    return f"Not shown in the prompt: {', '.join(missing)}." if missing else ""


def _language_note(idea: str, text: str) -> str:
    """Return a note if the prompt is in English for an idea in another language, unrequested."""
    if language_of(idea) and not language_of(text) and not asked_language(idea):
        return f"Written in English, for an idea in {language_of(idea)}."
    return ""


def _after(before: Scene, answer: SceneAnswer, *, origin: Origin = Origin.EDITED) -> Scene:
    """Return ``before`` with the differences of the answer; other provenance stays."""
    given = answer.scene(origin)
    changed = {
        name: getattr(given, name)
        for name in SCENE_FIELDS
        if getattr(given, name) != getattr(before, name) and name in answer.model_fields_set
    }
    return before.edit(changed, origin=origin, force=True)
