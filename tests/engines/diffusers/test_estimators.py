"""Learnt estimators make a control as a direct call of transformers does, and a model follows it."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
import transformers
from PIL import Image

import workbench as wb
from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.diffusers.tiny_estimators import save_estimator
from tests.live_server import end_supervisor
from workbench.control.control_request import as_control
from workbench.engines.completion import Completion
from workbench.engines.diffusers.conditioning import conditioned
from workbench.engines.diffusers.estimation import load_estimator
from workbench.engines.diffusers.options import AS_RENDERED, read_options
from workbench.engines.diffusers.poses import drawn_skeletons, joints_of, person_crop
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.errors import EngineUnavailable, InvalidRequest, RenderCancelled
from workbench.rendering import Control, Progress, RenderRequest
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

Models = Callable[[str], Path]
_LIMIT_S = 300


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a tiny estimator."""
    folder = tmp_path_factory.mktemp("estimators")

    def made(name: str) -> Path:
        return folder / name if (folder / name).is_dir() else save_estimator(name, folder)

    return made


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of 13 frames at 24 a second: a bright disc that moves over noise."""
    path = tmp_path / "clip.mp4"
    chance = np.random.default_rng(0)
    frames = chance.integers(0, 90, (13, 64, 96, 3), np.uint8)
    for index, frame in enumerate(frames):
        cv2.circle(frame, (20 + 4 * index, 30), 12, (250, 200, 90), -1)
    with VideoWriter(path, 96, 64, 24) as writer:
        writer.write(frames)
    return path


def _frames(clip: Path) -> list[Any]:
    return list(decode_video(clip))


def _outputs(folder: Path, frame: Any) -> tuple[Any, Any]:
    """Return the image processor and the outputs of a plain call of transformers."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    name = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    model = getattr(transformers, name).from_pretrained(folder).eval()
    with torch.no_grad():
        return processor, model(**processor(images=Image.fromarray(frame), return_tensors="pt"))


def _shown(values: Any) -> Any:
    """Return depth as the depth pipeline of transformers shows it, in three channels."""
    values = (values - values.min()) / (values.max() - values.min())
    return np.repeat((values * 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("name", ["depth-anything", "depth-anything-metric", "dpt", "zoedepth"])
def test_depth_is_that_of_a_direct_call_and_bright_where_it_is_near(
    name: str, estimator: Models, clip: Path
) -> None:
    estimate = load_estimator("depth", estimator(name), "cpu")
    for frame in _frames(clip)[:3]:
        processor, outputs = _outputs(estimator(name), frame)
        if name == "zoedepth":  # its own processing needs torchvision here
            rows, columns = int(np.sqrt(32) * 3), int(np.sqrt(48) * 3)
            whole = torch.nn.functional.interpolate(
                outputs.predicted_depth[None],
                size=(64 + 2 * rows, 96 + 2 * columns),
                mode="bicubic",
            )
            found = whole[0, 0, rows:-rows, columns:-columns]
        else:
            (row,) = processor.post_process_depth_estimation(outputs, target_sizes=[(64, 96)])
            found = row["predicted_depth"]
        depth = found.double().numpy()
        if name in {"depth-anything-metric", "zoedepth"}:
            depth = 1 / np.maximum(depth, np.finfo(np.float32).tiny)
        with torch.inference_mode():
            ours = estimate(frame)
        assert np.array_equal(ours, _shown(depth))
        assert len(np.unique(ours)) > 10


@pytest.mark.parametrize("name", ["segformer", "upernet"])
def test_segments_are_the_classes_of_a_direct_call_in_fixed_colours(
    name: str, estimator: Models, clip: Path
) -> None:
    estimate = load_estimator("segments", estimator(name), "cpu")
    voc = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128)])
    for frame in _frames(clip)[:3]:
        processor, outputs = _outputs(estimator(name), frame)
        (classes,) = processor.post_process_semantic_segmentation(outputs, target_sizes=[(64, 96)])
        with torch.inference_mode():
            ours = estimate(frame)
        assert np.array_equal(ours, voc[classes.numpy()])
        assert len(np.unique(classes.numpy())) > 1


_BOXES = [(5.0, 4.0, 30.0, 40.0), (0.0, 0.0, 70.0, 50.0), (40.5, 10.25, 20.0, 12.0)]


