"""Cosmos 3 and a robot's actions: forward and inverse dynamics and policy, as by a direct call."""

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
from tests.live_server import end_supervisor
from workbench.control import ActionSequence
from workbench.engines.completion import Completion
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.errors import InvalidRequest
from workbench.rendering import RenderRequest
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

Models = Callable[[str], Path]
_STEPS = 4


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "start.png"
    Image.effect_noise((96, 96), 60).convert("RGB").save(path)
    return str(path)


@pytest.fixture
def video(tmp_path: Path) -> str:
    path = tmp_path / "seen.mp4"
    with VideoWriter(path, 96, 96, 10) as writer:
        for index in range(_STEPS + 1):
            shade = np.full((96, 96, 3), 40 * index, np.uint8)
            shade[10 * index : 10 * index + 20] = 200
            writer.write(shade)
    return str(path)


def _values(changed: float = 0.0) -> Any:
    values = np.random.default_rng(1).normal(size=(_STEPS, 10))
    values[2, 3] += changed
    return values


def _ask(ask: Ask, actions: Any, **changed: Any) -> RenderRequest:
    values = {"num_frames": _STEPS + 1, "actions": actions, **changed}
    return ask("cosmos-3-actions", **values)


def _given(mode: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"mode": mode, "embodiment": "umi", "resolution_tier": 256, **more}
    if mode == "forward_dynamics":
        given["values"] = _values().tolist()
    return given


def _direct(pipe: Any, request: RenderRequest, **condition: Any) -> Any:
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        prompt=request.prompt,
        action=diffusers.CosmosActionCondition(
            chunk_size=_STEPS, domain_name="umi", resolution_tier=256, **condition
        ),
        fps=request.fps,
        num_inference_steps=2,
        guidance_scale=request.guidance_scale,
        enable_safety_check=False,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
    )


def _eight_bits(given: list[Any]) -> Any:
    got = np.concatenate(given)
    return got if got.dtype == np.uint8 else (got * 255).round().astype(np.uint8)


