"""Tiny pipelines of the real classes with random weights, one per family, made without a download.

The shapes follow the dummy components of diffusers' own tests (Apache-2.0), so that what is proved
here is proved on the classes that real weights load into. How each is made stands in the modules
tiny_wan, tiny_begun, tiny_ltx, tiny_hunyuan, tiny_cosmos, tiny_others, tiny_more and tiny_torchvision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch

from tests.engines.diffusers import tiny_begun as begun
from tests.engines.diffusers import tiny_cosmos as cosmos
from tests.engines.diffusers import tiny_hunyuan as hunyuan
from tests.engines.diffusers import tiny_ltx as ltx
from tests.engines.diffusers import tiny_more as more
from tests.engines.diffusers import tiny_others as others
from tests.engines.diffusers import tiny_torchvision as pictured
from tests.engines.diffusers import tiny_wan as wan

__all__ = ["LED", "TINY", "Tiny", "save", "save_pipeline"]


@dataclass(frozen=True, slots=True)
class Tiny:
    """One tiny model: how it is made, and the request that it can render."""

    make: Callable[[], Any]
    num_frames: int = 9
    size: int = 64
    options: Mapping[str, Any] = field(default_factory=dict)


def save(name: str, folder: Path) -> Path:
    """Make the tiny model ``name`` and save it into ``folder``; returns the model's folder."""
    return save_pipeline({**TINY, **LED}[name].make, folder / name)


def save_pipeline(make: Callable[[], Any], target: Path) -> Path:
    """Make a pipeline and save it as ``target``, unless it is there; returns its folder."""
    if not target.exists():
        torch.manual_seed(0)
        make().save_pretrained(str(target))  # a modular pipeline takes no Path
    return target


TINY: Final[Mapping[str, Tiny]] = MappingProxyType(
    {
        "wan": Tiny(wan.tiny_wan),
        "ltx": Tiny(ltx.ltx),
        "cogvideox": Tiny(others.cogvideox, num_frames=17),
        "cogvideox-1-5": Tiny(others.cogvideox_15),
        "hunyuan-video": Tiny(hunyuan.hunyuan_video),
        "hunyuan-video-1-5": Tiny(hunyuan.hunyuan_video_15),
        "mochi": Tiny(others.mochi, num_frames=7),
        "allegro": Tiny(others.allegro, num_frames=24, size=320),
        "skyreels-v2": Tiny(wan.skyreels),
        "sana-video": Tiny(others.sana),
        "cosmos": Tiny(cosmos.cosmos, options={"safety_checker": False}),
        "cosmos-2": Tiny(cosmos.cosmos_2, options={"safety_checker": False}),
        "latte": Tiny(others.latte, num_frames=16),
        "animatediff": Tiny(others.animatediff, num_frames=18),
        "motif-video": Tiny(others.motif),
        "wan-2-2-5b": Tiny(wan.wan_5b),
        "wan-2-2": Tiny(wan.wan_22),
        "skyreels-v2-forcing": Tiny(wan.skyreels_forcing),
        "cosmos-2-5": Tiny(cosmos.cosmos_25, options={"safety_checker": False}),
        "ltx-2": Tiny(ltx.ltx_2),
        "anyflow": Tiny(wan.anyflow),
        "anyflow-far": Tiny(wan.anyflow_far, num_frames=21),
        "easyanimate": Tiny(more.easyanimate),
    }
)
"""Family → its tiny model, which begins from text alone."""

LED: Final[Mapping[str, Tiny]] = MappingProxyType(
    {
        "wan-vace": Tiny(wan.wan_vace),
        "wan-modular": Tiny(wan.wan_modular),
        "ltx-2-modular": Tiny(ltx.ltx_2_modular),
        "ltx-2-5": Tiny(ltx.ltx_25, num_frames=17),
        "echo": Tiny(ltx.echo),
        "cosmos-3": Tiny(cosmos.cosmos_3, options={"safety_checker": False}),
        "cosmos-3-actions": Tiny(cosmos.cosmos_3_actions, options={"safety_checker": False}),
        "helios": Tiny(wan.helios, num_frames=33),
        "lucy-edit": Tiny(wan.lucy),
        "chronoedit": Tiny(wan.chronoedit),
        "wan-animate": Tiny(wan.wan_animate, options={"call": {"segment_frame_length": 9}}),
        "stable-video-diffusion": Tiny(others.stable_video_diffusion),
        "framepack": Tiny(hunyuan.framepack, num_frames=37),
        "sana-wm": Tiny(ltx.sana_wm),
        "kandinsky-6": Tiny(hunyuan.kandinsky_6),
        "ltx-upsampler": Tiny(ltx.ltx_upsampler),
        "ltx-2-upsampler": Tiny(ltx.ltx_2_upsampler),
        "kandinsky-6-sr": Tiny(more.kandinsky_6_sr, size=128),
        "wan-i2v": Tiny(begun.wan_i2v),
        "wan-flf2v": Tiny(begun.wan_flf2v),
        "wan-2-2-i2v": Tiny(begun.wan_22_i2v),
        "cogvideox-i2v": Tiny(begun.cogvideox_i2v, num_frames=17),
        "hunyuan-video-i2v": Tiny(hunyuan.hunyuan_video_i2v),
        "skyreels-v2-i2v": Tiny(begun.skyreels_i2v),
        "ltx-condition": Tiny(begun.ltx_condition, num_frames=17),
        "cogvideox-control": Tiny(more.cogvideox_control),
        "helios-pyramid": Tiny(more.helios_pyramid, num_frames=66),
        "helios-distilled": Tiny(more.helios_distilled, num_frames=66),
        "wan-animate-2": Tiny(more.wan_animate_2, options={"call": {"segment_frame_length": 9}}),
        "cosmos-transfer-2-5": Tiny(pictured.cosmos_transfer, options={"safety_checker": False}),
        "cosmos-masked": Tiny(pictured.cosmos_masked, options={"safety_checker": False}),
        "cosmos-2-masked": Tiny(pictured.cosmos_2_masked, options={"safety_checker": False}),
        "cosmos-2-5-masked": Tiny(pictured.cosmos_25_masked, options={"safety_checker": False}),
        "kandinsky-5": Tiny(pictured.kandinsky_5),
        "kandinsky-5-i2v": Tiny(pictured.kandinsky_5_i2v, num_frames=17),
        "kandinsky-6-processor": Tiny(pictured.kandinsky_6_processor),
    }
)
"""Those that have tests of their own: led by inputs, modular, with sound, or with torchvision."""
