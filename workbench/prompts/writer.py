"""PromptWriter: the language provider that the settings choose, with the composer behind it."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import FieldProblem, InvalidRequest
from workbench.prompts.composer import composer
from workbench.prompts.composer.editing import carry
from workbench.prompts.composer.tuning import revise as compose_revision
from workbench.prompts.composer.varying import vary as compose_variations
from workbench.prompts.markers import strip_marker
from workbench.prompts.model import Draft, Revision, Variation
from workbench.scene import Scene
from workbench.settings import Settings

__all__ = ["PromptWriter"]


class PromptWriter:
    """Enhances, reads, varies and revises prompts; never fails for want of a language model."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.name: str = composer.NAME

    async def enhance(self, rough: str, *, seed: int = 0) -> Draft:
        """Return ``rough`` as a full prompt with its scene.

        Raises ``InvalidRequest`` for an empty text or one beyond the limit of the settings.
        """
        return composer.enhance(self._checked(rough, "rough_prompt"), seed=seed)

    async def extract(self, prompt: str) -> Draft:
        """Return ``prompt`` unchanged with the scene that it describes. Raises as ``enhance``."""
        text = self._checked(prompt, "prompt")
        return Draft(prompt=text, scene=self.scene_of(text), provider=self.name)

    async def vary(
        self,
        parents: Sequence[tuple[str, Scene]],
        count: int,
        *,
        axes: Sequence[str] = (),
        hold: Sequence[str] = (),
        seed: int = 0,
        avoid: Sequence[str] = (),
    ) -> list[Variation]:
        """Return exactly ``count`` new prompts, all distinct, made from ``parents`` in turn."""
        bare = [(strip_marker(prompt), scene) for prompt, scene in parents]
        return compose_variations(bare, count, axes=axes, hold=hold, seed=seed, avoid=avoid)

    async def revise(self, prompt: str, scene: Scene, request: str) -> Revision:
        """Return ``prompt`` tuned as ``request`` says; unchanged where it is not understood."""
        return compose_revision(strip_marker(prompt), scene, self._checked(request, "user_request"))

    async def close(self) -> None:
        """Let go of any connection."""

    def scene_of(self, prompt: str) -> Scene:
        """Return the scene that the composer reads in ``prompt``."""
        return composer.scene_of(strip_marker(prompt))

    def rewrite(self, prompt: str, before: Scene, after: Scene) -> str:
        """Return ``prompt`` as it reads when its scene is ``after`` instead of ``before``."""
        bare = strip_marker(prompt)
        return carry(bare, before, after, composer.rng_for(bare, after.values()))

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
