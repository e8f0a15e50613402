"""Checks the options of a request against an engine's model of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.errors import FieldProblem

__all__ = ["option_problems"]


def option_problems(model: type[BaseModel], values: Mapping[str, Any]) -> list[FieldProblem]:
    """Return what is wrong with the options ``values``, a start image that does not exist included."""
    try:
        options = model.model_validate(values)
    except ValidationError as error:
        return [
            FieldProblem(".".join(("options", *map(str, one["loc"]))), f"{one['msg']}.")
            for one in error.errors()
        ]
    image = getattr(options, "image", None)
    if image and not Path(image).is_file():
        return [FieldProblem("options.image", "There is no file for image.")]
    return []