def test_a_person_is_cropped_and_found_again_as_by_vitposes_own_processor() -> None:
    """The numbers are those of transformers' processor, which needs scipy."""
    rows, columns = np.mgrid[0:50, 0:70]
    planes = (rows * 3 + columns, columns * 2 + rows * rows // 9, rows * columns // 11)
    picture = np.stack([plane % 256 for plane in planes], -1).astype(np.uint8)
    crops = [person_crop(picture, box, (48, 64)) for box in _BOXES[1:]]
    assert [int(crop.astype(int).sum()) for crop in crops] == [289_856, 957_836]
    assert crops[0][32, ::12, 0].tolist() == [0, 91, 114, 136]
    assert crops[1][48, ::12, 0].tolist() == [113, 119, 126, 132]

    y, x = np.mgrid[0:16, 0:12]
    heatmaps = np.empty((3, 17, 16, 12), np.float32)
    for person in range(3):
        for joint in range(17):
            place = (joint * 0.61 + person * 0.37) % 11, (joint * 0.83 + person * 1.7) % 15
            near = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 3.0)
            heatmaps[person, joint] = (0.35 + 0.03 * joint) * near
    joints = joints_of(heatmaps, _BOXES, (48, 64))
    assert joints[0, ::4, :2] == pytest.approx(
        np.array([(-0.455, -2.667), (9.565, 10.066), (17.887, 21.134), (26.204, 32.2), (35.094, 43.316)]),
        abs=2e-3,
    )  # fmt: skip
    assert joints[2, ::4, :2] == pytest.approx(
        np.array([(38.907, 7.139), (45.227, 14.517), (50.773, 21.894), (56.318, 29.311), (62.694, 3.281)]),
        abs=2e-3,
    )  # fmt: skip
    assert np.array_equal(joints[..., 2], heatmaps.max(axis=(2, 3)))


@pytest.mark.parametrize("detected", [False, True])
def test_a_pose_is_drawn_of_the_heatmaps_of_a_direct_call(
    detected: bool, estimator: Models, clip: Path
) -> None:
    detector = estimator("rt-detr") if detected else None
    estimate = load_estimator("pose", estimator("vitpose"), "cpu", detector)
    model = transformers.VitPoseForPoseEstimation.from_pretrained(estimator("vitpose")).eval()
    mean, spread = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    for frame in _frames(clip)[:2]:
        people = [(0.0, 0.0, 96.0, 64.0)]
        if detector is not None:
            processor, outputs = _outputs(detector, frame)
            (found,) = processor.post_process_object_detection(
                outputs, target_sizes=[(64, 96)], threshold=0.3
            )
            boxes = found["boxes"][found["labels"] == 0].tolist()
            people = [(left, top, right - left, low - top) for left, top, right, low in boxes]
            assert 0 < len(people) < len(found["labels"]), "cars are left out"
        crops = np.stack([person_crop(frame, one, (48, 64)) for one in people])
        pixels = torch.tensor((crops * (1 / 255) - mean) / spread, dtype=torch.float32)
        with torch.no_grad():
            heatmaps = model(pixel_values=pixels.permute(0, 3, 1, 2)).heatmaps.numpy()
        joints = joints_of(heatmaps, people, (48, 64))
        assert (joints[..., 2] > 0.3).any(), "there is something to draw"
        with torch.inference_mode():
            ours = estimate(frame)
        assert np.array_equal(ours, drawn_skeletons(joints, (96, 64), threshold=0.3))
        assert ours.any()


def test_boxes_are_the_outlines_of_all_that_a_detector_finds(estimator: Models, clip: Path) -> None:
    frame = _frames(clip)[0]
    folder = estimator("rt-detr")
    shown = load_estimator("boxes", folder, "cpu")(frame)
    processor, outputs = _outputs(folder, frame)
    (found,) = processor.post_process_object_detection(
        outputs, target_sizes=[frame.shape[:2]], threshold=0.3
    )
    wanted = np.full_like(frame, 255)
    for left, top, right, low in found["boxes"].numpy().round().astype(int).tolist():
        cv2.rectangle(wanted, (left, top), (right, low), (0, 0, 0), 2)
    assert (wanted == 0).any(), "something is found"
    np.testing.assert_array_equal(shown, wanted)


def test_a_skeleton_has_the_limbs_and_colours_of_openpose() -> None:
    joints = np.zeros((1, 17, 3))
    joints[0, 5] = (60, 20, 0.9)  # the left shoulder
    joints[0, 6] = (20, 20, 0.9)
    joints[0, 7] = (60, 50, 0.9)  # the left elbow
    joints[0, 8] = (20, 50, 0.3)  # not sure enough
    drawn = drawn_skeletons(joints, (80, 64), threshold=0.3)
    assert drawn[20, 40].tolist() == [255, 85, 0], "the neck lies between the shoulders"
    assert drawn[20, 30].tolist() == [153, 0, 0]
    assert drawn[20, 50].tolist() == [153, 51, 0]
    assert drawn[35, 60].tolist() == [102, 153, 0], "from the left shoulder to the elbow"
    assert not drawn[30:].reshape(-1, 3)[:, 2].any()
    assert not drawn[30:, :30].any(), "the right elbow is left out"


