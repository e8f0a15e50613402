"""A model's own weights as axes of a grid: LoRAs and their strength, replaced components, quantisation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from pydantic import ValidationError

from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import REPLACEABLE, Lora

__all__ = ["WEIGHTS", "lora_axis", "weights_label"]

LORAS: Final = "loras"
WEIGHTS: Final = frozenset({LORAS, *REPLACEABLE, "quantize"})
"""Render parameters that name weights."""


def lora_axis(given: Any) -> list[tuple[Lora, ...]] | tuple[Lora, ...]:
    """Return the values to try, as a list, or the LoRAs of every render, as a tuple.

    One LoRA (a :class:`~workbench.rendering.Lora` or its fields) applies to all; if its ``weight`` is
    a list, each weight is a value. In a list each item is a value: None, a LoRA, or several. Raises
    ``InvalidRequest`` for what is no LoRA.
    """
    if isinstance(given, list | tuple):
        return [_loras(value) for value in given]
    weight = given.get("weight") if isinstance(given, Mapping) else None
    if isinstance(weight, list | tuple):
        return [_loras({**given, "weight": one}) for one in weight]
    return _loras(given)


def weights_label(name: str, value: Any) -> str:
    """Return how a value of the axis ``name`` is shown: file names, not paths."""
    if name == LORAS:
        return " + ".join(f"{_short(one.path)} {one.weight:.4g}" for one in _loras(value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{part} {how}" for part, how in value.items()) or "none"
    return _short(str(value)) if value else "its own"


def _loras(given: Any) -> tuple[Lora, ...]:
    if given is None:
        return ()
    items = given if isinstance(given, list | tuple) else (given,)
    try:
        return tuple(Lora.model_validate(item) for item in items)
    except ValidationError as error:
        problems = tuple(
            FieldProblem(".".join((LORAS, *(str(part) for part in one["loc"]))), one["msg"])
            for one in error.errors()
        )
        text = "; ".join(f"{one.field}: {one.problem}" for one in problems)
        raise InvalidRequest(f"A LoRA is not valid. {text}", problems) from error


def _short(path: str) -> str:
    """Return a file's name without its ending; a hub name whole."""
    found = PurePath(path)
    return found.stem if found.suffix in {".safetensors", ".gguf"} else path
