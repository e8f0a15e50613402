"""Models that need torchvision render exactly the frames of a direct call.

Skipped, with the command that installs it, where torchvision cannot be imported: CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
from PIL import Image

import workbench as wb
from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.diffusers.test_families import _Unchecked
from tests.engines.filming import render
from tests.live_server import end_supervisor
from workbench.control import CameraControl
from workbench.engines.channels import read_channel
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.diffusers.packages import package_problem
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.errors import InvalidRequest
from workbench.scene import Scene

_PROBLEM: Final = package_problem("This test", ["torchvision"])

pytestmark = [
    pytest.mark.skipif(bool(_PROBLEM), reason=_PROBLEM or "torchvision is here"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

Models = Callable[[str], Path]
_TRANSFER: Final = "cosmos-transfer-2-5"


def _loaded(folder: Path) -> Any:
    extra = {"safety_checker": _Unchecked()} if "cosmos" in folder.name else {}
    return diffusers.DiffusionPipeline.from_pretrained(folder, **extra)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "start.png"
    Image.effect_noise((64, 64), 60).convert("RGB").save(path)
    return str(path)


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """A video of nine frames."""
    path = tmp_path / "start.mp4"
    with VideoWriter(path, 64, 64, 24) as writer:
        writer.write(np.random.default_rng(0).integers(0, 255, (9, 64, 64, 3), np.uint8))
    return str(path)


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


def _shown(storyboard: Path, kind: str, indices: list[int]) -> list[Any]:
    """Return frames of a channel as a user of diffusers would hand them over."""
    stored = list(read_channel(storyboard / f"{kind}.mkv"))
    frames = [stored[one] >> 8 if kind == "depth" else stored[one] for one in indices]
    return [Image.fromarray(frame.astype(np.uint8)).convert("RGB") for frame in frames]


@pytest.mark.parametrize("kind", ["depth", "edges", "segments"])
def test_cosmos_transfer_follows_a_storyboards_channel_as_by_a_direct_call(
    kind: str,
    ask: Ask,
    stage: Stage,
    models: Models,
    storyboard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    control = {"kind": kind, "video": str(storyboard / f"{kind}.mkv"), "channel": True}
    given = recorded(monkeypatch)
    made, _ = stage.render(ask(_TRANSFER, fps=16, options={"control": control}))
    assert made.request is not None
    controls = _shown(storyboard, kind, [round(index * 1.5) for index in range(9)])
    assert len({frame.tobytes() for frame in controls}) > 1, "the storyboard moves"
    assert_same(given, direct(_loaded(models(_TRANSFER)), made.request, controls=controls))
    said = made.request.options[AS_RENDERED]
    assert said["family"] == _TRANSFER
    assert f"the model follows the {kind} of a storyboard" in said["notes"]
    shown = [one for one in stage.said if one.stage == "denoising"]
    assert [one.step for one in shown] == [1, 2]
    assert any((one.preview or b"")[:2] == b"\xff\xd8" for one in shown)


def test_another_control_gives_other_frames_of_cosmos_transfer(
    ask: Ask, stage: Stage, storyboard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for kind in ("depth", "depth", "edges"):
        given = recorded(monkeypatch)
        control = {"kind": kind, "video": str(storyboard / f"{kind}.mkv"), "channel": True}
        stage.render(ask(_TRANSFER, options={"control": control}))
        made.append(np.concatenate(given))
        monkeypatch.undo()
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_cosmos_transfer_makes_a_long_video_in_sections_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(subject="a red car", action="driving", setting="a coast road")
    size: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 97, "fps": 16}
    render(tmp_path, scene, channels=("depth",), **size)
    control = {"kind": "depth", "video": str(tmp_path / "depth.mkv"), "channel": True}
    given = recorded(monkeypatch)
    asked = ask(_TRANSFER, fps=16, num_frames=97, options={"control": control})
    made, _ = stage.render(asked)
    assert made.request is not None
    assert made.num_frames == 97
    controls = _shown(tmp_path, "depth", list(range(97)))
    assert_same(given, direct(_loaded(models(_TRANSFER)), made.request, controls=controls))
    shown = [one for one in stage.said if one.stage == "denoising"]
    assert [one.step for one in shown] == [1, 2, 3, 4], "two sections of two steps"


@pytest.mark.parametrize(
    ("name", "start", "call"),
    [
        ("cosmos-masked", "", {"fps": 24}),
        ("cosmos-2-masked", "image", {"fps": 16}),
        ("cosmos-2-masked", "video", {"fps": 16}),
        ("cosmos-2-5-masked", "", {}),
        ("cosmos-2-5-masked", "image", {}),
        ("cosmos-2-5-masked", "video", {}),
        ("kandinsky-5", "", {}),
        ("kandinsky-5-i2v", "image", {}),
        ("kandinsky-6-processor", "", {"frame_rate": 24}),
        ("kandinsky-6-processor", "image", {"frame_rate": 24}),
    ],
)
def test_a_family_that_needs_torchvision_gives_the_frames_of_a_direct_call(
    name: str,
    start: str,
    call: dict[str, Any],
    ask: Ask,
    stage: Stage,
    models: Models,
    picture: str,
    clip: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = {"image": picture} if start == "image" else {"video": clip} if start else {}
    given = recorded(monkeypatch)
    made, _ = stage.render(ask(name, options=options))
    assert made.request is not None
    assert name.startswith(made.request.options[AS_RENDERED]["family"])
    if start == "image":
        call = {**call, "image": Image.open(picture).convert("RGB")}
    if start == "video":
        call = {**call, "video": [Image.fromarray(one) for one in decode_video(Path(clip))]}
    assert_same(given, direct(_loaded(models(name)), made.request, **call))
    shown = [one for one in stage.said if one.stage == "denoising"]
    assert [one.step for one in shown] == [1, 2]
    assert any((one.preview or b"")[:2] == b"\xff\xd8" for one in shown)


@pytest.mark.parametrize("name", ["kandinsky-5", "kandinsky-6-processor"])
def test_a_prompt_read_by_a_processor_changes_the_frames(
    name: str, ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for prompt in ("a dog runs in the rain", "the red sky", "a dog runs in the rain"):
        given = recorded(monkeypatch)
        stage.render(ask(name, prompt=prompt))
        made.append(np.concatenate(given))
        monkeypatch.undo()
    assert not np.array_equal(made[0], made[1])
    assert np.array_equal(made[0], made[2]), "from the text cache"


def test_a_video_too_short_for_kandinsky_5_to_begin_from_a_picture_is_refused(
    ask: Ask, stage: Stage, picture: str
) -> None:
    asked = ask("kandinsky-5-i2v", num_frames=13, options={"image": picture})
    with pytest.raises(InvalidRequest, match="17") as caught:
        stage.render(asked)
    assert {one.field for one in caught.value.problems} == {"num_frames"}


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[wb.Studio]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(outputs))
    with wb.Studio(wb.Settings(outputs=outputs)) as made:
        yield made
    end_supervisor(outputs)


def test_a_storyboard_directs_cosmos_transfer_through_the_worker(
    studio: wb.Studio, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 9, "fps": 16, "using": studio}
    asked = {"camera": "push in", "channels": ["edges"], "engine": "animatic", **shape}
    (storyboard,) = wb.render("a red car drives on a coast road", **asked).wait(300).videos
    edges = storyboard.wait(300).channel("edges")
    asked = {"engine": "diffusers", "model": str(models(_TRANSFER)), "profile": "reference"}
    asked |= {"control": edges, "seed": 7, "num_inference_steps": 2, **shape}
    asked["options"] = {"safety_checker": False}
    (video,) = wb.render("a dog runs in the rain", **asked).wait(300).videos
    request = video.wait(300).job.request
    assert (
        "the model follows the edges of a storyboard"
        in (video.recipe.request.options[AS_RENDERED]["notes"])
    )
    given = recorded(monkeypatch)
    _, folder = stage.render(request)
    controls = _shown(edges.path.parent, "edges", list(range(9)))
    assert_same(given, direct(_loaded(models(_TRANSFER)), request, controls=controls))
    theirs, ours = (list(decode_video(path)) for path in (video.path, folder / "video.mp4"))
    assert np.array_equal(np.stack(theirs), np.stack(ours))