@pytest.mark.parametrize(("kind", "colour"), [("pose", (30, 20, 10)), ("depth", (10, 20, 30))])
def test_vace_is_shown_poses_in_the_colours_of_its_own_annotator(
    kind: str, colour: tuple[int, int, int], ask: Ask, clip: Path
) -> None:
    asked = _asked(ask, clip, kind=kind, estimator="any")
    frames = [Image.new("RGB", (64, 64), (10, 20, 30))] * 9
    pipe = object.__new__(diffusers.WanVACEPipeline)
    call = conditioned(pipe, asked, read_options(asked.options), estimated=frames)
    assert {one.getpixel((0, 0)) for one in call["video"]} == {colour}


def _asked(ask: Ask, clip: Path, **control: Any) -> RenderRequest:
    given = {"kind": "depth", "video": str(clip), "ready": False, **control}
    return ask("wan-vace", fps=16, options={"control": given})


def _living(kind: type) -> int:
    return sum(isinstance(one, kind) for one in gc.get_objects())


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_vace_follows_estimated_depth_as_by_a_direct_call_and_the_recipe_says_by_what(
    ask: Ask,
    stage: Stage,
    models: Models,
    estimator: Models,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = estimator("depth-anything")
    alive: dict[str, int] = {}

    def report(progress: Progress) -> None:
        stage.said.append(progress)
        alive[progress.stage] = _living(transformers.DepthAnythingForDepthEstimation)

    monkeypatch.setattr(stage, "report", report)
    asked = _asked(ask, clip, estimator=str(folder))
    gc.collect()
    before = _living(transformers.DepthAnythingForDepthEstimation)
    given = recorded(monkeypatch)
    made, _ = stage.render(asked)
    estimate = load_estimator("depth", folder, "cpu")
    sized = [
        Image.fromarray(one).resize((64, 64), Image.Resampling.LANCZOS, (16, 0, 80, 64))
        for one in _frames(clip)
    ]
    with torch.inference_mode():
        led = [estimate(np.asarray(sized[round(index * 1.5)])) for index in range(9)]
    video = [Image.fromarray(one) for one in led]
    assert len({one.tobytes() for one in video}) > 1, "the video moves"
    pipe = diffusers.WanVACEPipeline.from_pretrained(models("wan-vace"))
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=3.0)
    assert made.request is not None
    assert_same(given, direct(pipe, made.request, video=video))

    said = made.request.options[AS_RENDERED]
    assert "the control is the video's depth: estimated by depth-anything" in said["notes"]
    (entry,) = [one for one in said["weights"] if one["role"] == "control.estimator"]
    assert (entry["file"], entry["sha256"]) == ("model.safetensors", _digest(folder))
    told = [one.message for one in stage.said if one.stage == "estimating"]
    assert told[0] == "depth of the control video: frame 1 of 9"
    assert len(told) == 9
    assert alive["estimating"] == before + 1
    assert alive["denoising"] == before, "the estimator is gone before the model renders"
    (first_load,) = [n for n, one in enumerate(stage.said) if "VACE" in one.message][:1]
    assert first_load > max(n for n, one in enumerate(stage.said) if one.stage == "estimating")

    stage.render(asked.model_copy(update={"seed": 8}))
    assert "estimating" not in stage.stages, "another seed follows the same frames"


def test_a_recipe_with_other_estimator_weights_is_told(
    ask: Ask, stage: Stage, tmp_path: Path, clip: Path
) -> None:
    folder = save_estimator("dpt", tmp_path)
    made, _ = stage.render(_asked(ask, clip, estimator=str(folder)))
    assert made.request is not None
    assert stage.engine.changed_files(made.request).changed == ()
    torch.manual_seed(1)
    other = transformers.DPTForDepthEstimation(transformers.AutoConfig.from_pretrained(folder))
    other.save_pretrained(folder)
    (problem,) = stage.engine.changed_files(made.request).changed
    assert problem.field == "control.estimator"
    (folder / "model.safetensors").unlink()
    (problem,) = stage.engine.changed_files(made.request).missing
    assert problem.field == "control.estimator"