@pytest.mark.parametrize("mode", ["forward_dynamics", "policy", "inverse_dynamics"])
def test_each_mode_gives_the_frames_and_actions_of_a_direct_call(
    mode: str,
    ask: Ask,
    stage: Stage,
    models: Models,
    picture: str,
    video: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inverse = mode == "inverse_dynamics"
    options = {"video": video} if inverse else {"image": picture}
    asked = _ask(ask, _given(mode, view_point="wrist_view"), fps=10, options=options)
    given = recorded(monkeypatch)
    made, folder = stage.render(asked)
    pipe = diffusers.Cosmos3OmniPipeline.from_pretrained(
        models("cosmos-3-actions"), enable_safety_checker=False
    )
    seen = [Image.fromarray(frame) for frame in decode_video(Path(video))]
    shown = {"video": seen} if inverse else {"image": Image.open(picture).convert("RGB")}
    raw = torch.tensor(_values()).float() if mode == "forward_dynamics" else None
    assert made.request is not None
    wanted = _direct(
        pipe, made.request, mode=mode, raw_actions=raw, view_point="wrist_view", **shown
    )
    frames = (np.asarray(wanted.video) * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(_eight_bits(given), frames)
    assert frames.std() > 0
    assert made.num_frames == _STEPS + 1
    if mode == "forward_dynamics":
        assert made.request.channels == ()
        notes = made.request.options[AS_RENDERED]["notes"]
        assert any(note.startswith("the model is told 4 actions of umi") for note in notes)
        return
    found = np.load(folder / "actions.npy", allow_pickle=False)
    assert found.shape == (_STEPS, 10)
    np.testing.assert_array_equal(found, wanted.action[0].float().numpy())
    assert found.std() > 0
    assert made.request.channels == ("actions",)
    ActionSequence.of(found, "umi")


def test_the_same_actions_give_the_same_frames_and_one_changed_number_does_not(
    ask: Ask, stage: Stage, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for changed in (0.0, 0.0, 0.5):
        given = recorded(monkeypatch)
        actions = {**_given("forward_dynamics"), "values": _values(changed).tolist()}
        stage.render(_ask(ask, actions, options={"image": picture}))
        made.append(_eight_bits(given))
        monkeypatch.undo()
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_a_video_is_as_long_as_its_actions_and_what_was_repeated_is_said(
    ask: Ask, picture: str
) -> None:
    sequence = ActionSequence.of(np.zeros((6, 10)), "umi", fps=10)
    request = _ask(ask, sequence, num_frames=None, options={"image": picture})
    made = Completion(Settings()).complete(request).request
    assert made.num_frames == 9
    assert made.fps == 10
    assert made.actions is not None
    assert len(made.actions.sequence().values) == 8
    assert made.actions.notes == ("The last action is repeated 2 times.",)
    assert (made.width, made.height) == (None, None), "the canvas is the model's own"


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[wb.Studio]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("WORKBENCH_OUTPUTS", str(outputs))
    with wb.Studio(wb.Settings(outputs=outputs)) as made:
        yield made
    end_supervisor(outputs)


def test_predicted_actions_are_kept_plotted_and_given_to_another_render(
    studio: wb.Studio, models: Models, picture: str
) -> None:
    shared: dict[str, Any] = {
        "engine": "diffusers", "model": str(models("cosmos-3-actions")), "image": picture,
        "profile": "reference", "num_inference_steps": 2, "num_frames": _STEPS + 1,
        "options": {"safety_checker": False}, "using": studio,
    }  # fmt: skip
    policy = {"mode": "policy", "embodiment": "umi", "resolution_tier": 256}
    (video,) = wb.render("the arm lifts the cup", actions=policy, **shared).wait(300).videos
    channel = video.wait(300).channel("actions")
    found = channel.actions()
    assert (found.embodiment, len(found.values)) == ("umi", _STEPS)
    plot = channel._repr_html_()
    assert plot is not None
    assert plot.count("<polyline") == 10
    assert all(name in plot for name in ("translation", "rotation", "gripper"))
    steered = wb.render(
        "the arm lifts the cup",
        actions={"values": video.job_id, "resolution_tier": 256},
        **shared,
    )
    (shown,) = steered.wait(300).videos
    given = shown.wait(300).recipe.request.actions
    assert given is not None
    np.testing.assert_array_equal(given.sequence().array, found.array)
    assert given.mode == "forward_dynamics"
    shared["options"] = {**shared["options"], "image": shared.pop("image")}
    varied = [found, ActionSequence.of(_values(), "umi")]
    grid = wb.grid("the arm lifts the cup", actions=varied, **shared)
    labels = grid.axes["actions"]
    assert len(set(labels)) == 2
    assert all(label.startswith("4 actions of umi, ") for label in labels)
    grid.wait(300)


@pytest.mark.parametrize(
    ("name", "actions", "options", "field", "told"),
    [
        (
            "wan",
            "forward_dynamics",
            {},
            "actions",
            "Wan 2.1 does not accept actions; Cosmos 3 does",
        ),
        ("cosmos-3", "policy", {"image": 1}, "actions", "not trained with actions"),
        ("cosmos-3-actions", "policy", {}, "options.image", "starts from image or video"),
        ("cosmos-3-actions", "inverse_dynamics", {"image": 1}, "options.video", "from video"),
    ],
)
def test_actions_that_a_model_cannot_heed_are_refused_before_it_is_loaded(
    name: str,
    actions: str,
    options: dict[str, Any],
    field: str,
    told: str,
    ask: Ask,
    picture: str,
) -> None:
    placed = dict.fromkeys(options, picture)
    request = ask(name, actions=_given(actions), options=placed)
    with pytest.raises(InvalidRequest, match=told) as caught:
        Completion(Settings()).complete(request)
    assert field in {one.field for one in caught.value.problems}


def test_actions_wider_than_the_weights_are_refused(ask: Ask, picture: str) -> None:
    actions = {"mode": "policy", "embodiment": "agibotworld"}
    with pytest.raises(InvalidRequest, match="at most 10 numbers, not 29"):
        Completion(Settings()).complete(_ask(ask, actions, options={"image": picture}))


def test_an_engine_without_actions_says_which_has_them() -> None:
    request = RenderRequest.model_validate(
        {"prompt": "an arm", "actions": _given("forward_dynamics")}
    )
    with pytest.raises(InvalidRequest, match="animatic engine does not accept actions; Cosmos 3"):
        Completion(Settings()).complete(request)
