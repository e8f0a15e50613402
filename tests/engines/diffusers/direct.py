"""What a model renders when diffusers is called directly, which our render must equal bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from workbench.rendering import RenderRequest


def direct(pipe: Any, request: RenderRequest, output_type: str = "np", **call: Any) -> Any:
    """Return the frames of a plain call of two steps, as floats from 0 to 255, or its latents."""
    pipe.set_progress_bar_config(disable=True)
    if request.negative_prompt:
        call["negative_prompt"] = request.negative_prompt
    shift = request.options.get("flow_shift")
    if shift is not None and hasattr(pipe.scheduler.config, "flow_shift"):
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=shift)
    usual = {
        "prompt": request.text_for_model,
        "width": request.width,
        "height": request.height,
        "num_frames": request.num_frames,
        "num_inference_steps": 2,
        "guidance_scale": request.guidance_scale,
        "generator": torch.Generator("cpu").manual_seed(request.seed),
        "output_type": output_type,
    }
    output = pipe(**usual | call)
    if output_type == "latent":
        return output.frames
    frames = np.asarray(output.frames)
    return (frames[0] if frames.ndim == 5 else frames) * 255


def eight_bits(given: list[Any]) -> Any:
    """Return the frames that an engine wrote, as one array of bytes."""
    got = np.concatenate(given)
    return got if got.dtype == np.uint8 else (got * 255).round().astype(np.uint8)


def assert_same(given: list[Any], wanted: Any) -> None:
    """Hold that an engine wrote the frames of :func:`direct`, and that they show something."""
    assert wanted.std() > 0
    np.testing.assert_array_equal(eight_bits(given), wanted.round().astype(np.uint8))
