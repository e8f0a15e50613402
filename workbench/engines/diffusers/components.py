"""Loads the components that a request replaces, and quantises as it asks.

Everything is read offline: a single file takes its configuration from the model's own folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from workbench.engines.diffusers.faults import told_by
from workbench.engines.diffusers.memory import is_denoiser
from workbench.engines.diffusers.own_weights import (
    ComponentSource,
    component_source,
    quantisation_of,
)
from workbench.engines.diffusers.scaled_weights import is_scaled, read_scaled
from workbench.engines.diffusers.text_encoder_files import load_text_encoder_file
from workbench.engines.diffusers.weights import Weights
from workbench.errors import EngineUnavailable
from workbench.rendering import REPLACEABLE, RenderRequest

__all__ = ["cast_to_fp8", "load_components", "quantisation_configs", "read_denoisers"]

_SINGLE_FILE: Final = {"safetensors", "gguf"}


def load_components(
    request: RenderRequest,
    weights: Weights,
    dtypes: Mapping[str, str],
    kept: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the components that the folder does not provide, by name, on the CPU.

    They are those in ``kept``, and those that ``request`` replaces. Raises ``EngineUnavailable`` if
    one cannot be loaded or lacks weights.
    """
    found = dict(kept)
    for name in REPLACEABLE:
        if name in found or not (given := getattr(request, name)):
            continue
        source = component_source(name, given)
        try:
            found[name] = _loaded(name, source, request, weights, dtypes)
        except NotImplementedError as error:  # torch raises it for weights that were not loaded
            text = f"{given} lacks weights that the {name} of {request.model} has."
            raise EngineUnavailable(text) from error
        except (OSError, ValueError, KeyError, RuntimeError, AttributeError, ImportError) as error:
            text = f"{given} cannot be loaded as {name} of {request.model}: {told_by(error)}"
            raise EngineUnavailable(text) from error
        lacking = [key for key, value in found[name].named_parameters() if value.is_meta]
        if lacking:
            raise EngineUnavailable(
                f"{given} lacks {len(lacking)} weights of the {name} of {request.model}: "
                f"{', '.join(lacking[:3])}."
            )
    return found


def read_denoisers(
    weights: Weights,
    arguments: Mapping[str, Any],
    quantised: Mapping[str, Any],
    brought: Mapping[str, Any],
    device: str,
) -> dict[str, Any]:
    """Return the denoisers in the folder that are not ``brought``, read straight to ``device``.

    Two transformers of 14B would not fit into the memory of many a machine whose card holds them.
    ``arguments`` are those of the pipeline's ``from_pretrained``.
    """
    import diffusers  # noqa: PLC0415

    found = {}
    files = weights.component_files()
    for name, entry in weights.index.items():
        if not is_denoiser(name) or name in brought or name not in files or not entry[0]:
            continue
        dtypes = arguments["dtype"]
        further = {"quantization_config": quantised[name]} if name in quantised else {}
        if variant := files[name].variant:
            further["variant"] = variant
        kind = getattr(diffusers, _own_class(weights.folder / name) or str(entry[1]))
        found[name] = kind.from_pretrained(
            weights.folder, subfolder=name, dtype=dtypes.get(name, dtypes["default"]),
            device_map={"": device}, local_files_only=True, **further,
        )  # fmt: skip
    return found


def quantisation_configs(request: RenderRequest, weights: Weights | None) -> dict[str, Any]:
    """Return how each of the pipeline's own components is quantised on loading."""
    index = weights.index if weights else {}
    brought = {name for name in REPLACEABLE if getattr(request, name)}
    mapping = {}
    for name, how in quantisation_of(request).items():
        if how in {"int8", "nf4"} and name not in brought and index.get(name):
            library, _ = index[name][:2]
            if library:
                mapping[name] = _config(how, str(library))
    return mapping


def cast_to_fp8(request: RenderRequest, components: Mapping[str, Any]) -> None:
    """Store the weights of components with ``fp8`` in 8 bits; they are widened layer by layer."""
    import torch  # noqa: PLC0415
    from diffusers.hooks import apply_layerwise_casting  # noqa: PLC0415

    for name, how in quantisation_of(request).items():
        part = components.get(name)
        if how != "fp8" or part is None:
            continue
        if hasattr(part, "enable_layerwise_casting"):
            part.enable_layerwise_casting(torch.float8_e4m3fn, part.dtype)
        else:
            patterns = (
                "norm",
                "embed",
                "shared",
                "lm_head",
                r"\bwo\b",
            )  # T5 casts to wo's own format
            apply_layerwise_casting(part, torch.float8_e4m3fn, part.dtype, patterns)


def _loaded(
    name: str,
    source: ComponentSource,
    request: RenderRequest,
    weights: Weights,
    dtypes: Mapping[str, str],
) -> Any:
    import diffusers  # noqa: PLC0415
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    library, kind_name = weights.index[name][:2]
    dtype = getattr(torch, dtypes.get(name, dtypes["default"]))
    how = quantisation_of(request).get(name, "none")
    arguments: dict[str, Any] = {"dtype": dtype, "local_files_only": True}
    if source.kind == "gguf" and not source.is_text_encoder:
        arguments["quantization_config"] = diffusers.GGUFQuantizationConfig(compute_dtype=dtype)
    elif how in {"int8", "nf4"}:
        arguments["quantization_config"] = _config(how, str(library))
    if library == "transformers":
        kind = getattr(transformers, str(kind_name))
        if source.kind in _SINGLE_FILE:
            return load_text_encoder_file(source.path, kind, weights.folder / name, **arguments)
        return kind.from_pretrained(source.path, **arguments)
    kind = getattr(diffusers, _own_class(source.path) or str(kind_name))
    if source.kind in _SINGLE_FILE:
        scaled = source.kind == "safetensors" and is_scaled(source.path)
        given = read_scaled(source.path, dtype) if scaled else str(source.path)
        return kind.from_single_file(given, config=str(weights.folder), subfolder=name, **arguments)
    return kind.from_pretrained(source.path, **arguments)


def _own_class(folder: Path) -> str:
    """Return the class that a component's folder names; empty for a file."""
    try:
        name = json.loads((folder / "config.json").read_text("utf-8")).get("_class_name", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return str(name)


def _config(how: str, library: str) -> Any:
    import diffusers  # noqa: PLC0415
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    module = transformers if library == "transformers" else diffusers
    if how == "int8":
        from torchao.quantization import Int8WeightOnlyConfig  # noqa: PLC0415

        return module.TorchAoConfig(Int8WeightOnlyConfig())
    return module.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )
