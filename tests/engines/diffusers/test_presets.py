"""Distilled weights, recognised by name, run with their authors' settings by default."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

import diffusers
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.diffusers.tiny_weights import save_lora
from workbench.engines.diffusers.families import families
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.diffusers.presets import preset_for, presets
from workbench.errors import InvalidRequest
from workbench.rendering import RenderRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.mark.parametrize(
    ("family", "given", "preset"),
    [
        ("wan-2-2", {"loras": [{"path": "/m/Wan2.2-Lightning_high_noise.safetensors"}]}, "wan-2-2-four-steps"),
        ("wan-2-2", {"transformer": "/m/wan2.2_t2v_lightx2v_4step_high.gguf"}, "wan-2-2-four-steps"),
        ("wan", {"model": "lightx2v/Wan2.1-T2V-14B-StepDistill-CfgDistill"}, "wan-2-1-four-steps"),
        ("wan", {"loras": [{"path": "/h/models--lightx2v--x/snapshots/a/rank64.safetensors"}]}, "wan-2-1-four-steps"),
        ("wan", {"model": "FastVideo/FastWan2.1-T2V-14B-480P-Diffusers"}, "fastwan"),
        ("wan", {"loras": [{"path": "/m/FastWan_T2V_14B_480p_lora_rank_128.safetensors"}]}, "fastwan"),
        ("wan-2-2-5b", {"model": "FastVideo/FastWan2.2-TI2V-5B-FullAttn-Diffusers"}, "fastwan-5b"),
        ("wan", {"loras": [{"path": "/m/Wan21_AccVid_T2V_14B_lora_rank32_fp16.safetensors"}]}, "wan-2-1-accvideo"),
        ("wan", {"model": "aejion/AccVideo-WanX-T2V-14B"}, "wan-2-1-accvideo"),
        ("wan", {"loras": [{"path": "/m/Wan21_CausVid_14B_T2V_lora_rank32_v2.safetensors"}]}, "wan-2-1-causvid"),
        ("wan", {"loras": [{"path": "/m/Wan2.1_I2V_14B_FusionX_LoRA.safetensors"}]}, "wan-2-1-fusionx"),
        ("wan", {"transformer": "/m/Wan2_1-T2V-1_3B-Self_Forcing.safetensors"}, "wan-2-1-self-forcing"),
        ("wan-2-2-5b", {"loras": [{"path": "/m/Wan22_TI2V_5B_Turbo_lora_rank_64_fp16.safetensors"}]}, "wan-2-2-5b-turbo"),
        ("ltx", {"model": "/m/ltxv-2b-0.9.8-distilled"}, "ltx-distilled"),
        ("ltx-2", {"model": "Lightricks/LTX-2-distilled"}, "ltx-2-distilled"),
        ("ltx", {"model": "Lightricks/LTX-Video"}, None),
        ("wan", {"loras": [{"path": "/m/lightx2v.safetensors", "weight": 0}]}, None),
        ("wan", {"model": "lightx2v/x", "options": {"preset": "none"}}, None),
        ("wan", {"options": {"preset": "wan-2-1-four-steps"}}, "wan-2-1-four-steps"),
    ],
)  # fmt: skip
def test_file_names_select_a_preset(family: str, given: dict[str, Any], preset: str | None) -> None:
    request = RenderRequest(**{"prompt": "a dog", "model": "m", **given})
    found = preset_for(request, family)
    assert (found and found.name) == preset


def test_every_preset_belongs_to_a_known_family() -> None:
    known = {family.name for family in families()}
    named = {name for preset in presets() for name in preset.families}
    assert "wan-2-2" in named
    assert named <= known


def test_an_unknown_preset_is_refused_with_the_known_ones_listed(ask: Ask, stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match="no preset 'turbo': auto, fastwan, fastwan-5b, ltx-2"):
        stage.engine.complete(ask("wan", options={"preset": "turbo"}))


def test_the_request_overrides_the_preset(ask: Ask, stage: Stage) -> None:
    options = {"preset": "wan-2-1-four-steps", "flow_shift": 7.0}
    request = stage.engine.complete(ask("wan", num_inference_steps=6, options=options))
    assert (request.num_inference_steps, request.guidance_scale) == (6, 1.0)
    assert request.options["flow_shift"] == 7.0


def test_a_presets_sigmas_reach_the_pipeline_and_its_scheduler_is_kept(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    options = {"preset": "ltx-2-distilled"}
    made, _ = stage.render(ask("ltx-2", num_inference_steps=None, options=options))
    assert made.request is not None
    pipe = diffusers.LTX2Pipeline.from_pretrained(models("ltx-2"))
    pipe.set_progress_bar_config(disable=True)
    wanted = pipe(
        prompt=made.request.prompt,
        negative_prompt=made.request.negative_prompt,
        width=made.request.width,
        height=made.request.height,
        num_frames=made.request.num_frames,
        num_inference_steps=8,
        sigmas=[1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875],
        guidance_scale=1.0,
        frame_rate=24,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="pil",
    ).frames[0]
    expected = np.stack([np.asarray(one) for one in wanted])
    np.testing.assert_array_equal(np.concatenate(given), expected)


def test_four_steps_with_a_lora_for_each_stage_equal_the_direct_call(
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = models("wan-2-2")
    kind = diffusers.WanTransformer3DModel
    transformer = kind.from_pretrained(folder, subfolder="transformer")
    files = [
        save_lora(tmp_path / f"Wan2.2-Lightning_{one}_noise.safetensors", transformer, seed=seed)
        for seed, one in enumerate(("high", "low"))
    ]
    given = recorded(monkeypatch)
    loras = [{"path": str(file)} for file in files]
    made, _ = stage.render(ask("wan-2-2", num_inference_steps=None, loras=loras))
    assert made.request is not None
    assert made.request.options["preset"] == "wan-2-2-four-steps"
    assert made.request.options[AS_RENDERED]["flow_shift"] == 5.0

    pipe = diffusers.WanPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=5.0)
    pipe.load_lora_weights(load_file(files[0]), adapter_name="high")
    pipe.load_lora_weights(load_file(files[1]), adapter_name="low", load_into_transformer_2=True)
    wanted = pipe(
        prompt=made.request.prompt,
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=4,
        guidance_scale=1.0,
        guidance_scale_2=1.0,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="pil",
    ).frames[0]
    expected = np.stack([np.asarray(one) for one in wanted])
    np.testing.assert_array_equal(np.concatenate(given), expected)


@pytest.mark.parametrize(
    ("name", "preset", "steps", "shift"),
    [
        ("Wan21_T2V_14B_lightx2v_rank64", "wan-2-1-four-steps", 4, 5.0),
        ("Wan21_AccVid_T2V_14B_lora_rank32", "wan-2-1-accvideo", 10, 5.0),
        ("Wan21_CausVid_14B_T2V_lora_rank32", "wan-2-1-causvid", 8, 7.0),
        ("Wan2.1_T2V_14B_FusionX_LoRA", "wan-2-1-fusionx", 8, 2.0),
    ],
)
def test_wan_2_1_with_a_lora_of_few_steps_equals_the_direct_call(
    name: str,
    preset: str,
    steps: int,
    shift: float,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = diffusers.WanTransformer3DModel
    transformer = kind.from_pretrained(models("wan"), subfolder="transformer")
    file = save_lora(tmp_path / f"{name}.safetensors", transformer)
    given = recorded(monkeypatch)
    loras = [{"path": str(file)}]
    made, _ = stage.render(ask("wan", num_inference_steps=None, loras=loras))
    assert made.request is not None
    assert made.request.options["preset"] == preset
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=shift)
    pipe.load_lora_weights(load_file(file))
    request = made.request.model_copy(update={"options": {}})
    assert_same(given, direct(pipe, request, num_inference_steps=steps, guidance_scale=1.0))


def test_ltx_distilled_that_takes_conditions_equals_the_direct_call_with_its_authors_timesteps(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    options = {"preset": "ltx-distilled"}
    made, _ = stage.render(ask("ltx-condition", num_inference_steps=None, options=options))
    assert made.request is not None
    pipe = diffusers.LTXConditionPipeline.from_pretrained(models("ltx-condition"))
    call: dict[str, Any] = {"timesteps": [1000, 993, 987, 981, 975, 909, 725, 0.03]}
    call |= {"num_inference_steps": 8, "guidance_scale": 1.0, "frame_rate": 25,
             "decode_timestep": 0.05, "decode_noise_scale": 0.025}  # fmt: skip
    assert_same(given, direct(pipe, made.request, **call))
    shown = [one.step for one in stage.said if one.stage == "denoising"]
    assert shown == list(range(1, 9))


def test_ltx_distilled_equals_the_direct_call_with_the_models_own_scheduler(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    options = {"preset": "ltx-distilled"}
    made, _ = stage.render(ask("ltx", num_inference_steps=None, options=options))
    assert made.request is not None
    assert made.request.num_inference_steps == 8
    pipe = diffusers.LTXPipeline.from_pretrained(models("ltx"))
    call: dict[str, Any] = {"num_inference_steps": 8, "guidance_scale": 1.0, "frame_rate": 25,
            "decode_timestep": 0.05, "decode_noise_scale": 0.025}  # fmt: skip
    assert_same(given, direct(pipe, made.request, **call))


def test_wan_2_2_runs_by_default_as_its_authors_run_it(
    ask: Ask, stage: Stage, tmp_path: Path
) -> None:
    """As in Wan-Video/Wan2.2: wan/configs/wan_t2v_A14B.py and wan_i2v_A14B.py.

    ``sample_guide_scale`` there holds low noise, then high noise: (3.0, 4.0) and (3.5, 3.5).
    """
    text = stage.engine.complete(ask("wan-2-2"))
    assert text.options["flow_shift"] == 12.0
    assert (text.guidance_scale, text.options["guidance_scale_2"]) == (4.0, 3.0)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    picture = stage.engine.complete(ask("wan-2-2-i2v", options={"image": str(tmp_path / "a.png")}))
    assert (picture.guidance_scale, picture.options["guidance_scale_2"]) == (3.5, 3.5)
    assert picture.options["flow_shift"] == 5.0


@pytest.mark.parametrize("model", ["wan", "wan-2-2-5b"])
def test_fastwan_in_three_steps_equals_a_direct_call_with_its_authors_timesteps(
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder names FastVideo's pipeline class, as its authors' folders do."""
    folder = tmp_path / "FastWan-Diffusers"
    shutil.copytree(models(model), folder)
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "WanDMDPipeline"}))
    given = recorded(monkeypatch)
    made, _ = stage.render(ask(model, model=str(folder), num_inference_steps=None))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert (made.request.num_inference_steps, made.request.guidance_scale) == (3, 1.0)
    assert said["scheduler"] == "DmdScheduler"
    assert "step" in made.timings_s
    assert any("attention" in note for note in said["notes"])
    generator = torch.Generator("cpu").manual_seed(7)
    pipe = diffusers.WanPipeline.from_pretrained(models(model))
    pipe.scheduler = scheduler = diffusers.FlowMatchLCMScheduler()
    shifted = [8 * level / (1 + 7 * level) for level in (1.0, 0.28, 0.12)]
    plain_set, plain_step = scheduler.set_timesteps, scheduler.step
    monkeypatch.setattr(scheduler, "set_timesteps", lambda _count, device: plain_set(
        sigmas=shifted, timesteps=[1000, 757, 522], device=device))  # fmt: skip
    monkeypatch.setattr(scheduler, "step", partial(plain_step, generator=generator))
    options = {"num_inference_steps": 3, "guidance_scale": 1.0, "generator": generator}
    request = made.request.model_copy(update={"options": {}})
    assert_same(given, direct(pipe, request, **options))