def test_an_estimation_can_be_cancelled_between_frames(
    ask: Ask, stage: Stage, estimator: Models, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(progress: Progress) -> None:
        stage.said.append(progress)
        stage.cancel = "frame 3" in progress.message

    monkeypatch.setattr(stage, "report", report)
    with pytest.raises(RenderCancelled):
        stage.render(_asked(ask, clip, estimator=str(estimator("dpt"))))
    assert sum(one.stage == "estimating" for one in stage.said) == 3
    assert not any("VACE" in one.message for one in stage.said), "the model was not loaded"


@pytest.mark.parametrize(
    ("control", "field", "told"),
    [
        ({}, "estimator", "name their folder in control.estimator or WORKBENCH_DEPTH_MODEL"),
        ({"estimator": "/no/such/folder"}, "estimator", "There is no folder /no/such/folder"),
        ({"estimator": "segformer"}, "estimator", "holds a SegformerForSemanticSegmentation"),
        ({"estimator": "empty"}, "estimator", "config.json names none"),
        ({"estimator": "pickled"}, "estimator", "no weights in .safetensors"),
        ({"estimator": "unprepared"}, "estimator", "has no preprocessor_config.json"),
        (
            {"kind": "pose", "estimator": "vitpose", "detector": "dpt"},
            "detector",
            "finds people is",
        ),
    ],
)
def test_weights_that_do_not_estimate_the_kind_are_refused_before_anything_is_queued(
    control: dict[str, str],
    field: str,
    told: str,
    ask: Ask,
    estimator: Models,
    clip: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").mkdir()
    for name, lost in (
        ("pickled", "model.safetensors"),
        ("unprepared", "preprocessor_config.json"),
    ):
        (tmp_path / name).mkdir()
        (save_estimator("dpt", tmp_path / name) / lost).unlink()
    named = {"empty": tmp_path / "empty"}
    named |= {name: tmp_path / name / "dpt" for name in ("pickled", "unprepared")}
    for key in ("estimator", "detector"):
        value = control.get(key, "")
        if value in {"segformer", "vitpose", "dpt"}:
            control = {**control, key: str(estimator(value))}
        elif value in named:
            control = {**control, key: str(named[value])}
    with pytest.raises(InvalidRequest) as caught:
        Completion(Settings()).complete(_asked(ask, clip, **control))
    (problem,) = caught.value.problems
    assert problem.field == f"options.control.{field}"
    assert told in problem.problem


def test_damaged_weights_are_told_in_a_sentence(
    ask: Ask, stage: Stage, tmp_path: Path, clip: Path
) -> None:
    folder = save_estimator("dpt", tmp_path)
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(EngineUnavailable, match="dpt does not load: "):
        stage.render(_asked(ask, clip, estimator=str(folder)))


def test_the_settings_name_the_weights_and_the_request_keeps_their_folders(
    ask: Ask, estimator: Models, clip: Path
) -> None:
    folders = {"pose_model": estimator("vitpose"), "person_detector": estimator("rt-detr")}
    settings = Settings(**{name: str(folder) for name, folder in folders.items()})
    asked = Completion(settings).complete(_asked(ask, clip, kind="pose")).request
    control = Control.model_validate(asked.options["control"])
    assert control.estimator == str(estimator("vitpose").resolve())
    assert control.detector == str(estimator("rt-detr").resolve())


def test_a_text_names_the_estimator() -> None:
    control = Control.model_validate(as_control("depth from clip.mp4 by /models/depth by me"))
    assert (control.video, control.estimator) == ("clip.mp4 by /models/depth", "me")
    control = Control.model_validate(as_control("pose from clip.mp4 by /models/vitpose"))
    assert (control.video, control.estimator) == ("clip.mp4", "/models/vitpose")
    assert control.is_estimated
    assert control.label == "pose from clip.mp4 by /models/vitpose"


@pytest.fixture
def studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimator: Models
) -> Iterator[wb.Studio]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(outputs))
    with wb.Studio(wb.Settings(outputs=outputs, pose_model=str(estimator("vitpose")))) as made:
        yield made
    end_supervisor(outputs)


def test_a_worker_estimates_a_pose_and_depth_by_which_vace_is_led(
    studio: wb.Studio, stage: Stage, models: Models, estimator: Models, clip: Path
) -> None:
    asked: dict[str, Any] = {
        "engine": "diffusers",
        "model": str(models("wan-vace")),
        "using": studio,
    }
    asked |= {"profile": "reference", "num_inference_steps": 2}
    asked |= {"width": 64, "height": 64, "num_frames": 9, "fps": 16}
    controls = {
        "vitpose": f"pose from {clip}",
        "zoedepth": f"depth from {clip} by {estimator('zoedepth')}",
    }
    for name, control in controls.items():
        (video,) = wb.render("a dog runs", control=control, **asked).wait(_LIMIT_S).videos
        video.wait(_LIMIT_S)
        said = video.recipe.request.options[AS_RENDERED]
        assert any(note.endswith(f"estimated by {name}") for note in said["notes"])
        sums = [one["sha256"] for one in said["weights"] if one["role"] == "control.estimator"]
        assert sums == [_digest(estimator(name))]
        _, folder = stage.render(video.job.request)
        theirs, ours = (list(decode_video(path)) for path in (video.path, folder / "video.mp4"))
        assert np.array_equal(np.stack(theirs), np.stack(ours))
