"""Streams the frames of a running pipeline to the encoder as the VAE decodes them.

Three tap points: chunk by chunk in the VAE's decoder, a few frames at a time if the pipeline
decodes so, or all at once before post-processing. The values equal the 8-bit frames that the
pipeline would return.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from workbench.errors import NotFinite

__all__ = ["FrameSink", "Tap", "as_uint8", "frames_of_output"]

_SLICE = 8
"""Frames converted at a time when the whole video arrives at once; bounds memory."""


class FrameSink(Protocol):
    """Receives finished frames: T×H×W×3, ``uint8``."""

    def __call__(self, frames: Any) -> None:
        """Receive the next frames, in order."""


def as_uint8(frames: Any) -> Any:
    """Return frames C×T×H×W from -1 to 1 as T×H×W×C ``uint8``, rounded as diffusers rounds.

    The arithmetic is that of ``VaeImageProcessor.denormalize`` in the frames' own precision, then
    that of ``numpy_to_pil`` in 32 bits; it runs where the frames are.
    """
    import torch  # noqa: PLC0415

    shifted = (frames * 0.5 + 0.5).clamp(0, 1).permute(1, 2, 3, 0)
    return (shifted.float() * 255).round().to(torch.uint8)


def frames_of_output(output: Any) -> Any:
    """Return the frames of a pipeline's output as an array T×H×W×3, from 0 to 1 or ``uint8``."""
    import numpy as np  # noqa: PLC0415

    if isinstance(output, dict) and "videos" in output:
        output = output["videos"]
    frames = getattr(output, "frames", None)
    if frames is None:
        frames = getattr(output, "video", None)
    if frames is None:
        frames = output[0] if isinstance(output, tuple) else output
    if isinstance(frames, list):
        frames = frames[0] if isinstance(frames[0], list | np.ndarray) else frames
        frames = np.stack([np.asarray(frame) for frame in frames])
    if hasattr(frames, "detach"):
        frames = frames.detach().float().cpu().numpy()
        frames = np.moveaxis(frames, -3, -1) if frames.shape[-1] != 3 else frames
    frames = np.asarray(frames)
    return frames[0] if frames.ndim == 5 else frames


class Tap:
    """Taps one pipeline for one call; ``taken`` counts the frames."""

    def __init__(self, pipe: Any, place: str, sink: FrameSink) -> None:
        self._pipe = pipe
        self._sink = sink
        self.place = _place(pipe, place)
        self.taken = 0
        self._late: list[Callable[[], None]] = []

    @contextmanager
    def open(self) -> Iterator[Tap]:
        """Tap the pipeline while the context is open, then restore it."""
        with ExitStack() as stack:
            if self.place == "decoder":
                handle = self._pipe.vae.decoder.register_forward_hook(self._on_decoder)
                stack.callback(handle.remove)
            elif self.place == "chunks":
                _replace(stack, self._pipe.vae, "decode", self._on_decode(self._pipe.vae.decode))
            if self.place != "none":
                processor = self._pipe.video_processor
                _replace(stack, processor, "postprocess_video", self._on_video(processor))
            yield self
            self._flush()

    def _on_decoder(self, _module: Any, _inputs: Any, output: Any) -> Any:
        whole = output[0] if isinstance(output, tuple) else output
        frames = whole
        patch = getattr(self._pipe.vae.config, "patch_size", None)
        if patch is not None and type(self._pipe.vae).__name__ == "AutoencoderKLWan":
            from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify  # noqa: PLC0415

            frames = unpatchify(frames, patch_size=patch)
        self._push(frames.clamp(-1.0, 1.0)[0])
        # The VAE concatenates what its decoder returns; the frames are taken, so a corner is enough.
        corner = whole[:, :, :, :1, :1]
        return (corner, *output[1:]) if isinstance(output, tuple) else corner

    def _on_decode(self, decode: Callable[..., Any]) -> Callable[..., Any]:
        def tapped(*args: Any, **kwargs: Any) -> Any:
            output = decode(*args, **kwargs)
            frames = output[0] if isinstance(output, tuple) else output.sample
            self._push(frames.float().permute(1, 0, 2, 3))  # the pipeline joins them as 32 bits
            return output

        return tapped

    def _on_video(self, processor: Any) -> Callable[..., Any]:
        original = processor.postprocess_video

        def tapped(video: Any, output_type: str = "np", **kwargs: Any) -> Any:
            if self.place == "whole" and not self.taken:
                for start in range(0, video.shape[2], _SLICE):
                    self._push(video[0, :, start : start + _SLICE])
            self._flush()
            return original(video[:, :, :1, :1, :1], output_type, **kwargs)

        return tapped

    def _push(self, frames: Any) -> None:
        """Forward the previous chunk: on a GPU, this one is still being copied."""
        first, self.taken = self.taken, self.taken + frames.shape[1]
        ready, is_finite = as_uint8(frames), frames.isfinite().all()
        if ready.device.type == "cpu":
            _check(is_finite, first)
            self._sink(ready.contiguous().numpy())
            return
        import torch  # noqa: PLC0415

        host = torch.empty(ready.shape, dtype=ready.dtype, pin_memory=True)
        host.copy_(ready, non_blocking=True)
        finite = torch.empty((), dtype=torch.bool, pin_memory=True)
        finite.copy_(is_finite, non_blocking=True)
        copied = torch.cuda.Event()
        copied.record()
        self._flush()

        def finish() -> None:
            copied.synchronize()
            _check(finite, first)
            self._sink(host.numpy())

        self._late.append(finish)

    def _flush(self) -> None:
        late, self._late = self._late, []
        for finish in late:
            finish()


def _check(is_finite: Any, first: int) -> None:
    if not is_finite:
        raise NotFinite(
            f"The decoded frames are NaN or infinite from frame {first + 1} on, after the last step: "
            "the VAE overflows. Set options.dtype to 'bfloat16' or 'float32'."
        )


def _place(pipe: Any, wanted: str) -> str:
    """Return the tap point; ``decoder`` only if the VAE decodes in order."""
    if not hasattr(getattr(pipe, "video_processor", None), "postprocess_video"):
        return "none"
    vae = getattr(pipe, "vae", None)
    tiled = getattr(vae, "use_tiling", False) or getattr(vae, "use_slicing", False)
    if wanted == "decoder" and (tiled or not hasattr(vae, "decoder")):
        return "whole"
    return wanted


def _replace(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    """Set ``owner.name`` on this object while ``stack`` is open."""
    had = name in vars(owner)
    before = vars(owner).get(name)
    object.__setattr__(owner, name, value)

    def restore() -> None:
        if had:
            object.__setattr__(owner, name, before)
        else:
            object.__delattr__(owner, name)

    stack.callback(restore)
