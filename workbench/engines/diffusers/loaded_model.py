"""A model that stays loaded: its pipelines, placement and caches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.engines.diffusers.acceleration import Acceleration
from workbench.engines.diffusers.adapters import is_modular
from workbench.engines.diffusers.conditioning import choose_class, given_media
from workbench.engines.diffusers.digests import ComputedDigests
from workbench.engines.diffusers.families import Family
from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.loras import AppliedLoras
from workbench.engines.diffusers.memory import (
    PLACEMENTS,
    MemoryPlan,
    Placement,
    is_denoiser,
    lower_placement,
    need_of,
    plan_memory,
)
from workbench.engines.diffusers.options import Options
from workbench.engines.diffusers.placing import device_budget, place, withdraw
from workbench.engines.diffusers.previews import LatentColours
from workbench.engines.diffusers.shared_parts import EncoderIdentity
from workbench.engines.diffusers.text_cache import TextCache
from workbench.errors import EngineUnavailable
from workbench.rendering import RenderRequest

__all__ = ["LoadedModel", "ModelKey"]

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
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of each component's weights, in the format in use."""
    configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    loras: AppliedLoras = field(default_factory=AppliedLoras)
    text_cache: TextCache = field(default_factory=TextCache)
    acceleration: Acceleration = field(default_factory=Acceleration)
    encoders: Mapping[str, EncoderIdentity] = field(default_factory=dict)
    """Its text and image encoders, which another model may have, too."""
    digests: ComputedDigests = field(default_factory=lambda: ComputedDigests(()))
    """Of its files, which are read a second time for it the first time."""
    variants: dict[str, Any] = field(default_factory=dict)
    """Pipelines of other classes over the same components."""
    ran_out: dict[Placement, int] = field(default_factory=dict)
    """Placement → pixels of the smallest video that ran out of memory in it; 0: while loading."""

    def pipe_for(self, options: Options) -> Any:
        """Return the pipeline class that takes the inputs in ``options``."""
        own = type(self.pipe).__name__
        given = given_media(options)
        name = choose_class(given, own, self.family)
        if name is None:
            raise EngineUnavailable(
                f"{self.family.title} as {own} does not accept {' with '.join(sorted(given))}; "
                "choose a model that does."
            )
        return self.pipe if name == own else self._variant(name)

    def fit(self, request: RenderRequest, options: Options) -> None:
        """Apply the request's LoRAs, and move the model if the request needs or allows it.

        Raises ``InvalidRequest`` if a LoRA does not fit, ``EngineUnavailable`` if the machine
        cannot hold the model.
        """
        plan = self._plan_for(request, options)
        if plan.problem:
            raise EngineUnavailable(plan.problem)
        dressed = self.loras.differ(request.loras)
        moved = (plan.placement, plan.pinned) != (self.plan.placement, self.plan.pinned)
        if moved or (dressed and plan.placement != "full"):
            withdraw(self.pipe)  # a LoRA on layers that are offloaded breaks them
        if dressed:
            self.acceleration.forget_checks()
            self.loras.apply(self.pipe, request.loras)
        if moved or (dressed and plan.placement != "full"):
            place(self.pipe, plan, self.device)
        vae: Any = getattr(self.pipe, "vae", None)
        if hasattr(vae, "enable_tiling") and hasattr(vae, "disable_tiling"):
            tiled = plan.tiled_vae or self.family.fixed_vae == "tiled"
            if tiled != getattr(vae, "use_tiling", None):
                (vae.enable_tiling if tiled else vae.disable_tiling)()
            plan = replace(plan, tiled_vae=tiled)
        self.plan = plan

    def step_down(self, request: RenderRequest, options: Options) -> bool:
        """Note that ``request`` ran out of memory; tell whether a smaller placement is left."""
        if options.memory != "auto":
            return False
        placement = self.plan.placement
        pixels = _pixels(request)
        self.ran_out[placement] = min(pixels, self.ran_out.get(placement, pixels))
        return lower_placement(placement, modular=is_modular(self.pipe)) is not None

    def _plan_for(self, request: RenderRequest, options: Options) -> MemoryPlan:
        failed = [one for one, pixels in self.ran_out.items() if _pixels(request) >= pixels]
        lower_than = max(failed, key=PLACEMENTS.index, default=None)
        host = available_bytes()
        if host is not None and self.plan.placement != "full":
            host += sum(  # what the model already occupies there
                size
                for name, size in self.sizes.items()
                if self.plan.placement != "text_offload" or not is_denoiser(name)
            )
        wide = self.dtypes.get("vae") == "float32"
        return plan_memory(
            need_of(request, self.family, self.sizes, self.configs, wide_vae=wide),
            device_budget(self.device),
            host,
            placement=options.memory,
            tiled_vae=True if lower_than and options.tiled_vae is None else options.tiled_vae,
            modular=is_modular(self.pipe),
            lower_than=lower_than,
        )

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


def _pixels(request: RenderRequest) -> int:
    return (request.width or 1280) * (request.height or 720) * (request.num_frames or 121)
