"""A storyboard and a camera path direct a model: exactly as a direct call with the same control."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
from PIL import Image

import workbench as wb
from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.filming import render
from tests.live_server import end_supervisor
from workbench.control import CameraControl, CameraPath, path_from_words
from workbench.control.control_request import KINDS
from workbench.direction import direction_kinds
from workbench.engines.animatic.engine import AnimaticEngine
from workbench.engines.channels import decode_flow, read_channel
from workbench.engines.completion import Completion
from workbench.engines.diffusers.conditioning import conditioned, kinds_of, takers_of
from workbench.engines.diffusers.families import ModelFacts, families
from workbench.engines.diffusers.options import AS_RENDERED, read_options
from workbench.engines.optical_flow import dis_flow, flow_colours
from workbench.engines.probe import decode_video
from workbench.errors import EngineUnavailable, InvalidRequest, NotFound
from workbench.journey.channels import Channel
from workbench.rendering import Control, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

Models = Callable[[str], Path]


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "start.png"
    Image.effect_noise((64, 64), 40).convert("RGB").save(path)
    return str(path)


def _complete(request: RenderRequest) -> RenderRequest:
    return Completion(Settings()).complete(request).request


def _notes(made: Any) -> list[str]:
    return list(made.request.options[AS_RENDERED]["notes"])


@pytest.mark.parametrize(
    ("camera", "taken"),
    [
        ("w-4,jw-4", "action"),
        ("orbit left 10 degrees, then push in", "c2w"),
        ("w-2", "c2w"),
        (path_from_words("zoom in 2x", seconds=0.5, fps=16).value, "c2w"),
    ],
)
def test_sana_wm_is_given_the_path_as_a_direct_call_gives_it(
    camera: str | CameraPath,
    taken: str,
    ask: Ask,
    stage: Stage,
    models: Models,
    picture: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = _complete(ask("sana-wm", options={"image": picture}, camera=camera))
    assert asked.camera is not None
    assert asked.camera.way == "poses"
    assert asked.text_for_model == "a dog runs in the rain"
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    path = asked.camera.camera_path()
    lenses = path.lenses(9, 16)
    call: dict[str, Any] = {"intrinsics": lenses.astype(np.float32) if path.zooms else lenses[0]}
    if path.zooms:
        call["intrinsics"] = (lenses * (64 / 832, 64 / 480, 64 / 832, 64 / 480)).astype(np.float32)
        call["intrinsics"][:, 2:] = 31.5
    call |= {"action": camera} if taken == "action" else {"c2w": path.relative().poses(9, 16)}
    pipe = diffusers.SanaWMPipeline.from_pretrained(models("sana-wm"))
    image = Image.open(picture).convert("RGB")
    assert_same(given, direct(pipe, asked, image=image, **call))
    assert f"the model is told the camera path as {taken}" in _notes(made)


def test_another_path_gives_other_frames(
    ask: Ask, stage: Stage, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for camera in ("w-8", "w-8", "w-7,a-1"):
        given = recorded(monkeypatch)
        stage.render(_complete(ask("sana-wm", options={"image": picture}, camera=camera)))
        made.append(np.concatenate(given))
        monkeypatch.undo()
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_a_camera_that_is_steered_twice_is_refused(ask: Ask, picture: str) -> None:
    options = {"image": picture, "call": {"action": "w-8"}}
    with pytest.raises(InvalidRequest, match="steered twice") as caught:
        _complete(ask("sana-wm", options=options, camera="pan left"))
    assert caught.value.problems[0].field == "camera"


def test_a_model_that_reads_only_text_is_told_the_path_in_words(
    ask: Ask, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _complete(ask("wan", camera="orbit left 20 degrees"))
    assert asked.camera is not None
    assert asked.camera.way == "words"
    assert asked.text_for_model == ("a dog runs in the rain. The camera: orbit left 20 degrees.")
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    if shift := asked.options.get("flow_shift"):
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=shift)
    assert_same(given, direct(pipe, asked))
    assert "the model is told the camera path in words, in the prompt" in _notes(made)


@pytest.fixture
def storyboard(tmp_path: Path) -> Path:
    """A folder with the channels of a storyboard of 25 frames at 24 a second."""
    folder = tmp_path / "storyboard"
    folder.mkdir()
    scene = Scene(subject="a red car", action="driving", setting="a coast road")
    camera = CameraControl.of("push in").resolved(width=64, height=64, num_frames=25, fps=24)
    size: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 25, "fps": 24}
    channels = ("depth", "edges", "segments", "boxes", "flow", "gray")
    render(folder, scene, camera=camera, channels=channels, **size)
    return folder


@pytest.mark.parametrize(("fps", "step"), [(24, 1.0), (16, 1.5)])
@pytest.mark.parametrize("kind", ["depth", "edges", "gray"])
def test_vace_follows_a_storyboards_channel_as_by_a_direct_call(
    kind: str,
    fps: int,
    step: float,
    ask: Ask,
    stage: Stage,
    models: Models,
    storyboard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    control = {"kind": kind, "video": str(storyboard / f"{kind}.mkv"), "channel": True}
    asked = _complete(ask("wan-vace", fps=fps, options={"control": control}))
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    stored = list(read_channel(storyboard / f"{kind}.mkv"))
    at_the_models_rate = [stored[round(index * step)] for index in range(9)]
    shown = [(frame >> 8 if kind == "depth" else frame) for frame in at_the_models_rate]
    video = [Image.fromarray(frame.astype(np.uint8)).convert("RGB") for frame in shown]
    assert len({frame.tobytes() for frame in video}) > 1, "the storyboard moves"
    assert_same(given, direct(_vace(models), asked, video=video))
    assert f"the model follows the {kind} of a storyboard" in _notes(made)


@pytest.mark.parametrize(("fps", "step"), [(24, 1.0), (16, 1.5)])
def test_vace_follows_a_storyboards_boxes_as_the_outlines_that_it_was_trained_on(
    fps: int,
    step: float,
    ask: Ask,
    stage: Stage,
    models: Models,
    storyboard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    control = {"kind": "boxes", "video": str(storyboard / "boxes.json"), "channel": True}
    asked = _complete(ask("wan-vace", fps=fps, options={"control": control}))
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    entities = json.loads((storyboard / "boxes.json").read_text())["entities"]
    video = []
    for index in range(9):
        frame = np.full((64, 64, 3), 255, np.uint8)
        for entity in entities:
            left, top, right, low = entity["boxes"][round(index * step)]
            cv2.rectangle(frame, (left, top), (right, low), (0, 0, 0), 2)
        video.append(Image.fromarray(frame))
    assert len({frame.tobytes() for frame in video}) > 1, "the storyboard moves"
    assert_same(given, direct(_vace(models), asked, video=video))
    assert "the model follows the boxes of a storyboard" in _notes(made)


@pytest.mark.parametrize("computed", [False, True])
def test_vace_follows_flow_of_a_storyboard_and_of_any_video(
    computed: bool,
    ask: Ask,
    stage: Stage,
    models: Models,
    storyboard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = storyboard / ("video.mp4" if computed else "flow.mkv")
    control = {"kind": "flow", "video": str(source), "channel": not computed}
    control |= {"ready": False, "start_s": 1 / 16} if computed else {}
    asked = _complete(ask("wan-vace", fps=16, options={"control": control}))
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    if computed:
        frames = list(decode_video(source))
        shown = [frames[round(index * 1.5)] for index in range(10)]
        flows = [dis_flow(*pair) for pair in pairwise(shown)]
    else:
        stored = [decode_flow(one) for one in read_channel(source)]
        places = [max(0, round(index * 1.5) - 1) for index in range(9)]
        flows = [np.where(stored[one][1][..., None], stored[one][0], 0) for one in places]
    video = [Image.fromarray(flow_colours(flow)) for flow in flows]
    assert len({frame.tobytes() for frame in video}) > 1, "it moves"
    assert_same(given, direct(_vace(models), asked, video=video))
    said = "the control is the video's flow: dense inverse search"
    note = said if computed else "the model follows the flow of a storyboard"
    assert any(one.startswith(note) for one in _notes(made))


def _vace(models: Models) -> Any:
    """Return a pipeline as a user of diffusers would load it."""
    pipe = diffusers.WanVACEPipeline.from_pretrained(models("wan-vace"))
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=3.0)
    return pipe


@pytest.mark.parametrize("kind", ["depth", "edges", "segments"])
def test_cosmos_transfer_is_given_a_storyboards_channel_or_says_what_it_lacks(
    kind: str, ask: Ask, stage: Stage, storyboard: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "transfer"
    folder.mkdir()
    name = "Cosmos2_5_TransferPipeline"
    (folder / "model_index.json").write_text(json.dumps({"_class_name": name}))
    control = {"kind": kind, "video": str(storyboard / f"{kind}.mkv"), "channel": True}
    options = {"control": control, "safety_checker": False}
    asked = _complete(ask("wan", model=str(folder), fps=24, options=options))
    pipe = object.__new__(getattr(diffusers, name))
    (given,) = conditioned(pipe, asked, read_options(asked.options)).values()
    stored = list(read_channel(storyboard / f"{kind}.mkv"))[:9]
    shown = [np.asarray(frame >> 8 if kind == "depth" else frame) for frame in stored]
    for ours, theirs in zip(given, shown, strict=True):
        assert np.array_equal(
            np.asarray(ours), np.broadcast_to(theirs.reshape(64, 64, -1), (64, 64, 3))
        )
    if find_spec("torchvision") is None:
        with pytest.raises(EngineUnavailable, match="pip install torchvision==0"):
            stage.engine.load(asked, "cpu", stage.report)


@pytest.mark.parametrize(
    ("model", "kind", "told"),
    [
        (
            "wan-vace",
            "segments",
            r"gray, boxes, flow, not by segments; LTX-2, Cosmos Transfer 2\.5 take segments",
        ),
        ("wan-animate", "flow", r"control by pose, not by flow; Wan 2\.1 VACE, LTX-2 take flow"),
    ],
)
def test_a_kind_of_control_that_a_model_does_not_take_is_refused_and_told_who_does(
    model: str, kind: str, told: str, ask: Ask, storyboard: Path, picture: str
) -> None:
    control = {"kind": kind, "video": str(storyboard / f"{kind}.mkv"), "channel": True}
    options: dict[str, Any] = {"control": control}
    if model == "wan-animate":
        options |= {"image": picture, "video": str(storyboard / "video.mp4")}
    with pytest.raises(InvalidRequest, match=told) as caught:
        _complete(ask(model, options=options))
    assert [one.field for one in caught.value.problems] == ["options.control.kind"]


@pytest.mark.parametrize(
    ("family", "kinds"),
    [
        (family.title, kinds)
        for family in families()
        if (kinds := kinds_of(ModelFacts(class_name=family.classes[0]), family))
    ],
)
def test_one_click_offers_every_channel_that_a_family_takes_and_names_it(
    family: str, kinds: tuple[str, ...]
) -> None:
    offered = direction_kinds(kinds, takes_camera=True)
    known = [kind for kind in AnimaticEngine.channels if kind in kinds]
    assert set(offered) == set(known or ["camera"]), family
    if "depth" in known:
        assert offered[0] == "depth"
    form = resources.files("workbench.widgets").joinpath("static/direct_form.js").read_text("utf-8")
    names = form.partition("const KINDS = {")[2].partition("}")[0]
    assert all(f"{kind}: " in names for kind in offered), family
    for kind in known:
        asked = Control.model_validate({"kind": kind, "storyboard": True})
        assert asked.waits


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_control_is_taken_by_some_family(kind: str) -> None:
    assert takers_of(kind)


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[wb.Studio]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(outputs))
    with wb.Studio(wb.Settings(outputs=outputs)) as made:
        yield made
    end_supervisor(outputs)


def test_a_storyboards_depth_directs_a_model_through_the_worker(
    studio: wb.Studio, stage: Stage, models: Models
) -> None:
    shape: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 9, "fps": 16, "using": studio}
    asked = {"camera": "push in", "channels": ["depth", "boxes"], "engine": "animatic", **shape}
    (storyboard,) = wb.render("a red car drives on a coast road", **asked).wait(300).videos
    depth = storyboard.wait(300).channel("depth")
    assert next(depth.frames()).shape == (64, 64)
    asked = {"engine": "diffusers", "model": str(models("wan-vace")), "profile": "reference"}
    asked |= {"control": depth, "seed": 7, "num_inference_steps": 2, **shape}
    (video,) = wb.render("a dog runs in the rain", **asked).wait(300).videos
    control = video.wait(300).job.request.options["control"]
    said = {"kind": "depth", "video": str(depth.path), "channel": True}
    assert control == Control.model_validate(said).model_dump()
    assert "the model follows the depth of a storyboard" in _notes(video.recipe)
    _, folder = stage.render(video.job.request)
    theirs, ours = (list(decode_video(path)) for path in (video.path, folder / "video.mp4"))
    assert np.array_equal(np.stack(theirs), np.stack(ours))
    asked["control"] = storyboard.channel("boxes")
    (boxed,) = wb.render("a dog runs in the rain", **asked).wait(300).videos
    assert "the model follows the boxes of a storyboard" in _notes(boxed.wait(300).recipe)
    with pytest.raises(NotFound, match="has no edges"):
        storyboard.channel("edges")
    with pytest.raises(InvalidRequest, match="No model follows camera, only depth"):
        Channel("camera", depth.path, storyboard.job_id).as_control()


def test_a_model_follows_the_storyboard_of_its_own_request(
    studio: wb.Studio, models: Models
) -> None:
    shape: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 9, "fps": 16, "using": studio}
    asked: dict[str, Any] = {"engine": "diffusers", "model": str(models("wan-vace"))}
    asked |= {
        "profile": "reference",
        "camera": "push in",
        "seed": 7,
        "num_inference_steps": 2,
        **shape,
    }
    led = {"kind": "depth", "storyboard": True}
    (video,) = wb.render("a red car on a coast road", control=led, **asked).wait(300).videos
    job = video.wait(300).job
    assert job.follows == job.preview_job_id is not None
    storyboard = studio.jobs.job(job.preview_job_id)
    assert storyboard.request.channels == ("depth",)
    assert (storyboard.request.num_frames, storyboard.request.fps) == (9, 16)
    assert storyboard.request.camera is not None, "the storyboard takes the path of the request"
    path = studio.jobs.channel_path(storyboard.job_id, "depth")
    assert job.request.options["control"]["video"] == str(path)
    assert "the model follows the depth of a storyboard" in _notes(video.recipe)
    given = {"kind": "depth", "video": storyboard.job_id, "channel": True}
    (same,) = wb.render("a red car on a coast road", control=given, **asked).wait(300).videos
    theirs, ours = (list(decode_video(one.wait(300).path)) for one in (same, video))
    assert np.array_equal(np.stack(theirs), np.stack(ours))


@pytest.mark.parametrize("kind", ["edges", "gray"])
def test_a_control_is_computed_from_a_video_as_opencv_computes_it(
    kind: str,
    ask: Ask,
    stage: Stage,
    models: Models,
    storyboard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = storyboard / "video.mp4"
    control = {"kind": kind, "video": str(source), "ready": False}
    asked = _complete(ask("wan-vace", fps=16, options={"control": control}))
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    frames = list(decode_video(source))
    grays = [cv2.cvtColor(frames[round(i * 1.5)], cv2.COLOR_RGB2GRAY) for i in range(9)]
    planes = [cv2.Canny(one, 60, 140) if kind == "edges" else one for one in grays]
    video = [Image.fromarray(plane).convert("RGB") for plane in planes]
    assert len({frame.tobytes() for frame in video}) > 1, "the video moves"
    assert_same(given, direct(_vace(models), asked, video=video))
    assert any(note.startswith(f"the control is the video's {kind}: ") for note in _notes(made))


def test_ltx_2_in_context_follows_a_storyboards_depth_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Models, storyboard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers.pipelines.ltx2.pipeline_ltx2_ic_lora import LTX2ReferenceCondition

    control = {"kind": "depth", "video": str(storyboard / "depth.mkv"), "channel": True}
    asked = _complete(ask("ltx-2", fps=24, options={"control": control}))
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    stored = list(read_channel(storyboard / "depth.mkv"))[: asked.num_frames]
    shown = [Image.fromarray((one >> 8).astype(np.uint8)).convert("RGB") for one in stored]
    pipe = diffusers.LTX2InContextPipeline.from_pretrained(models("ltx-2"))
    led: dict[str, Any] = {
        "reference_conditions": [LTX2ReferenceCondition(frames=shown)],
        "frame_rate": 24,
    }
    assert_same(given, direct(pipe, asked, **led))
    notes = _notes(made)
    assert "the model follows the depth of a storyboard" in notes
    assert any(note.startswith("no in-context LoRA is applied") for note in notes)


@pytest.fixture
def in_context_lora(models: Models, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that saves a LoRA for the tiny LTX-2, which names the size of its control."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    chance = torch.Generator().manual_seed(3)
    transformer = diffusers.LTX2VideoTransformer3DModel.from_pretrained(
        models("ltx-2"), subfolder="transformer"
    )
    state = {}
    for name in ("attn1.to_q", "attn1.to_v", "attn2.to_k"):
        layer = transformer.get_submodule(f"transformer_blocks.0.{name}")
        key = f"transformer.transformer_blocks.0.{name}"
        state[f"{key}.lora_A.weight"] = torch.randn(4, layer.in_features, generator=chance)
        state[f"{key}.lora_B.weight"] = torch.randn(layer.out_features, 4, generator=chance)

    def save(factor: str) -> Path:
        path = tmp_path / f"in-context-{factor}.safetensors"
        save_file(state, path, {"reference_downscale_factor": factor} if factor else None)
        return path

    return save


@pytest.mark.parametrize("factor", ["", "1", "2"])
def test_an_in_context_lora_follows_a_control_as_small_as_it_was_trained_on(
    factor: str,
    ask: Ask,
    stage: Stage,
    models: Models,
    storyboard: Path,
    in_context_lora: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from diffusers.pipelines.ltx2.pipeline_ltx2_ic_lora import LTX2ReferenceCondition
    from safetensors.torch import load_file

    lora = in_context_lora(factor)
    control = {"kind": "depth", "video": str(storyboard / "depth.mkv"), "channel": True}
    options = {"control": control}
    asked = _complete(ask("ltx-2", fps=24, options=options, loras=[{"path": str(lora)}]))
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    stored = list(read_channel(storyboard / "depth.mkv"))[: asked.num_frames]
    shown = [Image.fromarray((one >> 8).astype(np.uint8)).convert("RGB") for one in stored]
    pipe = diffusers.LTX2InContextPipeline.from_pretrained(models("ltx-2"))
    pipe.load_lora_weights(load_file(lora))
    led: dict[str, Any] = {
        "reference_conditions": [LTX2ReferenceCondition(frames=shown)],
        "reference_downscale_factor": int(factor or 1),
        "frame_rate": 24,
    }
    wanted = direct(pipe, asked, **led)
    assert_same(given, wanted)
    other = direct(pipe, asked, **led | {"reference_downscale_factor": 2 // int(factor or 1)})
    assert not np.array_equal(wanted, other), "the size of the control matters"
    assert not any("no in-context LoRA" in note for note in _notes(made))


def test_a_size_that_an_in_context_lora_cannot_be_led_at_is_refused(
    ask: Ask, storyboard: Path, in_context_lora: Callable[..., Path]
) -> None:
    control = {"kind": "depth", "video": str(storyboard / "depth.mkv"), "channel": True}
    two, four, odd = ([{"path": str(in_context_lora(one))}] for one in ("2", "4", "0.5"))
    options = {"control": control}
    with pytest.raises(InvalidRequest, match="must be multiples of 64") as caught:
        _complete(ask("ltx-2", options=options, loras=two, width=96))
    assert [one.field for one in caught.value.problems] == ["width"]
    for loras in (two + four, odd):
        with pytest.raises(InvalidRequest, match="name no single size of the control") as caught:
            _complete(ask("ltx-2", options=options, loras=loras))
        assert [one.field for one in caught.value.problems] == ["loras"]


def test_a_second_render_does_not_inherit_the_shift_and_scheduler_of_the_first(
    ask: Ask, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    made: dict[float | None, bytes] = {}
    for shift in (9.0, None, 1.5, 9.0):
        options = {} if shift is None else {"flow_shift": shift}
        asked = _complete(ask("wan", options=options))
        given.clear()
        stage.render(asked)
        pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
        assert_same(given, direct(pipe, asked))
        frames = np.concatenate(given).tobytes()
        assert made.setdefault(shift, frames) == frames, "the same again, whatever came between"
    assert len(set(made.values())) == 3, "the shift matters"
    assert stage.stages.count("loading") <= 1


def test_a_kind_that_needs_an_estimator_is_refused_and_says_how_to_bring_it(
    ask: Ask, storyboard: Path
) -> None:
    control = {"kind": "depth", "video": str(storyboard / "video.mp4"), "ready": False}
    with pytest.raises(
        InvalidRequest, match=r"name their folder in control\.estimator or WORKBENCH_DEPTH_MODEL"
    ):
        _complete(ask("wan-vace", options={"control": control}))


def test_a_render_without_a_shift_of_its_own_has_the_models_whatever_came_before(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    made: list[bytes] = []
    for options in ({}, {"flow_shift": 30.0}, {}):
        asked = _complete(ask("mochi", options=options))
        assert asked.options.get("flow_shift") == options.get("flow_shift"), "no usual shift"
        given.clear()
        stage.render(asked)
        made.append(np.concatenate(given).tobytes())
    assert made[0] == made[2] != made[1]
