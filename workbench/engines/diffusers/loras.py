"""Applies LoRAs to a loaded model's denoisers, and removes them again.

Reads the key layouts of diffusers, of Comfy and lightx2v, and of kohya. diffusers only warns if a
LoRA matches no layer; here that is an error, raised before rendering.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from workbench.engines.diffusers.acceleration import denoisers
from workbench.engines.diffusers.faults import told_by
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import Lora

__all__ = ["AppliedLoras"]

_STAGES: Final = {"high": "transformer", "low": "transformer_2"}
_STAGE_IN_NAME: Final = re.compile(r"(high|low)[-_ ]?noise", re.IGNORECASE)
_KOHYA_WAN: Final = re.compile(
    r"lora_unet_blocks_(?P<block>\d+)_(?P<part>self_attn|cross_attn|ffn)_(?P<layer>\w+?)\."
)
_PREFIXES: Final = ("base_model.model.", "model.")
"""Prefixes that trainers put before layer names."""

_DIFFERENCES: Final = (".diff", ".diff_b")
"""Endings of keys that hold a difference of a whole weight or bias, as in lightx2v's files."""

_Stamped = tuple[Lora, int, int]
"""A LoRA with its file's size and time: another file under the same name is another LoRA."""


@dataclass
class AppliedLoras:
    """The LoRAs applied to one loaded model."""

    notes: list[str] = field(default_factory=list)
    """Notes on layers that match nothing in the model."""
    _applied: tuple[_Stamped, ...] = ()

    def differ(self, wanted: Sequence[Lora]) -> bool:
        """Tell whether the applied LoRAs differ from ``wanted``."""
        return _stamped(wanted) != self._applied

    def apply(self, pipe: Any, wanted: Sequence[Lora]) -> None:
        """Apply exactly the LoRAs ``wanted`` to the denoisers of ``pipe``.

        The base weights are never modified: without LoRAs the model is bit for bit the original.
        Raises ``InvalidRequest`` if a LoRA matches no layer; the model then has none.
        """
        stamped = _stamped(wanted)
        if [_but_weight(one) for one in stamped] != [_but_weight(one) for one in self._applied]:
            self.remove(pipe)
            plans = [_fitted(pipe, number, one) for number, (one, _, _) in enumerate(stamped)]
            for layers, notes in plans:
                for (name, adapter), state in layers.items():
                    getattr(pipe, name).load_lora_adapter(state, prefix=None, adapter_name=adapter)
                self.notes.extend(notes)
        for denoiser in denoisers(pipe):
            names = list(getattr(denoiser, "peft_config", {}))
            if names:
                weights = [stamped[int(name.removeprefix("lora_"))][0].weight for name in names]
                denoiser.set_adapters(names, weights)
        self._applied = stamped

    def remove(self, pipe: Any) -> None:
        """Remove every LoRA."""
        self.notes.clear()
        self._applied = ()
        for denoiser in denoisers(pipe):
            if getattr(denoiser, "peft_config", None):
                denoiser.unload_lora()


def _stamped(loras: Sequence[Lora]) -> tuple[_Stamped, ...]:
    found = []
    for lora in loras:
        if lora.weight:
            facts = Path(lora.path).stat()
            found.append((lora, facts.st_size, facts.st_mtime_ns))
    return tuple(found)


def _but_weight(stamped: _Stamped) -> tuple[Any, ...]:
    lora, size, time = stamped
    return lora.path, lora.stage, size, time


