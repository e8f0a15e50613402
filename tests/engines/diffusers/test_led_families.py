"""Families that need an input to begin from render exactly the frames of a direct call."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
from PIL import Image

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.test_sound import likeness
from workbench.engines.diffusers import DiffusersEngine
from workbench.engines.diffusers.adapters import own_fps
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.engines.sound import Sound, decode_sound
from workbench.errors import EngineUnavailable, InvalidRequest
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

_PICTURE: Final = {"image": "a"}
_VIDEO: Final = {"video": "v"}
_FOCAL: Final = 32 / math.tan(math.radians(30))
"""Pixels, of a view of 60° across 64 pixels."""


def _frames(path: str) -> list[Any]:
    return [Image.fromarray(frame) for frame in decode_video(Path(path))]


def _picture(path: str) -> Any:
    return Image.open(path).convert("RGB")


_Call = Callable[[dict[str, str]], dict[str, Any]]

LED: Final[list[tuple[str, dict[str, Any], _Call]]] = [
    ("lucy-edit", _VIDEO, lambda at: {"video": _frames(at["v"])}),
    ("chronoedit", _PICTURE, lambda at: {"image": _picture(at["a"])}),
    (
        "wan-animate",
        {"image": "a", "video": "v", "control": {"kind": "pose", "video": "w"}},
        lambda at: {
            "image": _picture(at["a"]),
            "face_video": _frames(at["v"]),
            "pose_video": _frames(at["w"]),
            "segment_frame_length": 9,
        },
    ),
    (
        "stable-video-diffusion",
        _PICTURE,
        lambda at: {
            "image": _picture(at["a"]),
            "fps": 7,
            "max_guidance_scale": 3.0,
            "decode_chunk_size": 8,
        },
    ),
    ("framepack", _PICTURE, lambda at: {"image": _picture(at["a"]), "num_frames": 33}),
    (
        "framepack",
        {"image": "a", "last_image": "b"},
        lambda at: {
            "image": _picture(at["a"]),
            "last_image": _picture(at["b"]),
            "num_frames": 33,
        },
    ),
    ("helios", _PICTURE, lambda at: {"image": _picture(at["a"])}),
    ("helios-pyramid", {}, lambda _: {"pyramid_num_inference_steps_list": [1, 1, 1]}),
    (
        "helios-pyramid",
        _PICTURE,
        lambda at: {"image": _picture(at["a"]), "pyramid_num_inference_steps_list": [1, 1, 1]},
    ),
    (
        "helios-distilled",
        {},
        lambda _: {"pyramid_num_inference_steps_list": [1, 1, 1], "is_amplify_first_chunk": True},
    ),
    (
        "cogvideox-control",
        {"control": {"kind": "depth", "video": "v"}},
        lambda at: {"control_video": _frames(at["v"])},
    ),
    (
        "sana-wm",
        _PICTURE,
        lambda at: {
            "image": _picture(at["a"]),
            "c2w": np.tile(np.eye(4), (9, 1, 1)),
            "intrinsics": [_FOCAL, _FOCAL, 31.5, 31.5],
        },
    ),
    (
        "sana-wm",
        {"image": "a", "call": {"action": "w-4,jw-4", "intrinsics": [50, 50, 32, 32]}},
        lambda at: {
            "image": _picture(at["a"]),
            "action": "w-4,jw-4",
            "intrinsics": [50, 50, 32, 32],
        },
    ),
    ("kandinsky-6", {}, lambda _: {"frame_rate": 24}),
    ("kandinsky-6", _PICTURE, lambda at: {"image": _picture(at["a"]), "frame_rate": 24}),
]


@pytest.fixture
def media(tmp_path: Path) -> dict[str, str]:
    """Pictures ``a`` and ``b``, videos of nine frames ``v`` and ``w``."""
    found = {}
    for number, name in enumerate("ab"):
        found[name] = str(tmp_path / f"{name}.png")
        Image.effect_noise((64, 64), 40 + 20 * number).convert("RGB").save(found[name])
    for number, name in enumerate("vw"):
        found[name] = str(tmp_path / f"{name}.mp4")
        with VideoWriter(Path(found[name]), 64, 64, 24) as writer:
            noise = np.random.default_rng(number).integers(0, 255, (9, 64, 64, 3), np.uint8)
            writer.write(noise)
    return found


def _placed(value: Any, media: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_placed(one, media) for one in value]
    if isinstance(value, dict):
        return {key: one if key == "call" else _placed(one, media) for key, one in value.items()}
    return media.get(value, value)


@pytest.mark.parametrize(("name", "options", "call"), LED)
def test_a_family_led_by_inputs_gives_the_frames_of_a_direct_call(
    name: str,
    options: dict[str, Any],
    call: _Call,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    media: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    made, folder = stage.render(ask(name, options=_placed(options, media)))
    assert made.request is not None
    request = made.request
    assert request.options[AS_RENDERED]["family"] == name
    pipe = diffusers.DiffusionPipeline.from_pretrained(models(name))
    pipe.set_progress_bar_config(disable=True)
    if shift := request.options.get("flow_shift"):
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=shift)
    values = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt or None,
        "width": request.width,
        "height": request.height,
        "num_frames": request.num_frames,
        "num_inference_steps": 2,
        "guidance_scale": request.guidance_scale,
        "generator": torch.Generator("cpu").manual_seed(7),
        "output_type": "np",
    }
    taken = diffusers.configuration_utils.inspect.signature(pipe.__call__).parameters
    values = {k: v for k, v in values.items() if k in taken and v is not None} | call(media)
    output = pipe(**values)
    wanted = np.asarray(output.frames)
    wanted = (wanted[0] if wanted.ndim == 5 else wanted) * 255
    got = np.concatenate(given)
    if got.dtype != np.uint8:
        got = (got * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(got, wanted.round().astype(np.uint8))
    assert wanted.std() > 0
    assert made.num_frames == request.num_frames == len(wanted)
    shown = [one for one in stage.said if one.stage == "denoising"]
    assert shown[-1].step == len(shown), "every step of every section is counted"
    if (sound := getattr(output, "audio", None)) is not None:
        heard = decode_sound(folder / "video.mp4")
        assert heard is not None
        assert likeness(heard.samples, Sound.of(sound, 16_000).samples) > 0.9


_MODULAR: Final[list[tuple[str, dict[str, Any], _Call]]] = [
    ("echo", {}, lambda _: {}),
    (
        "echo",
        {"image": "a", "references": ["b"]},
        lambda at: {"image": _picture(at["a"]), "memory_images": [_picture(at["b"])]},
    ),
]


@pytest.mark.parametrize(("name", "options", "call"), _MODULAR)
def test_a_modular_family_gives_the_frames_of_a_direct_call(
    name: str,
    options: dict[str, Any],
    call: _Call,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    media: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    made, folder = stage.render(ask(name, options=_placed(options, media)))
    assert made.request is not None
    request = made.request
    assert request.options[AS_RENDERED]["family"] == name
    pipe = diffusers.ModularPipeline.from_pretrained(models(name))
    pipe.load_components()
    pipe.set_progress_bar_config(disable=True)
    values: dict[str, Any] = {"width": 64, "height": 64, "output_type": "np"}
    values |= {"num_frames": 9, "frame_rate": 25, "output": ["videos", "audio"]}
    values["generator"] = torch.Generator("cpu").manual_seed(7)
    output = pipe(prompt=request.prompt, **values, **call(media))
    wanted = (np.asarray(output["videos"])[0] * 255).round().astype(np.uint8)
    got = np.concatenate(given)
    if got.dtype != np.uint8:
        got = (got * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(got, wanted)
    assert wanted.std() > 0
    heard = decode_sound(folder / "video.mp4")
    assert heard is not None
    assert likeness(heard.samples, Sound.of(output["audio"], 24_000).samples) > 0.9


@pytest.mark.parametrize("name", ["ltx-upsampler", "ltx-2-upsampler"])
def test_a_video_is_upsampled_to_twice_its_size_as_by_a_direct_call(
    name: str,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    media: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    asked = ask(name, width=128, height=128, options={"video": media["v"]})
    made, _ = stage.render(asked)
    assert (made.width, made.height, made.num_frames) == (128, 128, 9)
    pipe = diffusers.DiffusionPipeline.from_pretrained(models(name))
    pipe.set_progress_bar_config(disable=True)
    output = pipe(
        video=_frames(media["v"]),
        width=64,
        height=64,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        **({"num_frames": 9} if name == "ltx-2-upsampler" else {}),
    )
    wanted = (np.asarray(output.frames)[0] * 255).round().astype(np.uint8)
    assert wanted.std() > 0
    np.testing.assert_array_equal(np.concatenate(given), wanted)


def test_kandinsky_6_without_sound_makes_none(ask: Ask, stage: Stage) -> None:
    _, folder = stage.render(ask("kandinsky-6", options={"sound": False}))
    assert decode_sound(folder / "video.mp4") is None


def test_the_recipe_says_that_stable_video_diffusion_has_no_prompt(
    ask: Ask, stage: Stage, media: dict[str, str]
) -> None:
    made, _ = stage.render(ask("stable-video-diffusion", options={"image": media["a"]}))
    assert made.request is not None
    assert "the model does not use the prompt" in made.request.options[AS_RENDERED]["notes"]


@pytest.mark.parametrize(
    ("name", "options", "fields"),
    [
        ("wan-animate", {"image": "a"}, {"options.video", "options.control"}),
        ("lucy-edit", {}, {"options.video"}),
        ("stable-video-diffusion", {"video": "v"}, {"options.image", "options.video"}),
        ("helios", {"image": "a", "video": "v"}, {"options.image", "options.video"}),
        ("wan-animate", {"image": "a", "video": "v", "control": {"kind": "depth", "video": "w"}},
         {"options.control.kind"}),
    ],
)  # fmt: skip
def test_missing_and_unfit_inputs_are_named_before_loading(
    name: str, options: dict[str, Any], fields: set[str], ask: Ask, media: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        DiffusersEngine(Settings()).complete(ask(name, options=_placed(options, media)))
    assert {one.field for one in caught.value.problems} == fields


def test_a_camera_steered_for_too_few_frames_is_refused(
    ask: Ask, stage: Stage, media: dict[str, str]
) -> None:
    options = {"image": media["a"], "call": {"action": "w-4"}}
    with pytest.raises(InvalidRequest, match="steered for 5 frames, fewer than the 9"):
        stage.render(ask("sana-wm", options=options))


def test_a_pose_video_that_is_too_short_is_refused(
    ask: Ask, stage: Stage, media: dict[str, str]
) -> None:
    options = _placed(LED[2][1], media)
    with pytest.raises(InvalidRequest, match="has 9 frames, fewer than the 13"):
        stage.render(ask("wan-animate", num_frames=13, options=options))


def _bare(folder: Path, class_name: str) -> str:
    folder.mkdir()
    (folder / "model_index.json").write_text(f'{{"_class_name": "{class_name}"}}')
    return str(folder)


@pytest.mark.parametrize(
    ("class_name", "told"),
    [
        ("EasyAnimateControlPipeline", "cannot run EasyAnimate's pipelines for control"),
        ("EasyAnimateInpaintPipeline", "cannot run EasyAnimate's pipelines for control"),
        ("LTX2HDRPipeline", "does not run LTX's pipelines for"),
        ("HeliosModularPipeline", "not their modular ones"),
        ("MiniMaxH3ModularPipeline", "does not run MiniMax-H3 yet: .* LTX-2 makes sound"),
        ("AnimateDiffControlNetPipeline", "without control networks"),
        ("TextToVideoZeroPipeline", "does not run them"),
        ("SomeLaterVideoPipeline", "has no SomeLaterVideoPipeline"),
    ],
)
def test_a_pipeline_that_cannot_run_is_refused_with_the_reason_before_loading(
    class_name: str, told: str, ask: Ask, tmp_path: Path
) -> None:
    model = _bare(tmp_path / "model", class_name)
    with pytest.raises(InvalidRequest, match=told) as caught:
        DiffusersEngine(Settings()).complete(ask("wan", model=model))
    assert "model" in {one.field for one in caught.value.problems}


@pytest.mark.parametrize(
    ("index", "transformer", "fps"),
    [({"fps": 12}, {}, 12), ({}, {"sample_fps": 29.97}, 29.97), ({}, {"fps": "x"}, None)],
)
def test_a_model_of_no_known_family_keeps_the_frame_rate_of_its_configuration(
    index: dict[str, Any],
    transformer: dict[str, Any],
    fps: float | None,
    ask: Ask,
    tmp_path: Path,
    media: dict[str, str],
) -> None:
    folder = tmp_path / "model"
    (folder / "transformer").mkdir(parents=True)
    name = "HunyuanSkyreelsImageToVideoPipeline"
    (folder / "model_index.json").write_text(json.dumps({"_class_name": name, **index}))
    (folder / "transformer" / "config.json").write_text(json.dumps(transformer))
    asked = ask("wan", model=str(folder), options={"image": media["a"]})
    assert DiffusersEngine(Settings()).complete(asked).fps == fps


def test_the_frame_rate_of_a_call_is_known_from_its_signature(
    models: Callable[[str], Path],
) -> None:
    assert own_fps(diffusers.LTXPipeline.from_pretrained(models("ltx"))) == 25
    assert own_fps(diffusers.WanPipeline.from_pretrained(models("wan"))) is None


def test_cosmos_transfer_without_torchvision_says_the_command(
    ask: Ask, stage: Stage, media: dict[str, str], tmp_path: Path
) -> None:
    control = {"kind": "depth", "video": media["v"]}
    model = _bare(tmp_path / "model", "Cosmos2_5_TransferPipeline")
    asked = ask("wan", model=model, options={"control": control, "safety_checker": False})
    with pytest.raises(EngineUnavailable, match="pip install torchvision"):
        stage.render(asked)
