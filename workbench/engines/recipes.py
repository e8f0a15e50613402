"""Reads recipes from JSON files and mp4 metadata, and prepares them for embedding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from workbench.engines.inspection import read_tag_apart
from workbench.errors import DamagedFile
from workbench.rendering import RECIPE_VERSION, Recipe, RenderRequest
from workbench.scene import Scene

__all__ = ["METADATA_KEY", "embeddable", "read_recipe", "write_recipe"]

METADATA_KEY: Final = "comment"
"""The mp4 tag that holds the recipe; players and editors preserve it."""

_LIMIT_BYTES: Final = 8 << 20
_MARK: Final = "world-model-workbench recipe "


def embeddable(recipe: Recipe) -> dict[str, str]:
    """Return the mp4 tags that carry ``recipe``, without its outcome."""
    body = recipe.model_copy(update={"outcome": None}).model_dump_json(exclude={"outcome"})
    return {"title": recipe.request.prompt[:200], METADATA_KEY: _MARK + body}


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write ``recipe`` to ``path`` as indented JSON, replacing the file."""
    path.write_text(recipe.model_dump_json(indent=2) + "\n", "utf-8")


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in ``path``: an mp4 made here, or a ``recipe.json``.

    Fields of a newer release are kept. Raises ``DamagedFile`` when the file is missing, is
    damaged, or was not made by the workbench.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise DamagedFile(f"{path} cannot be read: {error.strerror}.") from error
    if not head:
        raise DamagedFile(f"{path.name} is empty.")
    if head[4:8] == b"ftyp":
        return _parse(_from_video(path), path.name)
    return _parse(_from_json(path), path.name)


def _from_video(path: Path) -> str:
    text = read_tag_apart(path, METADATA_KEY)
    if not text.startswith(_MARK):
        raise DamagedFile(f"{path.name} has no recipe: the workbench did not make it.")
    return text.removeprefix(_MARK)


def _from_json(path: Path) -> str:
    if path.stat().st_size > _LIMIT_BYTES:
        raise DamagedFile(f"{path.name} is too large to be a recipe.")
    try:
        return path.read_text("utf-8")
    except (UnicodeDecodeError, OSError) as error:
        msg = f"{path.name} is neither an mp4 nor a recipe.json."
        raise DamagedFile(msg) from error


def _parse(text: str, name: str) -> Recipe:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{name} is damaged: its recipe is not valid JSON.") from error
    if not isinstance(data, Mapping) or "request" not in data or "job_id" not in data:
        raise DamagedFile(f"{name} has no recipe: the workbench did not make it.")
    try:
        return Recipe.model_validate(_tolerant(dict(data)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DamagedFile(f"The recipe in {name} is damaged at {where}: {first['msg']}.") from error


def _tolerant(data: dict[str, Any]) -> dict[str, Any]:
    """Move fields of a newer release to ``newer_fields``, where they are preserved."""
    request = data.get("request")
    if not isinstance(request, Mapping):
        return data
    scene = request.get("scene")
    newer = dict(data.get("newer_fields", {}))
    known = dict(request)
    if isinstance(scene, Mapping):
        known["scene"], newer["scene"] = _parted(scene, Scene, newer.get("scene"))
    if data.get("version", 0) > RECIPE_VERSION:
        known, newer["request"] = _parted(known, RenderRequest, newer.get("request"))
    newer = {name: fields for name, fields in newer.items() if fields}
    return {**data, "request": known, **({"newer_fields": newer} if newer else {})}


def _parted(
    data: Mapping[str, Any], model: type[BaseModel], kept: Mapping[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that ``model`` has, and the others together with those ``kept``."""
    known = {name: value for name, value in data.items() if name in model.model_fields}
    others = {name: value for name, value in data.items() if name not in model.model_fields}
    return known, {**(kept or {}), **others}
