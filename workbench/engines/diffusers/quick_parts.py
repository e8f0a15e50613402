"""Faster implementations of model parts, and how to undo them.

Each computes the same result with another memory layout or in fewer passes; results differ only by
rounding. Identifies modules by class name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any, Final

from workbench.engines.diffusers.attention import relative_error

__all__ = ["hasten_projections", "hasten_vae", "plain_parts", "restore"]

_REPLACED: Final = "_workbench_replaced"
_VAES: Final = {"AutoencoderKLWan"}
_TRIAL_LATENTS: Final = (3, 8, 8)
"""Frames, rows and columns: the first frame is decoded otherwise than those after it."""
_TOLERANCE: Final = 5e-2
"""Relative error of a decoded trial at bfloat16 beyond which the quick way is not trusted."""


def hasten_vae(vae: Any) -> str:
    """Let a video VAE that is known here decode quicker; return why not, or an empty string.

    Its convolutions' weights are laid out with the channels last, as tensor cores read them; its
    causal convolutions pad within the convolution instead of copying their input; its
    normalisation over channels is one kernel instead of six passes. Decodes a trial both ways
    first, and leaves the VAE as it was where they differ by more than rounding.
    """
    if type(vae).__name__ not in _VAES:
        return f"{type(vae).__name__} has no quicker way here"
    plain = _trial(vae)
    for part in vae.modules():
        _lay_out(part, channels_last=True)
        _replace(part, _DECODER)
    error = relative_error(_trial(vae), plain)
    if error <= _TOLERANCE:
        return ""
    restore(vae)
    return f"the quicker VAE's frames are off by {error:.2g} of their size"


def hasten_projections(denoiser: Any) -> None:
    """Let each projection with a GELU (tanh form) apply it in the matrix product's own epilogue.

    Only where the weights lie on a GPU: torch's product on a CPU has the other form of GELU.
    """
    for part in denoiser.modules():
        if type(part).__name__ == "GELU" and _epilogue_fits(part):
            _replace(part, {"GELU": _gelu_projection})


def restore(module: Any) -> None:
    """Return every part of ``module`` to what it was, bit for bit."""
    for part in module.modules():
        _lay_out(part, channels_last=False)
        if vars(part).pop(_REPLACED, False):
            del part.forward


@contextmanager
def plain_parts(module: Any) -> Iterator[None]:
    """Let ``module`` compute as it came, for a moment; compiled code stays valid."""
    parts = [part for part in module.modules() if _REPLACED in vars(part)]
    kept = [(part, vars(part).pop("forward")) for part in parts]
    try:
        yield
    finally:
        for part, forward in kept:
            part.forward = forward


def _replace(part: Any, forwards: dict[str, Any]) -> None:
    forward = forwards.get(type(part).__name__)
    if forward is None or _REPLACED in vars(part) or not getattr(part, "channel_first", True):
        return
    object.__setattr__(part, _REPLACED, True)
    part.forward = MethodType(forward, part)


def _lay_out(part: Any, *, channels_last: bool) -> None:
    import torch  # noqa: PLC0415

    if not isinstance(part, torch.nn.Conv2d | torch.nn.Conv3d):
        return
    last = torch.channels_last_3d if part.weight.dim() == 5 else torch.channels_last
    wanted = last if channels_last else torch.contiguous_format
    if not part.weight.is_contiguous(memory_format=wanted):
        part.weight.data = part.weight.data.contiguous(memory_format=wanted)


def _trial(vae: Any) -> Any:
    """Return what ``vae`` decodes from a few random latents."""
    import torch  # noqa: PLC0415

    weight = next(vae.parameters())
    shape = (1, vae.config.z_dim, *_TRIAL_LATENTS)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return vae.decode(latents.to(weight.device, weight.dtype), return_dict=False)[0]


def _epilogue_fits(part: Any) -> bool:
    projection: Any = getattr(part, "proj", None)
    return bool(
        part.approximate == "tanh"
        and type(projection).__name__ == "Linear"  # an adapter or a quantised layer is another
        and projection.bias is not None
        and projection.weight.device.type == "cuda"
        and projection.weight.dtype == projection.bias.dtype
    )


def _causal_convolution(self: Any, states: Any, cache_x: Any = None) -> Any:
    """Convolve as ``WanCausalConv3d`` does: zeros at the sides, the past before the first frame."""
    import torch  # noqa: PLC0415

    width, _, height, _, past, _ = self._padding
    if cache_x is not None and past > 0:
        states = torch.cat([cache_x.to(states.device), states], dim=2)
        past -= cache_x.shape[2]
    if past > 0:
        states = torch.nn.functional.pad(states, (0, 0, 0, 0, past, 0))
    return torch.nn.functional.conv3d(
        states, self.weight, self.bias, self.stride, (0, height, width), self.dilation, self.groups
    )


def _channel_norm(self: Any, states: Any) -> Any:
    """Normalise as ``WanRMS_norm`` does: x / ‖x‖₂ · √C · γ + β is x / rms(x) · γ + β."""
    import torch  # noqa: PLC0415

    last = states.movedim(1, -1)
    normed = torch.nn.functional.rms_norm(last, last.shape[-1:], self.gamma.flatten(), _TINY)
    normed = normed.movedim(-1, 1)
    return normed + self.bias if torch.is_tensor(self.bias) else normed


def _gelu_projection(self: Any, states: Any) -> Any:
    """Project and activate in one product: cuBLASLt has the tanh form of GELU as an epilogue."""
    import torch  # noqa: PLC0415

    rows = states.reshape(-1, states.shape[-1])
    made = torch._addmm_activation(  # noqa: SLF001  torch has no public name for it
        self.proj.bias, rows, self.proj.weight.t(), use_gelu=True
    )
    return made.reshape(*states.shape[:-1], made.shape[-1])


_TINY: Final = 1e-24  # the square of F.normalize's own 1e-12; only a pixel of zeros meets it
_DECODER: Final = {"WanCausalConv3d": _causal_convolution, "WanRMS_norm": _channel_norm}
