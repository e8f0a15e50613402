"""The engine around a model: reuse, cancellation, failures, profiles, conditioning."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
from PIL import Image

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.tiny import save_pipeline
from tests.engines.diffusers.tiny_hunyuan import skyreels_i2v
from workbench.engines.diffusers.faults import told_by
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.probe import decode_video
from workbench.engines.recipes import read_recipe
from workbench.errors import (
    DeviceLost,
    EngineUnavailable,
    InvalidRequest,
    NotFinite,
    OutOfMemory,
    RenderCancelled,
    RenderError,
)
from workbench.rendering import Progress, RenderRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def _frames(folder: Path) -> Any:
    return np.stack(list(decode_video(folder / "video.mp4")))


def _pipe(stage: Stage) -> Any:
    assert stage.engine._model is not None
    return stage.engine._model.pipe


@contextmanager
def _failing(module: Any, error: Exception) -> Iterator[None]:
    def fail(*_: Any) -> None:
        raise error

    handle = module.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        handle.remove()


def test_a_render_reports_its_stages_and_increasing_progress(ask: Ask, stage: Stage) -> None:
    stage.render(ask("wan", num_inference_steps=4))
    assert stage.stages == ["loading", "encoding prompt", "denoising", "decoding"]
    drawn = [one for one in stage.said if one.stage in {"denoising", "decoding"}]
    fractions = [one.fraction for one in drawn]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert max(one.fraction for one in drawn if one.stage == "denoising") < 1.0


def test_a_second_render_reuses_the_warm_model_and_the_encoded_prompt(
    ask: Ask, stage: Stage
) -> None:
    _, first = stage.render(ask("wan"))
    made, second = stage.render(ask("wan"))
    assert "loading" not in stage.stages
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["text_cache_hits"] == 1
    assert (_frames(first) == _frames(second)).all()


def test_a_warm_model_renders_another_prompt_as_a_cold_one_does(ask: Ask, stage: Stage) -> None:
    _, first = stage.render(ask("wan"))
    _, warm = stage.render(ask("wan", prompt="the red sky", negative_prompt="rain"))
    stage.engine.unload()
    _, cold = stage.render(ask("wan", prompt="the red sky", negative_prompt="rain"))
    assert (_frames(warm) == _frames(cold)).all()
    assert (_frames(warm) != _frames(first)).any()


def test_switching_models_reports_a_loading_stage(ask: Ask, stage: Stage) -> None:
    stage.render(ask("wan"))
    stage.render(ask("ltx"))
    assert stage.stages[0] == "loading"
    assert type(_pipe(stage)).__name__ == "LTXPipeline"


def test_the_seed_determines_the_video(ask: Ask, stage: Stage) -> None:
    _, one = stage.render(ask("wan", seed=1))
    _, other = stage.render(ask("wan", seed=2))
    assert (_frames(one) != _frames(other)).any()


def test_a_cancelled_render_runs_no_further_forward(ask: Ask, stage: Stage) -> None:
    request = ask("wan", num_inference_steps=20)
    stage.render(request)
    forwards = 0

    def count(*_: Any) -> None:
        nonlocal forwards
        forwards += 1
        stage.cancel = forwards == 3

    handle = _pipe(stage).transformer.blocks[0].register_forward_hook(count)
    with pytest.raises(RenderCancelled):
        stage.render(request)
    handle.remove()
    assert forwards == 3, "the block after the one that was running must not begin"
    assert not (stage.folder / "take-2" / "video.mp4").exists()
    stage.cancel = False
    _, folder = stage.render(request)
    assert (_frames(folder) == _frames(stage.folder / "take-1")).all()


def test_a_render_cancelled_while_decoding_leaves_no_file(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.render(ask("wan"))

    def report(progress: Progress) -> None:
        stage.cancel = progress.stage == "decoding"

    monkeypatch.setattr(stage, "report", report)
    with pytest.raises(RenderCancelled):
        stage.render(ask("wan"))
    assert list((stage.folder / "take-2").iterdir()) == []


def test_out_of_memory_gives_advice_and_leaves_the_engine_usable(ask: Ask, stage: Stage) -> None:
    stage.render(ask("wan"))
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
    with _failing(_pipe(stage).transformer, error), pytest.raises(OutOfMemory) as caught:
        stage.render(ask("wan"))
    assert "64×64, 9 frames" in str(caught.value)
    assert "ask for about 4 frames" in str(caught.value)
    made, _ = stage.render(ask("wan"))
    assert made.num_frames == 9


def test_a_failed_render_frees_its_tensors_even_while_its_error_is_referenced(
    ask: Ask, stage: Stage
) -> None:
    stage.render(ask("wan"))
    kept: list[weakref.ref[Any]] = []

    def fail(*_: Any) -> None:
        large = torch.zeros(1_000)
        kept.append(weakref.ref(large))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    handle = _pipe(stage).transformer.register_forward_pre_hook(fail)
    with pytest.raises(OutOfMemory) as caught:
        stage.render(ask("wan"))
    handle.remove()
    assert caught.value.__cause__ is not None
    assert kept[0]() is None


@pytest.mark.parametrize("profile", ["reference", "exact"])
def test_nan_values_fail_the_render_and_name_the_step(profile: str, ask: Ask, stage: Stage) -> None:
    request = ask("wan", num_inference_steps=5, profile=profile)
    stage.render(request)
    begins = len(_denoised(stage, request)) // 5 * 2
    forwards = 0

    def spoil(_module: Any, _inputs: Any, output: Any) -> Any:
        nonlocal forwards
        forwards += 1
        return output if forwards <= begins else tuple(one * float("nan") for one in output)

    handle = _pipe(stage).transformer.register_forward_hook(spoil)
    with pytest.raises(NotFinite, match="from step 3 of 5"):
        stage.render(request)
    handle.remove()
    assert list((stage.folder / "take-3").iterdir()) == []
    stage.render(request)


def _denoised(stage: Stage, request: RenderRequest) -> list[int]:
    """Return a list that gets an entry for every forward pass of the denoiser."""
    calls: list[int] = []
    transformer = _pipe(stage).transformer
    handle = transformer.register_forward_pre_hook(lambda *_: calls.append(1))
    stage.render(request)
    handle.remove()
    return calls


def test_a_vae_that_overflows_fails_the_render(ask: Ask, stage: Stage) -> None:
    for model in ("wan", "ltx"):
        stage.render(ask(model))
        bias = next(p for n, p in _pipe(stage).vae.decoder.named_parameters() if "bias" in n)
        before = bias.detach().clone()
        with torch.no_grad():
            bias.fill_(float("inf"))
        with pytest.raises(NotFinite, match="from frame 1 on"):
            stage.render(ask(model))
        with torch.no_grad():
            bias.copy_(before)


def test_a_faster_path_that_produces_nan_is_undone(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.render(ask("wan"))
    acceleration = stage.engine._model.acceleration  # type: ignore[union-attr]
    spoilt = _pipe(stage).transformer.register_forward_hook(
        lambda _m, _i, output: (
            (output[0] * float("nan"),) if acceleration.attention != "native" else output
        )
    )
    monkeypatch.setattr(
        "workbench.engines.diffusers.acceleration.Acceleration.checking",
        lambda *_: nullcontext(),
    )
    made, _ = stage.render(ask("wan", profile="exact", options={"attention": "_native_math"}))
    spoilt.remove()
    assert made.request is not None
    notes = made.request.options["as_rendered"]["notes"]
    assert any("gave up the attention" in note and "NaN" in note for note in notes)


def test_a_device_assert_requests_a_new_worker(ask: Ask, stage: Stage) -> None:
    stage.render(ask("wan"))
    error = RuntimeError("CUDA error: device-side assert triggered\nmore lines")
    with _failing(_pipe(stage).transformer, error), pytest.raises(DeviceLost):
        stage.render(ask("wan"))


def test_a_models_own_error_fails_the_render_with_its_full_message(ask: Ask, stage: Stage) -> None:
    stage.render(ask("wan"))
    with (
        _failing(_pipe(stage).transformer, ValueError("no such shape:\n\n  wanted (1, 2)")),
        pytest.raises(RenderError) as caught,
    ):
        stage.render(ask("wan"))
    assert str(caught.value).endswith("ValueError: no such shape:\n  wanted (1, 2)")


def test_a_librarys_message_is_truncated() -> None:
    told = told_by(ValueError("a" * 5_000))
    assert len(told) == 2_000
    assert told.endswith("a…")
    assert told_by(ValueError()) == "ValueError"


def test_an_interrupted_render_moves_offloaded_components_back(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask("wan", options={"memory": "model_offload"})
    stage.render(request)
    pipe = _pipe(stage)
    freed: list[bool] = []
    free = pipe.maybe_free_model_hooks

    def record() -> None:
        freed.append(stage.cancel)
        free()

    monkeypatch.setattr(pipe, "maybe_free_model_hooks", record)
    handle = pipe.transformer.register_forward_hook(lambda *_: setattr(stage, "cancel", True))
    with pytest.raises(RenderCancelled):
        stage.render(request)
    handle.remove()
    assert freed == [True]


def test_a_step_cache_is_cleared_after_a_cancelled_render(ask: Ask, stage: Stage) -> None:
    request = ask("wan", profile="fast", num_inference_steps=6, options={"cache_threshold": 1.0})
    _, whole = stage.render(request)
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        stage.cancel = seen == 5

    handle = _pipe(stage).transformer.register_forward_hook(count)
    with pytest.raises(RenderCancelled):
        stage.render(request)
    handle.remove()
    stage.cancel = False
    _, again = stage.render(request)
    assert (_frames(again) == _frames(whole)).all()


def test_the_embedded_recipe_records_the_settings_in_effect(ask: Ask, stage: Stage) -> None:
    made, folder = stage.render(ask("wan", options={"flow_shift": 4.0}))
    recipe = read_recipe(folder / "video.mp4")
    said = recipe.request.options[AS_RENDERED]
    assert said["pipeline"] == "WanPipeline"
    assert said["scheduler"] == "UniPCMultistepScheduler"
    assert said["flow_shift"] == 4.0
    assert said["safety"] == {"checker": None, "active": False}
    assert said["memory"]["placement"] == "full"
    assert said["call"]["guidance_scale"] == 5.0
    again, second = stage.render(recipe.request)
    assert again.num_frames == made.num_frames
    assert (_frames(folder) == _frames(second)).all()


def test_a_disabled_safety_checker_is_recorded(ask: Ask, stage: Stage) -> None:
    made, _ = stage.render(ask("cosmos"))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["safety"] == {
        "checker": "PassEverything",
        "active": False,
    }


def test_a_missing_safety_checker_is_named_with_the_command_that_installs_it(
    ask: Ask, stage: Stage
) -> None:
    with pytest.raises(EngineUnavailable, match="pip install cosmos_guardrail"):
        stage.render(ask("cosmos", options={"safety_checker": True}))


def test_an_image_starts_the_video_without_reloading_the_weights(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = stage.folder / "start.png"
    Image.effect_noise((64, 64), 60).convert("RGB").save(start)
    given = recorded(monkeypatch)
    made, _ = stage.render(ask("ltx", options={"image": str(start)}))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["pipeline"] == "LTXImageToVideoPipeline"
    pipe = diffusers.LTXImageToVideoPipeline.from_pretrained(models("ltx"))
    pipe.set_progress_bar_config(disable=True)
    wanted = pipe(
        image=Image.open(start).convert("RGB"),
        prompt=made.request.prompt,
        negative_prompt=made.request.negative_prompt,
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=2,
        guidance_scale=3.0,
        frame_rate=25,
        decode_timestep=0.05,
        decode_noise_scale=0.025,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="pil",
    ).frames[0]
    np.testing.assert_array_equal(np.concatenate(given), np.stack([np.asarray(x) for x in wanted]))


def test_a_video_is_continued_from_its_last_frame(ask: Ask, stage: Stage) -> None:
    _, first = stage.render(ask("ltx"))
    last = list(decode_video(first / "video.mp4"))[-1]
    picture = stage.folder / "last.png"
    Image.fromarray(last).save(picture)
    _, one = stage.render(ask("ltx", options={"image": str(first / "video.mp4")}))
    _, other = stage.render(ask("ltx", options={"image": str(picture)}))
    assert (_frames(one) == _frames(other)).all()


def test_a_video_is_changed_with_the_requested_strength(ask: Ask, stage: Stage) -> None:
    _, first = stage.render(ask("wan"))
    options = {"video": str(first / "video.mp4"), "strength": 0.5}
    made, folder = stage.render(ask("wan", num_inference_steps=4, options=options))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["pipeline"] == "WanVideoToVideoPipeline"
    assert said["call"]["strength"] == 0.5
    assert len(_frames(folder)) == 9


def test_a_pipeline_of_no_known_family_renders_by_its_own_signature(
    stage: Stage, tmp_path: Path, ask: Ask
) -> None:
    _, first = stage.render(ask("wan"))
    folder = save_pipeline(skyreels_i2v, tmp_path / "unknown")
    options = {"image": str(first / "video.mp4"), "call": {"max_sequence_length": 32}}
    made, _ = stage.render(ask("wan", model=str(folder), options=options))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["family"] == "general"
    assert said["pipeline"] == "HunyuanSkyreelsImageToVideoPipeline"
    assert said["call"]["max_sequence_length"] == 32
    assert made.num_frames == 9
    for name in ("mask", "references"):
        given = (
            {name: str(first / "poster.jpg")}
            if name == "mask"
            else {name: [str(first / "poster.jpg")]}
        )
        with pytest.raises(
            InvalidRequest, match=f"HunyuanSkyreelsImageToVideoPipeline does not accept {name}"
        ):
            stage.render(ask("wan", model=str(folder), options={**options, **given}))


def test_a_modular_pipeline_gives_its_own_frames_with_steps_and_previews(
    stage: Stage, models: Callable[[str], Path], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = models("wan-modular")
    given = recorded(monkeypatch)
    made, _ = stage.render(ask("wan-modular", num_inference_steps=3))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["pipeline"] == "WanModularPipeline"
    assert said["family"] == "wan"
    shown = [one for one in stage.said if one.stage == "denoising"]
    assert [one.step for one in shown] == [1, 2, 3]
    assert any(one.preview for one in shown)

    pipe = diffusers.ModularPipeline.from_pretrained(folder)
    pipe.load_components()
    pipe.set_progress_bar_config(disable=True)
    pipe.update_components(guider=pipe.guider.new(guidance_scale=5.0))
    wanted = pipe(
        prompt=made.request.prompt,
        negative_prompt=made.request.negative_prompt,
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=3,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        output="videos",
    )[0]
    np.testing.assert_array_equal(np.concatenate(given), (wanted * 255).round().astype(np.uint8))


def test_a_last_image_is_never_silently_dropped(ask: Ask, stage: Stage) -> None:
    end = stage.folder / "end.png"
    Image.new("RGB", (64, 64)).save(end)
    with pytest.raises(InvalidRequest, match="does not accept last_image") as caught:
        stage.render(ask("wan", options={"last_image": str(end)}))
    assert caught.value.problems[0].field == "options.last_image"


def test_a_parameter_the_pipeline_does_not_take_is_named(ask: Ask, stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match="WanPipeline does not accept 'sharpness'"):
        stage.render(ask("wan", options={"call": {"sharpness": 2}}))


def test_a_damaged_model_is_reported_as_damaged(
    ask: Ask, stage: Stage, models: Callable[[str], Path], tmp_path: Path
) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(models("wan"), broken)
    (broken / "transformer" / "config.json").write_text("{")
    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        stage.render(ask("wan", model=str(broken)))


def test_tiled_decoding_gives_the_models_own_tiled_frames(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.render(ask("wan", width=320))
    given = recorded(monkeypatch)
    made, _ = stage.render(ask("wan", width=320, options={"tiled_vae": True}))
    assert "loading" not in stage.stages, "tiles are decided for each render, not for the model"
    assert made.request is not None
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    pipe.set_progress_bar_config(disable=True)
    pipe.vae.enable_tiling()
    wanted = pipe(
        prompt=made.request.prompt,
        negative_prompt=made.request.negative_prompt,
        width=320,
        height=64,
        num_frames=9,
        num_inference_steps=2,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="pil",
    ).frames[0]
    np.testing.assert_array_equal(np.concatenate(given), np.stack([np.asarray(x) for x in wanted]))


@pytest.mark.parametrize("memory", ["model_offload", "group_offload"])
def test_offloading_gives_the_same_frames(memory: str, ask: Ask, stage: Stage) -> None:
    _, full = stage.render(ask("wan"))
    made, folder = stage.render(ask("wan", options={"memory": memory}))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["memory"]["placement"] == memory
    assert (_frames(folder) == _frames(full)).all()


def test_unloading_frees_the_model(ask: Ask, stage: Stage) -> None:
    stage.render(ask("wan"))
    stage.engine.unload()
    assert stage.engine._model is None
    stage.render(ask("wan"))
    assert stage.stages[0] == "loading"
