"""A model's inputs are listed as data; others are refused before loading."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition
from diffusers.pipelines.ltx2.pipeline_ltx2_ic_lora import LTX2ReferenceCondition
from PIL import Image

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.test_sound import likeness
from workbench.engines.diffusers import DiffusersEngine
from workbench.engines.diffusers.conditioning import _table
from workbench.engines.diffusers.families import families
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.engines.sound import Sound, decode_sound
from workbench.errors import InvalidRequest
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

_OURS: Final = {
    "image",
    "last_image",
    "video",
    "mask",
    "mask_video",
    "reference_images",
    "memory_images",
    "face_video",
    "pose_video",
    "controls",
    "control_video",
    "driving_video",
    "conditions",
    "reference_conditions",
}
_LEFT_OUT: Final = {
    "WanAnimatePipeline": {"mask_video"},
    "EasyAnimateControlPipeline": {"control_video"},
    "EasyAnimateInpaintPipeline": {"video", "mask_video"},
}
"""What is not offered: putting a person into another video, and pipelines that are refused."""


def _parameters(name: str) -> dict[str, bool]:
    """Return the image parameters of a class's call, and whether each is required."""
    kind = getattr(diffusers, name)
    if "Modular" in name:
        from diffusers import modular_pipelines

        blocks = getattr(modular_pipelines, kind.default_blocks_name, None)
        blocks = blocks or getattr(diffusers, kind.default_blocks_name)
        return {one.name: one.required for one in blocks().inputs if one.name in _OURS}
    taken = inspect.signature(kind.__call__).parameters
    empty = inspect.Parameter.empty
    return {key: one.default is empty for key, one in taken.items() if key in _OURS}


@pytest.mark.parametrize("name", sorted(_table()))
def test_the_data_matches_the_pinned_librarys_call_signature(name: str) -> None:
    own, told = _parameters(name), _table()[name]
    assert set(told.parameters.values()) <= own.keys()
    if "conditions" not in own:
        offered = set(told.parameters.values()) | _LEFT_OUT.get(name, set())
        assert own.keys() <= offered, "an input is not offered"
    required = {key for key, needed in own.items() if needed}
    assert required <= {told.parameters[one] for one in told.needs}


