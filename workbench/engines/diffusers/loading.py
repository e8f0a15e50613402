"""Loads a model from disk to its device according to its memory plan."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from workbench.engines.diffusers.components import (
    cast_to_fp8,
    load_components,
    quantisation_configs,
    read_denoisers,
)
from workbench.engines.diffusers.digests import ComputedDigests
from workbench.engines.diffusers.families import Family, family_of
from workbench.engines.diffusers.faults import is_out_of_memory, told_by
from workbench.engines.diffusers.fetching import fetch_model
from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.loaded_model import LoadedModel, ModelKey
from workbench.engines.diffusers.loras import AppliedLoras
from workbench.engines.diffusers.memory import (
    MemoryPlan,
    Placement,
    lower_placement,
    need_of,
    plan_memory,
)
from workbench.engines.diffusers.options import Options
from workbench.engines.diffusers.own_weights import (
    bits_of,
    component_source,
    files_of,
    quantisation_of,
    saved_quantisation,
    weight_paths,
)
from workbench.engines.diffusers.packages import package_problem
from workbench.engines.diffusers.placing import device_budget, free_unused, modules_of, place
from workbench.engines.diffusers.previews import LatentColours
from workbench.engines.diffusers.safety import checker_arguments
from workbench.engines.diffusers.shared_parts import encoders_of, handed_over, held_bytes
from workbench.engines.diffusers.weight_files import Stored
from workbench.engines.diffusers.weights import Weights, find_weights, how_to_get, model_facts
from workbench.errors import EngineUnavailable
from workbench.rendering import REPLACEABLE, Progress, RenderRequest
from workbench.settings import Settings

__all__ = ["encoders_for", "load_model", "model_key"]

_BITS: Final = {"float32": 32, "bfloat16": 16, "float16": 16}


def model_key(request: RenderRequest, options: Options, family: Family, device: str) -> ModelKey:
    """Return the key that tells whether a loaded model can serve ``request``."""
    fp8 = (
        "fp8" in quantisation_of(request).values()
    )  # cast after the LoRAs are applied, so the LoRAs are part of the key
    return (
        request.weights_key,
        *(f"{file}:{_stamp(file)}" for role, file in weight_paths(request) if role in REPLACEABLE),
        *((repr(request.loras),) if fp8 else ()),
        device,
        str(options.safety_checker),
        *_dtypes(request, options, family, device).values(),
    )


def encoders_for(
    model: LoadedModel, request: RenderRequest, options: Options, device: str
) -> dict[str, Any]:
    """Return the encoders of ``model``, which is given up, that the model of ``request`` has too."""
    weights = find_weights(request.model, request.revision)
    family = family_of(model_facts(request.model, weights))
    dtypes = _dtypes(request, options, family, device)
    return handed_over(model, encoders_of(request, weights, dtypes))


def load_model(
    request: RenderRequest,
    options: Options,
    settings: Settings,
    device: str,
    report: Callable[[Progress], None],
    kept: dict[str, Any] | None = None,
) -> LoadedModel:
    """Load the model of ``request`` onto ``device``, reporting progress.

    ``kept`` are components that are in memory already, on the CPU. If the device runs out of
    memory, they are given up and loading is tried once more, in a placement that needs less.
    Raises ``EngineUnavailable`` if a library or the weights are missing or damaged.
    """
    if not settings.allow_hub:  # the hub's library reads it on import
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    weights = _found(request, settings, report)
    facts = model_facts(request.model, weights)
    family = family_of(facts)
    if problem := package_problem(family.title, family.packages_for(facts)):
        raise EngineUnavailable(problem)
    _check_nf4(request, weights, device)
    dtypes = _dtypes(request, options, family, device)
    stored = _stored(request, weights)
    sizes = _sizes(request, stored, dtypes)
    wide = dtypes.get("vae") == "float32"
    kept = {} if kept is None else kept
    need = need_of(
        request,
        family,
        sizes,
        facts.configs,
        wide_vae=wide,
        through_host=_through_host(request, weights, stored, dtypes),
    )
    if kept:
        names = " and ".join(sorted(kept))
        report(Progress("loading", message=f"{names}: kept from the model before"))
    modular = weights is not None and weights.modular
    ran_out: dict[Placement, int] = {}
    while True:
        host = available_bytes()
        plan = plan_memory(
            need,
            device_budget(device),
            None if host is None else host + held_bytes(kept),
            placement=options.memory,
            tiled_vae=options.tiled_vae,
            modular=modular,
            lower_than=next(iter(ran_out), None),
        )
        if plan.problem:
            raise EngineUnavailable(plan.problem)
        report(Progress("loading", message=f"{family.title}: {plan.reason}"))
        try:
            load = partial(
                _pipeline,
                request, options, settings, weights, family, device, dtypes, plan, report, kept,
            )  # fmt: skip
            pipe, loras = _placed(load, request, plan, device)
            break
        except Exception as error:
            lower = lower_placement(plan.placement, modular=modular)
            if ran_out or options.memory != "auto" or lower is None or not is_out_of_memory(error):
                raise
            traceback.clear_frames(error.__traceback__)  # they hold what was loaded
            ran_out[plan.placement] = 0  # whatever the size of the video
            text = f"out of memory loading as {plan.placement}: retrying with another placement"
            report(Progress("loading", message=text))
        kept.clear()  # the hooks of the failed placement may be on them
        free_unused()
    model = LoadedModel(
        model_key(request, options, family, device), pipe, family, device, plan,
        getattr(pipe, "scheduler", None), LatentColours.fit(pipe), dtypes,
        sizes or _held(pipe), facts.configs, loras,
        encoders=encoders_of(request, weights, dtypes),
        digests=ComputedDigests(file for _, file in files_of(request, weights)),
        ran_out=ran_out,
    )  # fmt: skip
    model.text_cache.attach(pipe)
    return model


def _placed(
    load: Callable[[], Any], request: RenderRequest, plan: MemoryPlan, device: str
) -> tuple[Any, AppliedLoras]:
    """Load a pipeline and return it with its LoRAs, placed by ``plan``.

    If it fails, nothing holds the pipeline but the frames of the error.
    """
    pipe = load()
    pipe.set_progress_bar_config(disable=True)
    loras = AppliedLoras()
    loras.apply(pipe, request.loras)
    cast_to_fp8(request, pipe.components)
    place(pipe, plan, device)
    return pipe, loras


def _check_nf4(request: RenderRequest, weights: Weights | None, device: str) -> None:
    """Raise ``EngineUnavailable`` for nf4 off the GPU: diffusers supports it only there."""
    if device.startswith("cuda"):
        return
    index = weights.index if weights else {}
    for name, how in quantisation_of(request).items():
        if how == "nf4" and (index.get(name) or ["diffusers"])[0] == "diffusers":
            text = f"{name} cannot be packed into nf4 on {device}, only on a GPU: use int8 or fp8."
            raise EngineUnavailable(text)
    for name, entry in index.items():
        given = getattr(request, name) if name in REPLACEABLE else ""
        folder = Path(given) if given else weights.folder / name if weights else None
        if folder is None or saved_quantisation(folder) != "bitsandbytes":
            continue
        if isinstance(entry, list) and entry[:1] == ["diffusers"]:
            text = f"The {name} is saved in a format of bitsandbytes, which runs only on a GPU."
            raise EngineUnavailable(text)


def _found(
    request: RenderRequest, settings: Settings, report: Callable[[Progress], None]
) -> Weights:
    """Return the model's folder, downloaded if allowed.

    Raises ``EngineUnavailable`` if it is not on this machine and cannot be downloaded.
    """
    weights = find_weights(request.model, request.revision)
    if weights is not None:
        return weights
    if not settings.allow_hub:
        raise EngineUnavailable(how_to_get(request.model, request.revision))
    import diffusers  # noqa: PLC0415

    report(Progress("loading", message=f"downloading {request.model}"))
    try:  # before planning: missing files have no size
        diffusers.DiffusionPipeline.download(request.model, revision=request.revision or None)
    except (OSError, ValueError) as error:  # a modular pipeline has no model_index.json
        report(Progress("loading", message=told_by(error)))
    found = find_weights(request.model, request.revision)
    return found or fetch_model(request.model, settings, revision=request.revision)


def _stored(request: RenderRequest, weights: Weights | None) -> dict[str, Stored]:
    """Return the contents of each component's files, those that ``request`` replaces included."""
    stored = weights.stored() if weights else {}
    for name in REPLACEABLE:
        if given := getattr(request, name):
            stored[name] = component_source(name, given).stored()
    return stored


