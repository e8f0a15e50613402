"""Faster implementations match the plain ones and can be undone completely."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers.models import attention_dispatch

from tests.engines.diffusers.tiny_parts import wan_vae
from workbench.engines.diffusers import quick_parts
from workbench.engines.diffusers.attention import offer_flash_attention_3
from workbench.engines.diffusers.quick_parts import Trial, hasten_vae, precision_error, restore

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def vae() -> Any:
    """Return a tiny VAE with norm weights other than one."""
    torch.manual_seed(0)
    made = wan_vae().eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    return made


def _decoded(vae: Any) -> Any:
    latents = torch.randn((1, 16, 4, 6, 10), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return vae.decode(latents, return_dict=False)[0]


def _encoded(vae: Any) -> Any:
    frames = torch.randn((1, 3, 5, 48, 80), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return vae.encode(frames).latent_dist.mode()


def test_an_accelerated_vae_matches_the_original_up_to_rounding(vae: Any) -> None:
    frames, latents = _decoded(vae), _encoded(vae)
    trial = hasten_vae(vae)
    assert trial.refusal == ""
    assert trial.error is not None
    assert trial.error < 1e-4
    torch.testing.assert_close(_decoded(vae), frames, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(_encoded(vae), latents, rtol=1e-4, atol=1e-5)


def test_an_accelerated_vae_pads_without_a_copy_and_normalises_in_one_pass(
    vae: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasten_vae(vae)
    calls: list[str] = []
    for name in ("normalize", "rms_norm"):
        real = getattr(torch.nn.functional, name)

        def count(*args: Any, _real: Any = real, _name: str = name, **kwargs: Any) -> Any:
            calls.append(_name)
            return _real(*args, **kwargs)

        monkeypatch.setattr(torch.nn.functional, name, count)
    _decoded(vae)
    assert set(calls) == {"rms_norm"}


def test_a_restored_vae_decodes_bit_for_bit_as_before(vae: Any) -> None:
    frames = _decoded(vae)
    hasten_vae(vae)
    restore(vae)
    assert torch.equal(_decoded(vae), frames)
    assert all("forward" not in vars(part) for part in vae.modules())


def test_a_faster_implementation_with_different_frames_is_rejected_and_undone(
    vae: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = _decoded(vae)
    wrong = {"WanRMS_norm": lambda _self, states: states * 2}
    monkeypatch.setattr(quick_parts, "_DECODER", wrong)
    assert "differ by" in hasten_vae(vae).refusal
    assert torch.equal(_decoded(vae), frames)


def test_an_unknown_vae_is_left_unchanged() -> None:
    other = torch.nn.Sequential(torch.nn.Conv3d(3, 3, 3))
    assert "no faster implementation" in hasten_vae(other).refusal


def test_a_16_bit_vae_is_measured_against_32_bits_and_left_unchanged(vae: Any) -> None:
    assert precision_error(vae) == Trial()
    narrow = vae.to(torch.bfloat16)
    before = {name: value.clone() for name, value in narrow.state_dict().items()}
    error = precision_error(narrow).error
    assert error is not None
    assert 0 < error < 1
    assert narrow.dtype == torch.bfloat16
    assert all(torch.equal(value, before[name]) for name, value in narrow.state_dict().items())


@pytest.fixture
def without_flash_3() -> Iterator[None]:
    """Restore diffusers' FlashAttention 3 flag after the test."""
    names = "_CAN_USE_FLASH_ATTN_3", "flash_attn_3_func"
    kept = {name: getattr(attention_dispatch, name) for name in names}
    attention_dispatch._CAN_USE_FLASH_ATTN_3 = False
    yield
    for name, value in kept.items():
        setattr(attention_dispatch, name, value)


@pytest.mark.usefixtures("without_flash_3")
def test_flash_attention_3_is_offered_to_diffusers_only_where_its_wheel_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "fa3_fwd_interface", None)
    assert not offer_flash_attention_3()
    kernels: Any = ModuleType("fa3_fwd_interface")
    kernels.flash_attn_func = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "fa3_fwd_interface", kernels)
    assert offer_flash_attention_3()
    assert attention_dispatch.flash_attn_3_func is kernels.flash_attn_func
