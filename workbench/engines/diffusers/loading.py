"""Loads a model from disk to its device according to its memory plan."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from workbench.engines.diffusers.acceleration import Acceleration
from workbench.engines.diffusers.adapters import parameters_of
from workbench.engines.diffusers.families import Family, family_of
from workbench.engines.diffusers.faults import told_by
from workbench.engines.diffusers.memory import MemoryPlan, decode_fits, need_of, plan_memory
from workbench.engines.diffusers.options import Options
from workbench.engines.diffusers.previews import LatentColours
from workbench.engines.diffusers.safety import checker_arguments
from workbench.engines.diffusers.text_cache import TextCache
from workbench.engines.diffusers.weights import Weights, find_weights, how_to_get, model_facts
from workbench.errors import EngineUnavailable
from workbench.rendering import Progress, RenderRequest
from workbench.settings import Settings

__all__ = ["LoadedModel", "ModelKey", "load_model", "model_key"]

ModelKey = tuple[str, ...]
"""Requests with equal keys share one loaded model."""


@dataclass
class LoadedModel:
    """A loaded model and the state kept with it."""

    key: ModelKey
    pipe: Any
    family: Family
    device: str
    plan: MemoryPlan
    scheduler: Any
    """The scheduler as it was loaded."""
    colours: LatentColours | None
    dtypes: Mapping[str, str]
    text_cache: TextCache = field(default_factory=TextCache)
    acceleration: Acceleration = field(default_factory=Acceleration)
    variants: dict[str, Any] = field(default_factory=dict)
    """Pipelines of other classes over the same components."""

    def pipe_for(self, options: Options) -> Any:
        """Return the pipeline class that takes the inputs in ``options``."""
        takes = parameters_of(self.pipe)
        for kind in ("image", "video"):
            if getattr(options, kind) and kind not in takes:
                name = getattr(self.family, f"{kind}_class")
                if not name:
                    raise EngineUnavailable(
                        f"{self.family.title} as {type(self.pipe).__name__} takes no {kind}; "
                        "choose a model made for that."
                    )
                return self._variant(name)
        return self.pipe

    def fit(self, request: RenderRequest, options: Options) -> None:
        """Decide for this request whether the VAE decodes in tiles."""
        vae: Any = getattr(self.pipe, "vae", None)
        if not hasattr(vae, "enable_tiling") or not hasattr(vae, "disable_tiling"):
            return
        tiled = options.tiled_vae
        if tiled is None:
            tiled = not decode_fits(need_of(request, self.family, {}), _free_bytes(self.device))
        tiled = tiled or self.family.fixed_vae == "tiled"
        if tiled != getattr(vae, "use_tiling", None):
            (vae.enable_tiling if tiled else vae.disable_tiling)()
        self.plan = replace(self.plan, tiled_vae=tiled)

    def _variant(self, name: str) -> Any:
        if name not in self.variants:
            import inspect  # noqa: PLC0415

            import diffusers  # noqa: PLC0415

            kind = getattr(diffusers, name)
            wanted = inspect.signature(kind.__init__).parameters
            have = {**dict(self.pipe.config), **self.pipe.components}
            parts = {key: value for key, value in have.items() if key in wanted}
            parts.update({
                key: None for key, parameter in wanted.items()
                if key not in parts and key not in {"self", "args", "kwargs"}
                and parameter.default is parameter.empty
            })  # fmt: skip
            pipe = kind(**parts)
            pipe.set_progress_bar_config(disable=True)
            self.text_cache.attach(pipe)
            self.variants[name] = pipe
        pipe = self.variants[name]
        pipe.scheduler = self.pipe.scheduler
        return pipe


def model_key(request: RenderRequest, options: Options, family: Family, device: str) -> ModelKey:
    """Return the key that tells whether a loaded model can serve ``request``."""
    return (
        request.model,
        request.revision,
        device,
        str(options.safety_checker),
        options.memory,
        *_dtypes(request, options, family, device).values(),
    )


def load_model(
    request: RenderRequest,
    options: Options,
    settings: Settings,
    device: str,
    report: Callable[[Progress], None],
) -> LoadedModel:
    """Load the model of ``request`` onto ``device``, reporting progress.

    Raises ``EngineUnavailable`` if a library or the weights are missing or damaged.
    """
    if not settings.allow_hub:  # read by the hub's library when it is first imported
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    weights, family = _found(request, settings)
    facts = model_facts(request.model, weights)
    missing = [name for name in family.packages_for(facts) if find_spec(name) is None]
    if missing:
        text = f"{family.title} needs {', '.join(missing)}: pip install {' '.join(missing)}"
        raise EngineUnavailable(text)
    dtypes = _dtypes(request, options, family, device)
    plan = _plan(request, options, family, weights, device)
    report(Progress("loading", message=f"{family.title}: {plan.reason}"))
    pipe = _pipeline(request, options, settings, weights, family, device, dtypes, plan, report)
    _place(pipe, plan, device)
    pipe.set_progress_bar_config(disable=True)
    model = LoadedModel(
        model_key(request, options, family, device), pipe, family, device, plan,
        getattr(pipe, "scheduler", None), LatentColours.fit(pipe), dtypes,
    )  # fmt: skip
    model.text_cache.attach(pipe)
    return model


def _found(request: RenderRequest, settings: Settings) -> tuple[Weights | None, Family]:
    weights = find_weights(request.model, request.revision)
    if weights is None and not settings.allow_hub:
        raise EngineUnavailable(how_to_get(request.model, request.revision))
    return weights, family_of(model_facts(request.model, weights))


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
    if plan.placement == "full":
        arguments["device_map"] = device.partition(":")[0]  # from disk straight to the device
    source = str(weights.folder) if weights else request.model
    with _told(report):
        try:
            if weights is not None and weights.modular:
                pipe = diffusers.ModularPipeline.from_pretrained(
                    source, trust_remote_code=False, local_files_only=not settings.allow_hub
                )
                pipe.load_components(dtype=arguments["dtype"])
                return pipe
            return diffusers.DiffusionPipeline.from_pretrained(source, **arguments)
        except (OSError, ValueError, KeyError, AttributeError, ImportError) as error:
            text = f"The model in {request.model} cannot be loaded: {told_by(error)}"
            raise EngineUnavailable(text) from error


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


def _plan(
    request: RenderRequest,
    options: Options,
    family: Family,
    weights: Weights | None,
    device: str,
) -> MemoryPlan:
    sizes = weights.component_bytes() if weights else {}
    return plan_memory(
        need_of(request, family, sizes),
        _free_bytes(device),
        placement=options.memory,
        tiled_vae=options.tiled_vae,
    )


def _free_bytes(device: str) -> int | None:
    """Return the bytes free on ``device`` for this process; None on a CPU."""
    if not device.startswith("cuda"):
        return None
    import torch  # noqa: PLC0415

    kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return int(torch.cuda.mem_get_info()[0] + kept)


def _place(pipe: Any, plan: MemoryPlan, device: str) -> None:
    if plan.placement == "full" or not hasattr(pipe, "enable_model_cpu_offload"):
        if getattr(pipe, "hf_device_map", None) is None:
            pipe.to(device)
    elif plan.placement == "model_offload":
        pipe.enable_model_cpu_offload(device=device)
    else:
        import torch  # noqa: PLC0415

        pipe.enable_group_offload(
            onload_device=torch.device(device),
            offload_type="leaf_level",
            use_stream=device.startswith("cuda"),
        )
