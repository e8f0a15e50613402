"""Writes prompts with a language model: asks, checks the sense of what comes back.

Raises ``LanguageModelError`` where no usable answer came; what then happens is the writer's
business. Knows nothing of HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from pydantic import ValidationError

from workbench.actions.model import EditField
from workbench.prompts.answers import (
    Enhanced,
    Extracted,
    Revised,
    SceneAnswer,
    Varied,
    keeps_subject,
    plain_text,
    prompt_so_far,
)
from workbench.prompts.chat import ChatEndpoint
from workbench.prompts.composer import composer
from workbench.prompts.composer.varying import fields_of_axes
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.understanding import understand
from workbench.prompts.model import ChatFailure, Draft, Exchange, OnText, Revision, Variation
from workbench.scene import SCENE_FIELDS, Origin, Scene

__all__ = ["LanguageWriter"]


class LanguageWriter:
    """The four tasks put to one endpoint; ``name`` is the provider's."""

    def __init__(self, name: str, endpoint: ChatEndpoint, *, max_prompt_chars: int) -> None:
        self.name = name
        self.endpoint = endpoint
        self._longest = max_prompt_chars

    async def enhance(self, rough: str, *, seed: int, on_text: OnText | None = None) -> Draft:
        """Return the model's prompt for ``rough``; raises ``LanguageModelError``.

        ``on_text`` is called with the prompt so far as it grows, where the endpoint can stream.
        """
        shown = None if on_text is None else _PromptInAnswer(on_text)
        said_scene = composer.scene_of(rough)
        data = {"idea": rough, "seed": seed}
        answer, said = await self.endpoint.ask(_messages("enhance", data), Enhanced, shown)
        prompt = self._usable(answer.prompt, said)
        _demand_subject(said_scene.subject, prompt, said)
        scene = _told(answer.scene, said_scene)
        return Draft(prompt, scene, self.name, exchanges=said)

    async def extract(self, prompt: str) -> Draft:
        """Return ``prompt`` with the scene that the model finds in it."""
        answer, said = await self.endpoint.ask(_messages("extract", {"prompt": prompt}), Extracted)
        scene = answer.scene.scene(Origin.SAID)
        if not scene.stated():
            raise ChatFailure("The language model found nothing in the prompt.", said)
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
    ) -> tuple[list[Variation], tuple[Exchange, ...]]:
        """Return at most ``count`` usable variations of one parent, and what was said."""
        prompt, scene = parent
        data = {
            "prompt": prompt, "scene": _shown(scene), "count": count, "axes": list(axes),
            "hold": [*hold, *_locked(scene)], "seed": seed,
        }  # fmt: skip
        answer, said = await self.endpoint.ask(_messages("vary", data), Varied)
        made = []
        stays = frozenset({*hold, *_locked(scene), "subject", "action"})
        if axes:
            stays |= set(SCENE_FIELDS) - set(fields_of_axes(axes))
        for given in answer.variations[: count * 2]:
            try:
                one = Enhanced.model_validate(given)
                made.append(self._variation(one, parent, index, stays, said))
            except (ValidationError, ChatFailure):
                continue
        return made[:count], said

    async def revise(self, prompt: str, scene: Scene, request: str) -> Revision:
        """Return the model's revision; raises ``LanguageModelError`` where it breaks a promise."""
        data = {
            "prompt": prompt, "scene": _shown(scene), "request": request, "locked": _locked(scene)
        }  # fmt: skip
        answer, said = await self.endpoint.ask(_messages("revise", data), Revised)
        message = plain_text(answer.message)[:400]
        if not answer.understood:
            return Revision(prompt, scene, (), False, message, self.name, exchanges=said)
        text = self._usable(answer.prompt, said)
        after = _after(scene, answer.scene)
        if any(getattr(after, f) != getattr(scene, f) for f in _locked(scene)):
            raise ChatFailure("The language model changed what was locked.", said)
        if not keeps_subject(scene.subject, f"{after.subject} {text}") and _is_about_else(
            request, scene
        ):
            raise ChatFailure("The language model changed the subject.", said)
        changes = scene.changes_to(after)
        if not changes or text == prompt:
            raise ChatFailure("The language model's answer names no change.", said)
        actions = tuple(
            EditField(field=c.field, value=c.after) for c in changes if c.field in SCENE_FIELDS
        )
        return Revision(
            text, after, changes, True, message, self.name, exchanges=said, actions=actions
        )

    async def close(self) -> None:
        """Let go of the connection."""
        await self.endpoint.close()

    def _usable(self, text: str, said: Sequence[Exchange]) -> str:
        plain = plain_text(text)
        if len(plain.split()) < 3 or len(plain) > self._longest:
            raise ChatFailure("The language model's prompt is empty or too long.", said)
        return plain

    def _variation(
        self,
        given: Enhanced,
        parent: tuple[str, Scene],
        index: int,
        stays: frozenset[str],
        said: Sequence[Exchange],
    ) -> Variation:
        _, before = parent
        text = self._usable(given.prompt, said)
        _demand_subject(before.subject, text, said)
        after = _after(before, given.scene, origin=Origin.INFERRED)
        if before.differing(after) & stays:
            raise ChatFailure("A variation changes what should stay.", said)
        changes = before.changes_to(after)
        if not changes:
            raise ChatFailure("A variation names no change.", said)
        return Variation(text, after, index, changes, self.name)


