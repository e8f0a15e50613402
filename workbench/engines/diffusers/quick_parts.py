"""A faster implementation of a video VAE on a GPU, and how to undo it.

Each computes the same result with another memory layout or in fewer passes, so results differ only
by rounding. Identifies modules by class name.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MethodType
from typing import Any, Final

from workbench.engines.diffusers.attention import relative_error

__all__ = ["Trial", "hasten_vae", "precision_error", "restore"]

_REPLACED: Final = "_workbench_replaced"
_VAES: Final = {"AutoencoderKLWan"}
_TRIAL_LATENTS: Final = (3, 8, 8)
"""Frames, rows and columns: the first frame is decoded otherwise than those after it."""
_TOLERANCE: Final = 5e-2
"""Relative error of a decoded trial at bfloat16 above which the faster code is not used."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of decoding a few random latents both ways."""

    error: float | None = None
    """Relative error of the faster code's frames; None if it was not tried."""
    refusal: str = ""
    """Why the VAE was left unchanged; empty if it now decodes faster."""


def hasten_vae(vae: Any) -> Trial:
    """Make a known video VAE decode faster, or say why not.

    Convolution weights get a channels-last layout, as tensor cores read them; causal convolutions
    pad within the convolution instead of copying their input; normalisation over channels is one
    kernel instead of six passes. Decodes a trial both ways first, and leaves the VAE unchanged if
    they differ by more than rounding.
    """
    if type(vae).__name__ not in _VAES:
        return Trial(refusal=f"{type(vae).__name__} has no faster implementation here")
    plain = _trial(vae)
    for part in vae.modules():
        _lay_out(part, channels_last=True)
        _replace(part, _DECODER)
    error = relative_error(_trial(vae), plain)
    if error <= _TOLERANCE:
        return Trial(error)
    restore(vae)
    return Trial(error, f"the faster VAE's frames differ by {error:.2g} of their size")


def precision_error(vae: Any) -> Trial:
    """Measure how far a VAE's frames are from those that it decodes in 32 bits.

    Decodes a few random latents in both formats; the weights are restored bit for bit. The trial
    has no error for a VAE that runs in 32 bits, and a refusal where it cannot be made.
    """
    import torch  # noqa: PLC0415

    dtype = next(vae.parameters()).dtype
    if dtype == torch.float32:
        return Trial()
    name = type(vae).__name__
    try:
        narrow = _trial(vae)
        torch.nn.Module.to(vae, torch.float32)  # the model's own method warns about precision
        wide = _trial(vae)
    except torch.OutOfMemoryError:
        return Trial(refusal="the device has too little memory for the VAE in 32 bits")
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError):
        return Trial(refusal=f"{name} decodes no trial of a few latents")
    finally:
        torch.nn.Module.to(vae, dtype)
    if not wide.float().std() > 0:
        return Trial(refusal=f"{name} decodes no trial of a few latents")
    return Trial(relative_error(narrow, wide))


def restore(module: Any) -> None:
    """Restore every part of ``module``, bit for bit."""
    for part in module.modules():
        _lay_out(part, channels_last=False)
        if vars(part).pop(_REPLACED, False):
            del part.forward


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
    """Return the frames that ``vae`` decodes from a few random latents."""
    import torch  # noqa: PLC0415

    weight = next(vae.parameters())
    channels = getattr(vae.config, "z_dim", None) or vae.config.latent_channels
    shape = (1, channels, *_TRIAL_LATENTS)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return vae.decode(latents.to(weight.device, weight.dtype), return_dict=False)[0]


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


_TINY: Final = 1e-24  # the square of F.normalize's own 1e-12; only a pixel of zeros meets it
_DECODER: Final = {"WanCausalConv3d": _causal_convolution, "WanRMS_norm": _channel_norm}
