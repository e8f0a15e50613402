"""A storyboard and a camera path direct a model: exactly as a direct call with the same control."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
from PIL import Image

import workbench as wb
from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.filming import render
from tests.live_server import end_supervisor
from workbench.control import CameraControl, CameraPath, path_from_words
from workbench.engines.channels import read_channel
from workbench.engines.completion import Completion
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.probe import decode_video
from workbench.errors import InvalidRequest, NotFound
from workbench.journey.channels import Channel
from workbench.rendering import RenderRequest
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


def _direct(pipe: Any, request: RenderRequest, **call: Any) -> Any:
    pipe.set_progress_bar_config(disable=True)
    if request.negative_prompt:
        call["negative_prompt"] = request.negative_prompt
    output = pipe(
        prompt=request.text_for_model,
        width=request.width,
        height=request.height,
        num_frames=request.num_frames,
        num_inference_steps=2,
        guidance_scale=request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        **call,
    )
    frames = np.asarray(output.frames)
    return (frames[0] if frames.ndim == 5 else frames) * 255


def _assert_same(given: list[Any], wanted: Any) -> None:
    got = np.concatenate(given)
    if got.dtype != np.uint8:
        got = (got * 255).round()
    assert wanted.std() > 0
    np.testing.assert_array_equal(got.astype(np.uint8), wanted.round().astype(np.uint8))


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
    _assert_same(given, _direct(pipe, asked, image=image, **call))
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
    _assert_same(given, _direct(pipe, asked))
    assert "the model is told the camera path in words, in the prompt" in _notes(made)


@pytest.fixture
def storyboard(tmp_path: Path) -> Path:
    """A folder with the channels of a storyboard of 25 frames at 24 a second."""
    folder = tmp_path / "storyboard"
    folder.mkdir()
    scene = Scene(subject="a red car", action="driving", setting="a coast road")
    camera = CameraControl.of("push in").resolved(width=64, height=64, num_frames=25, fps=24)
    size: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 25, "fps": 24}
    render(folder, scene, camera=camera, channels=("depth", "edges", "segments"), **size)
    return folder


@pytest.mark.parametrize(("fps", "step"), [(24, 1.0), (16, 1.5)])
@pytest.mark.parametrize("kind", ["depth", "edges"])
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
    pipe = diffusers.WanVACEPipeline.from_pretrained(models("wan-vace"))
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=3.0)
    _assert_same(given, _direct(pipe, asked, video=video))
    assert f"the model follows the {kind} of a storyboard" in _notes(made)


def test_a_kind_of_control_that_a_model_does_not_take_is_refused(
    ask: Ask, storyboard: Path
) -> None:
    control = {"kind": "segments", "video": str(storyboard / "segments.mkv"), "channel": True}
    with pytest.raises(InvalidRequest, match="by depth, edges, pose, layout, not by segments"):
        _complete(ask("wan-vace", options={"control": control}))


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
    asked = {"camera": "push in", "channels": ["depth"], "engine": "animatic", **shape}
    (storyboard,) = wb.render("a red car drives on a coast road", **asked).wait(300).videos
    depth = storyboard.wait(300).channel("depth")
    assert next(depth.frames()).shape == (64, 64)
    asked = {"engine": "diffusers", "model": str(models("wan-vace")), "profile": "reference"}
    asked |= {"control": depth, "seed": 7, "num_inference_steps": 2, **shape}
    (video,) = wb.render("a dog runs in the rain", **asked).wait(300).videos
    control = video.wait(300).job.request.options["control"]
    assert control == {"kind": "depth", "video": str(depth.path), "channel": True}
    assert "the model follows the depth of a storyboard" in _notes(video.recipe)
    _, folder = stage.render(video.job.request)
    theirs, ours = (list(decode_video(path)) for path in (video.path, folder / "video.mp4"))
    assert np.array_equal(np.stack(theirs), np.stack(ours))
    with pytest.raises(NotFound, match="has no edges"):
        storyboard.channel("edges")
    with pytest.raises(InvalidRequest, match="No model follows camera"):
        Channel("camera", depth.path, storyboard.job_id).as_control()