def _fitted(
    pipe: Any, number: int, lora: Lora
) -> tuple[dict[tuple[str, str], dict[str, Any]], list[str]]:
    """Return the layers of ``lora`` by denoiser and adapter, and those that match none."""
    name = Path(lora.path).name
    try:
        read = _read(lora.path)
        state = _layers(pipe, read)
    except (ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        raise _refusal(number, f"{name} has an unsupported layout: {told_by(error)}") from error
    found: dict[tuple[str, str], dict[str, Any]] = {}
    notes = []
    if lost := _lost_differences(read, state):
        notes.append(
            f"{len(lost)} differences of norms and other weights in {name} are left out, because "
            f"diffusers does not apply them: {', '.join(lost[:3])}"
        )
    for target in _targets(pipe, lora):
        denoiser = getattr(pipe, target)
        if not hasattr(denoiser, "load_lora_adapter"):
            raise _refusal(
                number, f"{type(denoiser).__name__} does not support LoRAs in diffusers."
            )
        modules = dict(denoiser.named_modules())
        fitting = {key: value for key, value in state.items() if _fits(key, value, modules)}
        layers, kept = _names(state), _names(fitting)
        if not any(".lora_B" in key or ".lokr_" in key for key in fitting):
            first = next(iter(layers), "nothing")
            raise _refusal(
                number,
                f"{name} matches no layer of {type(denoiser).__name__}: it was made for another model "
                f"or another size of it (its first layer is {first}).",
            )
        if left := [one for one in layers if one not in kept]:
            notes.append(
                f"{len(left)} of {len(layers)} layers of {name} match nothing in {target}: "
                f"{', '.join(left[:3])}"
            )
        found[(target, f"lora_{number}")] = fitting
    return found, notes


def _targets(pipe: Any, lora: Lora) -> list[str]:
    present = [
        name for name in ("transformer", "transformer_2", "unet") if getattr(pipe, name, None)
    ]
    stage: str | None = lora.stage
    if stage is None and (said := _STAGE_IN_NAME.search(Path(lora.path).name)):
        stage = said[1].lower()
    if stage is None or "transformer_2" not in present:
        return present
    return [_STAGES[stage]]


def _read(path: str) -> dict[str, Any]:
    from safetensors.torch import load_file  # noqa: PLC0415

    state: dict[str, Any] = load_file(path)
    for prefix in _PREFIXES:
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _layers(pipe: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Return ``state`` with diffusers' layer names, without the component's name."""
    state = {_KOHYA_WAN.sub(_as_comfy, key): value for key, value in state.items()}
    if any(key.startswith("blocks.") and "_attn." in key for key in state):
        state = {f"diffusion_model.{key}": value for key, value in state.items()}
    convert = getattr(type(pipe), "lora_state_dict", None)
    made = convert(dict(state)) if convert else state
    made = made[0] if isinstance(made, tuple) else made
    return {re.sub(r"^(transformer|unet)\.", "", key): value for key, value in made.items()}


def _lost_differences(read: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the keys of whole weights and biases (not zero) that diffusers' conversion drops.

    It turns biases of layers into those of their factors, without copying the tensors.
    """
    kept = {id(value) for value in state.values()}
    return [
        key
        for key, value in read.items()
        if key.endswith(_DIFFERENCES) and id(value) not in kept and bool(value.any())
    ]


def _as_comfy(key: re.Match[str]) -> str:
    return f"diffusion_model.blocks.{key['block']}.{key['part']}.{key['layer']}."


def _fits(key: str, value: Any, modules: Mapping[str, Any]) -> bool:
    """Tell whether the factor ``key`` belongs to a layer of the model and has its size."""
    name, _, factor = key.partition(".lora_")
    module = modules.get(name if factor else key.partition(".lokr_")[0])
    if module is None:
        return False
    base = getattr(module, "base_layer", module)
    side = "in_features" if factor.startswith("A.") else "out_features"
    size = getattr(base, side, None)
    if size is None or value.ndim > 2 or not factor:
        return True
    return bool(value.shape[1 if factor.startswith("A.") else 0] == size)


def _names(state: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(re.split(r"\.lo(?:ra|kr)_", key)[0] for key in state))


def _refusal(number: int, text: str) -> InvalidRequest:
    return InvalidRequest(text, (FieldProblem(f"loras[{number}]", text),))
