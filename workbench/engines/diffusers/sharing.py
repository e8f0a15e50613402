"""Encoders that two models have in common: one copy stays in memory when the model changes.

All of Wan 2.1 and 2.2 use one UMT5 of 11 GB. Two encoders are the same if their files, their
configuration, their class and their number format are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.engines.diffusers.digests import known_digest
from workbench.engines.diffusers.own_weights import quantisation_of
from workbench.engines.diffusers.weights import Weights
from workbench.rendering import RenderRequest

if TYPE_CHECKING:
    from workbench.engines.diffusers.loaded_model import LoadedModel

__all__ = ["encoder_keys", "size_bytes", "taken_over"]

_ENCODERS: Final = ("text_encoder", "text_encoder_2", "image_encoder")
"""Components that no LoRA and no speed-up of ours changes."""


def encoder_keys(
    request: RenderRequest, weights: Weights | None, dtypes: Mapping[str, str]
) -> dict[str, str]:
    """Return what tells each encoder of a model from others; those that cannot be shared lack.

    Files count as the same by their digest where it is known without reading them, else if they are
    one file on the disk. Left out is what the request replaces or casts to fp8, which is done anew
    for every model.
    """
    if weights is None:
        return {}
    files = weights.component_files()
    quantised = quantisation_of(request)
    found = {}
    for name in _ENCODERS:
        how = quantised.get(name, "none")
        if name not in files or getattr(request, name, "") or how == "fp8":
            continue
        config = weights.folder / name / "config.json"
        told = config.read_text("utf-8") if config.is_file() else ""
        dtype = dtypes.get(name, dtypes["default"])
        parts = map(_identity, files[name].files)
        found[name] = repr((weights.index.get(name), told, dtype, how, *parts))
    return found


def taken_over(model: LoadedModel | None, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Return the encoders of ``model`` that the next one wants, by its names for them.

    They are in the machine's memory then, without the hooks of their placement.
    """
    if model is None:
        return {}
    by_key = {key: name for name, key in model.encoder_keys.items()}
    shared = {name: by_key[key] for name, key in wanted.items() if key in by_key}
    if not shared:
        return {}
    from workbench.engines.diffusers.placing import withdraw  # noqa: PLC0415

    withdraw(model.pipe)
    return {name: getattr(model.pipe, own).to("cpu") for name, own in shared.items()}


def size_bytes(modules: Mapping[str, Any]) -> int:
    """Return the bytes of the weights of ``modules``."""
    return sum(
        one.numel() * one.element_size()
        for module in modules.values()
        for one in module.parameters()
    )


def _identity(file: Path) -> str:
    if sha256 := known_digest(file):
        return sha256
    facts = file.stat()
    return f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"
