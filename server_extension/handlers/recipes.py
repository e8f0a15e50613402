"""Recipes: a video or its recipe.json becomes a session again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from tornado import web

from server_extension.handlers.uploads import UploadHandler
from server_extension.operations import Operation, operation
from server_extension.schemas.prompts import RecipeAnswer
from workbench.engines.recipes import read_recipe
from workbench.rendering import Recipe

__all__ = ["RecipeHandler"]

_ENDINGS: Final = {"video/mp4": ".mp4", "application/json": ".json"}


class RecipeHandler(UploadHandler):
    """POST /api/recipe."""

    @operation(
        Operation(
            "Continue from a video: send an mp4 or a recipe.json as the body",
            answer=RecipeAnswer,
            upload=tuple(_ENDINGS),
            errors=(400, 413, 415, 429, 503),
        )
    )
    async def post(self) -> None:
        """Read the recipe and start a session from it."""
        body = self.read_body()
        if self.media_type not in _ENDINGS:
            raise web.HTTPError(415, "Send a video as video/mp4, or a recipe as application/json.")
        recipe = await self.uploads.in_turn(_read, body, _ENDINGS[self.media_type])
        session_id, entry = await self.on_studio(self.studio.restore(recipe))
        self.answer(
            RecipeAnswer(
                session_id=session_id,
                index=entry.index,
                prompt=entry.prompt,
                parameters=entry.scene,
                recipe=recipe,
            )
        )


def _read(body: bytes, ending: str) -> Recipe:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{ending}"
        path.write_bytes(body)
        return read_recipe(path)