def _through_host(
    request: RenderRequest,
    weights: Weights | None,
    stored: Mapping[str, Stored],
    dtypes: Mapping[str, str],
) -> dict[str, int]:
    """Return the bytes of the components that are loaded into the machine's memory first.

    They are replaced ones, and all of them if one is cast to ``fp8`` after loading, or if the
    pipeline is modular.
    """
    wide = {
        name: one.bytes_at(_BITS[dtypes.get(name, dtypes["default"])])
        for name, one in stored.items()
    }
    if _reads_straight(request, weights):
        return {name: wide[name] for name in REPLACEABLE if getattr(request, name)}
    return wide


def _reads_straight(request: RenderRequest, weights: Weights | None) -> bool:
    """Return whether components can be read from disk straight to the device."""
    casts = "fp8" in quantisation_of(request).values()
    return weights is not None and not weights.modular and not casts


def _sizes(
    request: RenderRequest, stored: Mapping[str, Stored], dtypes: Mapping[str, str]
) -> dict[str, int]:
    """Return the bytes of each component in the format in which it is used."""
    quantised = quantisation_of(request)
    return {
        name: one.bytes_at(
            bits_of(quantised[name])
            if name in quantised
            else _BITS[dtypes.get(name, dtypes["default"])]
        )
        for name, one in stored.items()
    }


