"""Previews show the middle frame of the latents, whatever their layout."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from workbench.engines.diffusers.previews import latent_grid

_CHANNELS = 16


# Latents T×C×H×W with as many frames as channels cannot be told from C×T×H×W.
_LATENTS = [
    (layout, frames)
    for layout in ("CTHW", "TCHW", "THWC")
    for frames in (3, 16, 24, 25)
    if layout != "TCHW" or frames != _CHANNELS
]


@pytest.mark.parametrize(("layout", "frames"), _LATENTS)
@pytest.mark.parametrize("video", [8, 24, 47])
def test_a_preview_shows_the_middle_frame_of_a_section_of_any_length(
    layout: str, frames: int, video: int
) -> None:
    whole = torch.randn(_CHANNELS, frames, 22, 40)
    order = [1 + "CTHW".index(axis) for axis in layout]
    grid = latent_grid(whole[None].permute(0, *order), _CHANNELS, (video, 22, 40))
    assert grid is not None
    assert torch.equal(grid, whole[:, frames // 2])


def test_there_is_no_preview_of_a_layout_that_is_unknown() -> None:
    assert latent_grid(torch.randn(1, 8, 3, 22, 40), _CHANNELS, (3, 22, 40)) is None
    assert latent_grid(torch.randn(1, 3, 40, 22, 32), _CHANNELS, (3, 22, 40)) is None
