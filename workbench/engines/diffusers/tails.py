"""Continues a pipeline from the end of a segment: from its lossless frames or its latents.

How each class continues is data: ``continues`` in ``inputs.toml``. Never reads the H.264.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.engines.channels import read_channel
from workbench.engines.inputs import input_file
from workbench.errors import DamagedFile, InvalidRequest, RenderError
from workbench.rendering import Tail

__all__ = ["Continues", "last_frames", "tail_arguments", "write_latents"]

_HISTORY: Final = 19
"""Latent frames of Helios's history: 16, 2 and 1."""
_GRAY: Final = (128, 128, 128)


class Continues(BaseModel):
    """How a pipeline class goes on from a segment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["image", "video", "conditions", "masked", "latents"]
    """From its last frame, or several; as LTX's conditions; as the unmasked beginning of a video;
    from its latents."""
    frames: int = Field(1, ge=0)
    """Number of frames of the segment passed in; the output repeats them at its start."""

    @property
    def stands_for(self) -> frozenset[str]:
        """The inputs that the tail replaces."""
        names = {"image": ("image",), "masked": ("video", "mask")}
        return frozenset(names.get(self.by, ("video",)))


def last_frames(tail: Tail, count: int) -> list[Any]:
    """Return the last ``count`` lossless frames of a segment (H×W×3, ``uint8``).

    Raises ``RenderError`` if they are gone or fewer.
    """
    path = input_file(tail.frames)
    kept: deque[Any] = deque(maxlen=count)
    try:
        for index, frame in enumerate(read_channel(path)):
            if tail.num_frames and index >= tail.num_frames:
                break
            kept.append(frame)
    except (DamagedFile, OSError) as error:
        raise RenderError(
            f"The frames that this segment continues from are gone: {error}"
        ) from error
    if len(kept) < count:
        raise RenderError(
            f"This model continues from {count} frames, but only {len(kept)} come before: fork later."
        )
    return list(kept)


def tail_arguments(
    how: Continues, tail: Tail, size: tuple[int, int], num_frames: int, led: Sequence[Any] = ()
) -> dict[str, Any]:
    """Return the arguments of a call that continues ``tail``: PIL pictures or latents.

    ``conditions`` are left to the caller, under ``video``. ``led`` is what a control video shows in
    each frame: a masked video shows it where the model fills in.
    """
    from PIL import Image  # noqa: PLC0415

    if how.by == "latents":
        return _latent_arguments(tail)
    shown = [_fitting(Image.fromarray(frame), size) for frame in last_frames(tail, how.frames)]
    if how.by == "image":
        return {"image": shown[-1]}
    if how.by == "masked":
        unknown = num_frames - len(shown)
        masks = [0] * len(shown) + [255] * unknown
        rest = led[len(shown) : num_frames] or [Image.new("RGB", size, _GRAY)] * unknown
        return {
            "video": [*shown, *rest],
            "mask": [Image.new("L", size, value) for value in masks],
        }
    return {"video": shown}


def write_latents(path: Path, made: list[Any], num_frames: int, tail: Tail | None) -> None:
    """Write what the next segment goes on from: the first latent frame of the world and all of these.

    ``made`` are the latents of each section of this segment (1×C×T×H×W, ``float32``) and
    ``num_frames`` the frames that they decode to; ``tail`` is what it continued. Up to 19 latent
    frames before them are kept, so that a fork finds its history at the end of each section.
    """
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    new = torch.cat(made, dim=2)
    before = _latent_arguments(tail) if tail is not None and tail.latents else {}
    history = torch.cat([before["video_latents"], new], dim=2) if before else new
    save_file(
        {
            "first": before.get("image_latents", new[:, :, :1]).contiguous(),
            "history": history.contiguous(),
        },
        str(path),
        metadata={"new": str(new.shape[2]), "num_frames": str(num_frames)},
    )


def _latent_arguments(tail: Tail) -> dict[str, Any]:
    """Return Helios's history unchanged: without the noise meant for videos of other origin."""
    kept, facts = _latents(tail)
    history = kept["history"]
    if tail.num_frames and facts:
        new, count = int(facts["new"]), int(facts["num_frames"])
        left_out = new - new * tail.num_frames // count
        history = history[:, :, : history.shape[2] - left_out]
    return {
        "image_latents": kept["first"],
        "video_latents": history[:, :, -_HISTORY:],
        "add_noise_to_image_latents": False,
        "add_noise_to_video_latents": False,
    }


def _latents(tail: Tail) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the tensors of a segment's latents, and what is said of them."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    try:
        with safe_open(str(input_file(tail.latents)), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118  not a mapping
    except (OSError, SafetensorError) as error:
        raise RenderError(
            f"The latents that this segment continues from are gone: {error}"
        ) from error


def _fitting(picture: Any, size: tuple[int, int]) -> Any:
    if picture.size != size:
        told = (
            f"The segment before is {picture.size[0]}×{picture.size[1]}, not {size[0]}×{size[1]}."
        )
        raise InvalidRequest(told)
    return picture