def _stamp(file: Path) -> int:
    return file.stat().st_mtime_ns


def _held(pipe: Any) -> dict[str, int]:
    """Return the bytes of the components of ``pipe``, if their files are unknown."""
    return {
        name: sum(one.numel() * one.element_size() for one in module.parameters())
        for name, module in modules_of(pipe)
    }


def _pipeline(
    request: RenderRequest,
    options: Options,
    settings: Settings,
    weights: Weights | None,
    family: Family,
    device: str,
    dtypes: Mapping[str, str],
    plan: MemoryPlan,
    report: Callable[[Progress], None],
    kept: Mapping[str, Any],
) -> Any:
    import diffusers  # noqa: PLC0415
    import torch  # noqa: PLC0415

    facts = model_facts(request.model, weights)
    arguments: dict[str, Any] = {
        "dtype": {name: getattr(torch, dtype) for name, dtype in dtypes.items()},
        "trust_remote_code": False,
        "local_files_only": not settings.allow_hub,
        **checker_arguments(family, facts.class_name, wanted=options.safety_checker),
    }
    if weights is None:
        arguments["revision"] = request.revision or None
    straight = _reads_straight(request, weights)
    if plan.placement == "full" and straight:
        arguments["device_map"] = device.partition(":")[0]  # from disk straight to the device
    if weights is not None and weights.variant:
        arguments["variant"] = weights.variant
    source = str(weights.folder) if weights else request.model
    brought = load_components(request, weights, dtypes, kept) if weights else {}
    quantised = quantisation_configs(request, weights)
    with _told(report):
        try:
            if weights is not None and weights.modular:
                pipe = diffusers.ModularPipeline.from_pretrained(
                    source, trust_remote_code=False, local_files_only=not settings.allow_hub
                )
                _load_parts(pipe, weights, arguments["dtype"], quantised, brought)
                return pipe
            if plan.placement == "text_offload" and straight and weights is not None:
                read = read_denoisers(weights, arguments, quantised, brought, device)
                brought |= read
                quantised = {name: one for name, one in quantised.items() if name not in read}
            if quantised:
                arguments["quantization_config"] = diffusers.PipelineQuantizationConfig(
                    quant_mapping=quantised
                )
            # DiffusionPipeline ignores a given optional component and loads the folder's own, so
            # call the pipeline class itself.
            kind = getattr(diffusers, facts.class_name, diffusers.DiffusionPipeline)
            return kind.from_pretrained(source, **arguments, **brought)
        except (OSError, ValueError, KeyError, AttributeError, ImportError) as error:
            text = f"The model in {request.model} cannot be loaded: {told_by(error)}"
            raise EngineUnavailable(text) from error


def _load_parts(
    pipe: Any,
    weights: Weights,
    dtypes: Mapping[str, Any],
    quantised: Mapping[str, Any],
    brought: Mapping[str, Any],
) -> None:
    """Load the components of a modular pipeline; diffusers only warns if one cannot be loaded."""
    files = weights.component_files()
    names = [name for name in pipe.pretrained_component_names if name not in brought]
    pipe.load_components(
        names,
        dtype=dict(dtypes),
        variant={name: one.variant for name, one in files.items() if one.variant},
        quantization_config=dict(quantised),
    )
    pipe.update_components(**brought)
    if missing := [name for name in names if name in files and getattr(pipe, name, None) is None]:
        raise ValueError(f"{', '.join(missing)} cannot be read; the log says why")


@contextmanager
def _told(report: Callable[[Progress], None]) -> Iterator[None]:
    """Report each component that diffusers loads, through its progress bar."""
    from diffusers.pipelines import pipeline_utils  # noqa: PLC0415
    from diffusers.utils import logging  # noqa: PLC0415

    class _Logging:
        def __getattr__(self, name: str) -> Any:
            return getattr(logging, name)

        def tqdm(self, items: Any, **_: Any) -> Iterator[Any]:
            parts = list(items)
            for number, part in enumerate(parts):
                name = part[0] if isinstance(part, tuple) else str(part)
                report(Progress("loading", number, len(parts), f"loading {name}"))
                yield part

    original = pipeline_utils.logging
    pipeline_utils.logging = _Logging()
    try:
        yield
    finally:
        pipeline_utils.logging = original


def _dtypes(
    request: RenderRequest, options: Options, family: Family, device: str
) -> dict[str, str]:
    """Return the dtype of the components: on a GPU, the one the family's authors use.

    The VAE runs in float32 only for the reference profile.
    """
    if options.dtype != "auto":
        return {"default": options.dtype, "vae": options.dtype}
    if not device.startswith("cuda"):
        return {"default": "float32", "vae": "float32"}
    wide = family.vae_dtype if request.profile == "reference" else None
    return {"default": family.dtype, "vae": wide or family.dtype}