@pytest.mark.parametrize(
    ("model", "preset"), [("wan", "wan-2-1-self-forcing"), ("wan-2-2-5b", "wan-2-2-5b-turbo")]
)
def test_four_steps_of_self_forcing_equal_a_direct_call_with_its_authors_timesteps(
    model: str,
    preset: str,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    made, _ = stage.render(ask(model, num_inference_steps=None, options={"preset": preset}))
    assert made.request is not None
    assert (made.request.num_inference_steps, made.request.guidance_scale) == (4, 1.0)
    generator = torch.Generator("cpu").manual_seed(7)
    pipe = diffusers.WanPipeline.from_pretrained(models(model))
    pipe.scheduler = scheduler = diffusers.FlowMatchLCMScheduler()
    shifted = [5 * level / (1 + 4 * level) for level in (1.0, 0.75, 0.5, 0.25)]
    plain_set, plain_step = scheduler.set_timesteps, scheduler.step
    monkeypatch.setattr(scheduler, "set_timesteps", lambda _count, device: plain_set(
        sigmas=shifted, timesteps=[1000, 937.5, 833.333, 625], device=device))  # fmt: skip
    monkeypatch.setattr(scheduler, "step", partial(plain_step, generator=generator))
    options = {"num_inference_steps": 4, "guidance_scale": 1.0, "generator": generator}
    request = made.request.model_copy(update={"options": {}})
    assert_same(given, direct(pipe, request, **options))


def test_fixed_timesteps_that_cannot_be_are_refused_with_the_reason(ask: Ask, stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match="take 3 steps, not 6"):
        stage.engine.complete(ask("wan", num_inference_steps=6, options={"preset": "fastwan"}))
    with pytest.raises(InvalidRequest, match="Timesteps fall from 1000 to above 0"):
        stage.engine.complete(ask("wan", options={"dmd_steps": [500, 1000]}))
    with pytest.raises(InvalidRequest, match="Only pipelines of Wan take dmd_steps"):
        stage.engine.complete(ask("ltx", options={"dmd_steps": [1000, 500]}))


def test_presets_with_another_scheduler_and_plain_jobs_take_turns_on_one_loaded_model(
    ask: Ask, stage: Stage, frames: Callable[[], Any], tmp_path: Path
) -> None:
    ways: dict[str, dict[str, Any]] = {
        "preset": {"preset": "fastwan"},
        "plain": {"preset": "none"},
        "shifted": {"preset": "none", "flow_shift": 2.0},
    }
    asked = {name: ask("wan", num_inference_steps=3, options=way) for name, way in ways.items()}
    fresh: dict[str, Any] = {}
    schedulers: dict[str, str] = {}
    for name, request in asked.items():
        (tmp_path / name).mkdir()
        alone = Stage(tmp_path / name)
        made, _ = alone.render(request)
        alone.engine.unload()
        assert made.request is not None
        fresh[name] = frames()
        schedulers[name] = made.request.options[AS_RENDERED]["scheduler"]
    assert schedulers["preset"] == "DmdScheduler" != schedulers["plain"] == schedulers["shifted"]
    assert len({one.tobytes() for one in fresh.values()}) == 3, "each way shows something else"
    for turn, name in enumerate(("preset", "plain", "preset", "shifted", "plain", "preset")):
        made, _ = stage.render(asked[name])
        assert turn == 0 or "loading" not in stage.stages, "the model stays loaded"
        assert made.request is not None
        assert made.request.options[AS_RENDERED]["scheduler"] == schedulers[name]
        assert np.array_equal(frames(), fresh[name]), f"turn {turn}, {name}"
