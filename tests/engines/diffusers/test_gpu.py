"""The engine on a real GPU: placement, profiles, faults and the worker that owns the device.

Skipped, with a reason, if torch finds no CUDA device. benchmarks/gpu.py measures speed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.tiny_parts import VOCABULARY
from tests.engines.diffusers.tiny_wan import tiny_wan
from tests.jobs.shop import Shop
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.probe import decode_video
from workbench.errors import OutOfMemory
from workbench.jobs.model import JobState

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

_LIMIT_S = 180.0


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that collects every chunk of frames passed to the encoder here."""
    return recorded(monkeypatch)


@pytest.fixture
def gpu(stage: Stage) -> Stage:
    """Return an engine that renders on the GPU."""
    stage.device = "cuda:0"
    return stage


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One supervisor with a worker on the real GPU and a CPU worker."""
    place = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
            patch.delenv(name)
        patch.setenv("WORKBENCH_LEASES", str(place / "leases"))
        with Shop(place / "outputs", lease_s=60.0, engines={}) as shop:
            yield shop


def _taken(frames: list[Any]) -> Any:
    whole = np.concatenate(frames)
    frames.clear()
    return whole if whole.dtype == np.uint8 else (whole * 255).round().astype(np.uint8)


def _psnr(one: Any, other: Any) -> float:
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def test_the_reference_profile_gives_the_frames_of_a_direct_call_on_the_gpu(
    gpu: Stage, ask: Ask, models: Callable[[str], Path], frames: list[Any]
) -> None:
    made, _ = gpu.render(ask("wan"))
    assert made.request is not None
    request = made.request
    dtypes = {"default": torch.bfloat16, "vae": torch.float32}
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"), dtype=dtypes).to("cuda:0")
    pipe.set_progress_bar_config(disable=True)
    shift = request.options["flow_shift"]
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=shift)
    wanted = pipe(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        width=request.width,
        height=request.height,
        num_frames=request.num_frames,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="pil",
    ).frames[0]
    np.testing.assert_array_equal(_taken(frames), np.stack([np.asarray(one) for one in wanted]))


@pytest.mark.parametrize("name", ["wan", "wan-2-2-5b", "ltx"])
def test_the_exact_profile_compiles_is_checked_and_gives_nearly_the_same_frames(
    name: str, gpu: Stage, ask: Ask, frames: list[Any]
) -> None:
    gpu.render(ask(name))
    plain = _taken(frames)
    made, _ = gpu.render(ask(name, profile="exact"))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["compiled"], said["notes"]
    assert all(error <= 3e-2 for error in said["checked"].values()), "as docs/models.md promises"
    assert _psnr(_taken(frames), plain) > 35
    assert gpu.stages.index("compiling") < gpu.stages.index("denoising")
    gpu.render(ask(name, profile="exact", seed=8))
    assert "compiling" not in gpu.stages, "a size is compiled once"


@pytest.mark.parametrize("memory", ["model_offload", "group_offload"])
def test_offloaded_weights_give_the_same_frames_as_resident_ones(
    memory: str, gpu: Stage, ask: Ask, frames: list[Any]
) -> None:
    gpu.render(ask("wan"))
    stayed = _taken(frames)
    made, _ = gpu.render(ask("wan", options={"memory": memory}))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["memory"]["placement"] == memory
    np.testing.assert_array_equal(_taken(frames), stayed)


def test_a_gpu_out_of_memory_gives_advice_and_can_be_used_again(gpu: Stage, ask: Ask) -> None:
    gpu.render(ask("wan"))
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-4)
    try:
        with pytest.raises(OutOfMemory) as caught:
            gpu.render(ask("wan", width=512, height=512))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "512×512, 9 frames" in str(caught.value)
    assert "text_offload" in str(caught.value) or "frames" in str(caught.value)
    gpu.render(ask("wan"))


def test_unloading_frees_the_gpus_memory(gpu: Stage, ask: Ask) -> None:
    before = torch.cuda.memory_allocated()
    gpu.render(ask("wan"))
    assert torch.cuda.memory_allocated() > before
    gpu.engine.unload()
    assert torch.cuda.memory_allocated() <= before


def test_the_gpu_is_listed_and_named_in_the_job_while_placeholders_go_to_a_cpu(
    shop: Shop, ask: Ask
) -> None:
    shop.manager.ensure_supervisor()
    device = shop.until(lambda: next(iter(_gpus(shop)), None))
    assert device.name == "cuda:0"
    assert device.memory_total_bytes > 1 << 30
    assert device.temperature_c is not None
    assert device.uuid is not None
    assert device.label == torch.cuda.get_device_name(0)
    request = ask("wan", num_inference_steps=600)
    preview = request.model_copy(update={"engine": "animatic", "model": "", "options": {}})
    job = shop.manager.submit(request, preview=preview)
    shop.until(lambda: shop.manager.job(job.job_id).step >= 2, _LIMIT_S)
    running = shop.manager.job(job.job_id)
    assert running.device == "cuda:0"
    assert running.gpu_id == 0
    placeholder = running.preview_job_id
    assert placeholder is not None
    (shown,) = shop.ended(placeholder, limit_s=_LIMIT_S)
    assert shown.state is JobState.COMPLETE, shown.error
    assert shown.device is not None
    assert shown.device.startswith("cpu")
    assert not shop.manager.job(job.job_id).state.final, "the GPU was busy meanwhile"
    shop.manager.cancel(job.job_id)
    (ended,) = shop.ended(job.job_id, limit_s=_LIMIT_S)
    assert ended.state is JobState.CANCELLED


def test_a_real_device_assert_replaces_the_worker_and_the_next_job_is_rendered(
    shop: Shop, ask: Ask, tmp_path: Path
) -> None:
    pipe = tiny_wan()
    small = type(pipe.text_encoder.config)(
        vocab_size=8, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    assert small.vocab_size < VOCABULARY, "the tokenizer names rows that the embedding lacks"
    pipe.register_modules(text_encoder=type(pipe.text_encoder)(small))
    pipe.save_pretrained(tmp_path / "broken")
    good = shop.manager.submit(ask("wan"))
    (before,) = shop.ended(good.job_id, limit_s=_LIMIT_S)
    assert before.state is JobState.COMPLETE, before.error
    worker = next(iter(_gpus(shop))).worker_pid
    bad = shop.manager.submit(ask("wan", model=str(tmp_path / "broken")))
    (failed,) = shop.ended(bad.job_id, limit_s=_LIMIT_S)
    assert failed.state is JobState.FAILED
    assert "needs a new worker" in (failed.error or "")
    (after,) = shop.ended(shop.manager.submit(ask("wan")).job_id, limit_s=_LIMIT_S)
    assert after.state is JobState.COMPLETE, after.error
    assert next(iter(_gpus(shop))).worker_pid != worker
    first, second = (
        np.stack(list(decode_video(shop.manager.video_path(one)))) for one in
        (before.job_id, after.job_id)
    )  # fmt: skip
    np.testing.assert_array_equal(first, second)


def _gpus(shop: Shop) -> list[Any]:
    return [device for device in shop.manager.devices() if device.name.startswith("cuda")]