def test_every_class_of_a_family_has_its_inputs_listed() -> None:
    run = [family for family in families() if not family.refused]
    named = {name for family in run for name in (*family.classes, *family.variants)}
    assert named <= _table().keys()


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Three pictures and, last, a video of nine frames."""
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.png"
        Image.effect_noise((64, 64), 40 + 20 * number).convert("RGB").save(path)
        paths.append(str(path))
    video = tmp_path / "nine.mp4"
    with VideoWriter(video, 64, 64, 24) as writer:
        writer.write(np.random.default_rng(2).integers(0, 255, (9, 64, 64, 3), np.uint8))
    return [*paths, str(video)]


@pytest.mark.parametrize(
    ("name", "options", "field"),
    [
        ("wan", {"last_image": 0}, "last_image"),
        ("ltx", {"last_image": 0}, "last_image"),
        ("ltx", {"image": 0, "last_image": 1}, "last_image"),
        ("wan-2-2-5b", {"image": 0, "last_image": 1}, "last_image"),
        ("wan", {"image": 0}, "image"),
        ("mochi", {"video": 3}, "video"),
        ("wan", {"mask": 0}, "mask"),
        ("wan", {"references": [0, 1]}, "references"),
        ("wan", {"keyframes": [{"at_s": 0.1, "image": 0}]}, "keyframes"),
        ("wan-2-2-5b", {"image": 0, "video": 3}, "image"),
        ("ltx", {"control": {"kind": "depth", "video": 3}}, "control"),
    ],
)
def test_inputs_a_model_does_not_take_are_refused_before_loading(
    name: str, options: dict[str, Any], field: str, ask: Ask, pictures: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        DiffusersEngine(Settings()).complete(ask(name, options=_filled(options, pictures)))
    told = {one.field: one.problem for one in caught.value.problems}
    assert any(word in told[f"options.{field}"] for word in ("accept", "together"))


def test_wan_2_1_takes_a_last_image_only_with_weights_trained_for_it(
    tmp_path: Path, ask: Ask, pictures: list[str]
) -> None:
    model = tmp_path / "i2v"
    (model / "transformer").mkdir(parents=True)
    (model / "model_index.json").write_text(json.dumps({"_class_name": "WanImageToVideoPipeline"}))
    config = model / "transformer" / "config.json"
    options = {"image": pictures[0], "last_image": pictures[1]}

    def problems(**configured: Any) -> set[str]:
        config.write_text(json.dumps({"in_channels": 36, **configured}))
        try:
            DiffusersEngine(Settings()).complete(ask("wan", model=str(model), options=options))
        except InvalidRequest as error:
            return {one.field for one in error.problems if one.field.startswith("options.")}
        return set()

    assert problems(pos_embed_seq_len=None) == {"options.last_image"}
    assert problems(pos_embed_seq_len=514) == set()


def test_a_missing_input_file_is_named_with_its_parameter(ask: Ask, pictures: list[str]) -> None:
    frames = [{"at_s": 0, "image": pictures[0]}, {"at_s": 0.2, "image": "/nowhere.png"}]
    with pytest.raises(InvalidRequest) as caught:
        DiffusersEngine(Settings()).complete(ask("ltx-2", options={"keyframes": frames}))
    assert [one.field for one in caught.value.problems] == ["options.keyframes.1.image"]


def test_a_sound_to_follow_is_refused_with_the_reason(ask: Ask) -> None:
    with pytest.raises(InvalidRequest) as caught:
        DiffusersEngine(Settings()).complete(ask("ltx-2", options={"audio": "song.wav"}))
    told = {one.field: one.problem for one in caught.value.problems}
    assert "No video pipeline of this diffusers follows a sound" in told["options.audio"]


@pytest.mark.parametrize(
    ("options", "placed"),
    [
        ({"image": 0, "last_image": 1}, [(0, 0), (1, 2)]),
        ({"last_image": 1}, [(1, 2)]),
        ({"keyframes": [{"at_s": 8 / 24, "image": 2}]}, [(2, 1)]),
        ({"video": 3, "last_image": 1}, [(3, 0), (1, 2)]),
    ],
)
def test_ltx_2_keyframes_give_the_frames_of_a_direct_call(
    options: dict[str, Any],
    placed: list[tuple[int, int]],
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    pictures: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    asked = ask("ltx-2", num_frames=17, options=_filled(options, pictures))
    made, _ = stage.render(asked)
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["pipeline"] == "LTX2ConditionPipeline"
    pipe = diffusers.LTX2ConditionPipeline.from_pretrained(models("ltx-2"))
    pipe.set_progress_bar_config(disable=True)
    read = [LTX2VideoCondition(frames=_shown(pictures[n]), index=at) for n, at in placed]
    output = _called(pipe, made.request, frame_rate=24, conditions=read)
    _assert_same(given, output.frames[0])


@pytest.mark.parametrize("options", [{}, {"image": 0}, {"image": 0, "last_image": 1}])
def test_ltx_2_in_context_follows_a_control_as_by_a_direct_call(
    options: dict[str, Any],
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    pictures: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    led = {**options, "control": {"kind": "pose", "video": 3}}
    made, _ = stage.render(ask("ltx-2", options=_filled(led, pictures)))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["pipeline"] == "LTX2InContextPipeline"
    assert any("no in-context LoRA is applied" in note for note in said["notes"])
    pipe = diffusers.LTX2InContextPipeline.from_pretrained(models("ltx-2"))
    pipe.set_progress_bar_config(disable=True)
    begun = [("image", 0), ("last_image", 1)]
    placed = [(options[name], at) for name, at in begun if name in options]
    call: dict[str, Any] = {
        "reference_conditions": [LTX2ReferenceCondition(frames=_shown(pictures[3]))]
    }
    if placed:
        call["conditions"] = [
            LTX2VideoCondition(frames=_shown(pictures[n]), index=at) for n, at in placed
        ]
    output = _called(pipe, made.request, frame_rate=24, **call)
    _assert_same(given, output.frames[0])
    plain = _called(
        diffusers.LTX2Pipeline.from_pretrained(models("ltx-2")), made.request, frame_rate=24
    )
    assert not np.array_equal(np.asarray(output.frames[0]), np.asarray(plain.frames[0]))


@pytest.mark.parametrize(
    "options",
    [
        {"video": 3, "mask": 0},
        {"references": [0, 1]},
        {"video": 3, "references": [2]},
        {"control": {"kind": "depth", "video": 3}},
    ],
)
def test_wan_vace_with_video_mask_and_references_gives_the_frames_of_a_direct_call(
    options: dict[str, Any],
    ask: Ask,
    stage: Stage,
    pictures: list[str],
    models: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    made, _ = stage.render(ask("wan-vace", options=_filled(options, pictures)))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["family"] == "wan-vace"
    pipe = diffusers.WanVACEPipeline.from_pretrained(models("wan-vace"))
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=3.0)
    pipe.set_progress_bar_config(disable=True)
    direct: dict[str, Any] = {}
    if "video" in options or "control" in options:
        direct["video"] = _shown(pictures[3])
    if "mask" in options:
        direct["mask"] = [_shown(pictures[0]).convert("L")] * 9
    if "references" in options:
        direct["reference_images"] = [_shown(pictures[n]) for n in options["references"]]
    _assert_same(given, _called(pipe, made.request, **direct).frames[0])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("options", [{}, {"image": 0, "last_image": 1}])
def test_ltx_2_5_gives_the_frames_and_the_sound_of_a_direct_call(
    options: dict[str, Any],
    ask: Ask,
    stage: Stage,
    pictures: list[str],
    models: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    asked = ask("ltx-2-5", options=_filled(options, pictures))
    made, folder = stage.render(asked)
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["family"] == "ltx-2-5"
    pipe = diffusers.ModularPipeline.from_pretrained(models("ltx-2-5"))
    pipe.load_components()
    pipe.set_progress_bar_config(disable=True)
    pipe.update_components(guider=pipe.guider.new(guidance_scale=3.0))
    led: dict[str, Any] = {}
    if options:
        placed = [(pictures[0], 0), (pictures[1], 2)]
        led["conditions"] = [LTX2VideoCondition(frames=_shown(p), index=at) for p, at in placed]
    output = pipe(
        prompt=made.request.prompt,
        negative_prompt=made.request.negative_prompt,
        width=64,
        height=64,
        num_frames=17,
        frame_rate=24,
        num_inference_steps=2,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        output=["videos", "audio"],
        **led,
    )
    _assert_same(given, output["videos"][0])
    heard = decode_sound(folder / "video.mp4")
    assert heard is not None
    assert likeness(heard.samples, Sound.of(output["audio"], 24_000).samples) > 0.9


def test_anyflow_continues_a_shorter_video_as_a_direct_call_does(
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    pictures: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    options = {"video": pictures[3]}
    made, _ = stage.render(ask("anyflow", num_frames=17, options=options))
    assert made.request is not None
    pipe = diffusers.AnyFlowPipeline.from_pretrained(models("anyflow"))
    pipe.set_progress_bar_config(disable=True)
    output = _called(pipe, made.request, video=_shown(pictures[3]))
    _assert_same(given, output.frames[0])
    with pytest.raises(InvalidRequest, match="has 9 frames; ask for more than that"):
        stage.render(ask("anyflow", num_frames=9, options=options))


def test_wan_vace_lists_its_kinds_of_control_and_takes_one_control_video(
    ask: Ask, pictures: list[str]
) -> None:
    def problems(**options: Any) -> dict[str, str]:
        asked = ask("wan-vace", options=options)
        with pytest.raises(InvalidRequest) as caught:
            DiffusersEngine(Settings()).complete(asked)
        return {one.field: one.problem for one in caught.value.problems}

    blurred = {"kind": "blur", "video": pictures[3]}
    assert (
        "by depth, edges, pose, layout, gray, boxes, flow, not by blur"
        in problems(control=blurred)["options.control.kind"]
    )
    deep = {"kind": "depth", "video": pictures[3]}
    assert "not together" in problems(control=deep, video=pictures[3])["options.video"]


def test_an_input_video_that_is_too_short_is_refused_with_the_reason(
    ask: Ask, stage: Stage, pictures: list[str]
) -> None:
    asked = ask("wan-vace", num_frames=13, options={"video": pictures[3]})
    with pytest.raises(InvalidRequest, match="has 9 frames, fewer than the 13"):
        stage.render(asked)


def _filled(value: Any, pictures: list[str]) -> Any:
    """Return ``value`` with each integer replaced by the path of that picture."""
    if isinstance(value, dict):
        return {
            key: one if key in {"at_s", "kind"} else _filled(one, pictures)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_filled(one, pictures) for one in value]
    return pictures[value]


def _shown(path: str) -> Any:
    if path.endswith(".mp4"):
        return [Image.fromarray(frame) for frame in decode_video(Path(path))]
    return Image.open(path).convert("RGB")


def _called(pipe: Any, request: Any, **more: Any) -> Any:
    return pipe(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt or None,
        width=request.width,
        height=request.height,
        num_frames=request.num_frames,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="np",
        **more,
    )


def _assert_same(given: list[Any], wanted: Any) -> None:
    got = np.concatenate(given)
    if got.dtype != np.uint8:
        got = (got * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(got, (np.asarray(wanted) * 255).round().astype(np.uint8))
