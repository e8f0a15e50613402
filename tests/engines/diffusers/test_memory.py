"""What fits is decided by arithmetic, before anything is loaded."""

from __future__ import annotations

import pytest

from workbench.engines.diffusers.families import families
from workbench.engines.diffusers.memory import Need, decode_fits, need_of, plan_memory
from workbench.rendering import RenderRequest

GIB = 1 << 30
NEED = Need(
    {"text_encoder": 10 * GIB, "transformer": 3 * GIB, "vae": GIB // 2},
    denoise=2 * GIB,
    decode=6 * GIB,
)


@pytest.mark.parametrize(
    ("free_gib", "placement", "tiled"),
    [
        (80, "full", False),
        (24, "full", False),
        (18, "full", True),
        (14, "model_offload", False),
        (10, "group_offload", False),
        (4, "group_offload", True),
        (1, "group_offload", True),
    ],
)
def test_the_least_slow_plan_that_fits_is_taken(free_gib: int, placement: str, tiled: bool) -> None:
    plan = plan_memory(NEED, free_gib * GIB)
    assert (plan.placement, plan.tiled_vae) == (placement, tiled)
    assert f"{free_gib}.0 GiB free" in plan.reason
    assert ("hardly fits" in plan.reason) == (free_gib == 1)


def test_what_the_user_wishes_is_kept() -> None:
    plan = plan_memory(NEED, 80 * GIB, placement="model_offload", tiled_vae=True)
    assert (plan.placement, plan.tiled_vae) == ("model_offload", True)
    assert plan_memory(NEED, GIB, placement="full", tiled_vae=False).placement == "full"


def test_a_device_that_shares_the_machine_s_memory_sets_no_limit() -> None:
    plan = plan_memory(NEED, None)
    assert (plan.placement, plan.tiled_vae) == ("full", False)


def test_whole_frames_are_decoded_only_where_they_fit() -> None:
    assert decode_fits(NEED, 8 * GIB)
    assert not decode_fits(NEED, 6 * GIB)
    assert decode_fits(NEED, None)


def test_a_longer_and_larger_video_needs_more() -> None:
    family = families()[0]
    small = RenderRequest(prompt="a", width=480, height=272, num_frames=33)
    large = RenderRequest(prompt="a", width=832, height=480, num_frames=81)
    less, more = need_of(small, family, {}), need_of(large, family, {})
    assert less.denoise < more.denoise
    assert less.decode < more.decode