class _PromptInAnswer:
    """Tells the prompt of a growing answer as often as it grows."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._told = ""

    def __call__(self, answer: str) -> None:
        text = prompt_so_far(answer)
        if text and text != self._told:
            self._told = text
            self._on_text(text)


@cache
def _instruction(name: str) -> str:
    folder = resources.files("workbench.prompts").joinpath("instructions")
    return folder.joinpath(f"{name}.txt").read_text("utf-8").strip()


def _messages(task: str, data: Mapping[str, Any]) -> list[dict[str, str]]:
    system = f"{_instruction('common')}\n{_instruction(task)}"
    body = json.dumps({"data": data}, ensure_ascii=False)
    return [{"role": "system", "content": system}, {"role": "user", "content": body}]


def _shown(scene: Scene) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in scene.stated().items()}


def _locked(scene: Scene) -> list[str]:
    return [name for name in SCENE_FIELDS if scene.is_locked(name)]


def _told(answer: SceneAnswer, said: Scene) -> Scene:
    """Return the answered scene, marking as said what the composer finds in the user's words."""
    scene = answer.scene(Origin.INFERRED)
    agreed: dict[str, Any] = {
        n: v for n, v in said.stated().items() if not getattr(scene, n) or getattr(scene, n) == v
    }
    if said.cast and scene.subject in {"", said.subject}:
        agreed["cast"] = said.cast
    if said.beats and scene.action in {"", said.action}:
        agreed["beats"] = said.beats
    return scene.edit(agreed, origin=Origin.SAID)


def _after(before: Scene, answer: SceneAnswer, *, origin: Origin = Origin.EDITED) -> Scene:
    """Return ``before`` with what differs in the answer; its other provenance stays."""
    given = answer.scene(origin)
    changed = {
        name: getattr(given, name)
        for name in SCENE_FIELDS
        if getattr(given, name) != getattr(before, name) and name in answer.model_fields_set
    }
    return before.edit(changed, origin=origin, force=True)


def _is_about_else(request: str, scene: Scene) -> bool:
    """Tell whether ``request`` asks, as far as the rules understand it, for no other subject."""
    found = understand(request, Context(scene))
    leads = {entity.id for entity in scene.cast if entity.is_lead}
    touched = found.scene.cast != scene.cast and any(
        found.scene.entity(one) != scene.entity(one) for one in leads
    )
    return bool(found.actions) and not found.missed and not touched


def _demand_subject(subject: str, text: str, said: Collection[Exchange]) -> None:
    if not keeps_subject(subject, text):
        raise ChatFailure("The language model changed the subject.", tuple(said))
