"""Rollout segments continue from lossless frames or latents, exactly as a direct call does."""

from __future__ import annotations

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
from safetensors.torch import load_file

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, direct, eight_bits
from tests.engines.diffusers.test_families import _Unchecked
from workbench.engines.channels import LosslessVideo, read_channel
from workbench.engines.diffusers import DiffusersEngine
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.errors import InvalidRequest, RenderError
from workbench.rendering import RenderRequest
from workbench.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

Models = Callable[[str], Path]
_Call = Callable[[list[Any], Any], dict[str, Any]]


def _masked(tail: list[Any], asked: RenderRequest) -> dict[str, Any]:
    unknown = (asked.num_frames or 0) - 5
    gray = Image.new("RGB", (64, 64), (128, 128, 128))
    masks = [Image.new("L", (64, 64), value) for value in (0, 255)]
    return {
        "video": tail[-5:] + [gray] * unknown,
        "mask": [masks[0]] * 5 + [masks[1]] * unknown,
    }


def _ltx_2(tail: list[Any], _asked: RenderRequest) -> dict[str, Any]:
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    return {"conditions": [LTX2VideoCondition(frames=tail[-9:], index=0)], "frame_rate": 24}


def _tensor(pictures: list[Any]) -> Any:
    frames = np.stack([np.asarray(picture) for picture in pictures])
    return torch.from_numpy(frames).permute(0, 3, 1, 2)[None].float() / 255


GOING_ON: Final[list[tuple[str, str, int, dict[str, Any], _Call]]] = [
    ("wan-2-2-5b", "WanImageToVideoPipeline", 1, {}, lambda tail, _: {"image": tail[-1]}),
    (
        "ltx",
        "LTXImageToVideoPipeline",
        1,
        {},
        lambda tail, _: {
            "image": tail[-1],
            "frame_rate": 25,
            "decode_timestep": 0.05,
            "decode_noise_scale": 0.025,
        },
    ),
    ("ltx-2", "LTX2ConditionPipeline", 9, {"num_frames": 17}, _ltx_2),
    ("wan-vace", "WanVACEPipeline", 5, {}, _masked),
    ("cosmos-2-5", "Cosmos2_5_PredictBasePipeline", 5, {}, lambda tail, _: {"video": tail[-5:]}),
    (
        "anyflow-far",
        "AnyFlowFARPipeline",
        13,
        {},
        lambda tail, _: {"video": _tensor(tail[-13:]), "chunk_partition": [1, 3, 2]},
    ),
]
_FAMILIES: Final = [one[0] for one in GOING_ON]


def _segment(ask: Ask, name: str, start: int = 0, **options: Any) -> RenderRequest:
    changed = next((one[3] for one in GOING_ON if one[0] == name), {})
    rollout = {"rollout": {"start": start}, **options}
    return ask(name, **{"seed": 7 + start, **changed, "options": rollout})


@pytest.mark.parametrize("name", _FAMILIES)
def test_a_segment_goes_on_from_lossless_frames_as_by_a_direct_call(
    name: str, ask: Ask, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, kind, overlap, _, call = next(one for one in GOING_ON if one[0] == name)
    given = recorded(monkeypatch)
    _, folder = stage.render(_segment(ask, name))
    tail = list(read_channel(folder / "frames.mkv"))
    np.testing.assert_array_equal(np.stack(tail), eight_bits(given), "as the model made them")
    given.clear()

    fork = 13 if name == "anyflow-far" else len(tail)
    going_on = {"frames": str(folder / "frames.mkv"), "num_frames": fork}
    made, folder = stage.render(_segment(ask, name, len(tail), tail=going_on))
    assert made.request is not None
    asked = made.request
    assert asked.options["rollout"]["overlap"] == overlap
    assert asked.channels == ("frames",)
    said = asked.options[AS_RENDERED]
    assert said["pipeline"] == kind
    assert "continues from the lossless frames of the previous segment" in said["notes"]

    parts = {"safety_checker": _Unchecked()} if name.startswith("cosmos") else {}
    pipe = getattr(diffusers, kind).from_pretrained(models(name), **parts)
    pictures = [Image.fromarray(frame) for frame in tail[:fork]]
    assert_same(given, direct(pipe, asked, **call(pictures, asked)))


def test_a_segment_on_vace_follows_a_control_where_it_fills_in_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, folder = stage.render(_segment(ask, "wan-vace"))
    tail = list(read_channel(folder / "frames.mkv"))
    noise = np.random.default_rng(5).integers(0, 255, (13, 64, 64, 3), np.uint8)
    path = tmp_path / "edges.mkv"
    with LosslessVideo(path, "frames", 64, 64, 16) as file:
        for frame in noise:
            file.write(frame)
    given = recorded(monkeypatch)
    control = {"kind": "edges", "video": str(path), "start_s": 4 / 16}
    going_on = {"frames": str(folder / "frames.mkv")}
    made, _ = stage.render(_segment(ask, "wan-vace", 9, tail=going_on, control=control))
    assert made.request is not None
    pipe = diffusers.WanVACEPipeline.from_pretrained(models("wan-vace"))
    pictures = [Image.fromarray(frame) for frame in tail]
    call = _masked(pictures, made.request)
    call["video"][5:] = [Image.fromarray(frame) for frame in noise[9:13]]
    assert_same(given, direct(pipe, made.request, **call))


def test_helios_goes_on_from_its_latents_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[Path] = []
    pipe = diffusers.HeliosPipeline.from_pretrained(models("helios"))
    given = recorded(monkeypatch)
    first = prior = None
    for index in range(3):
        given.clear()
        tail = {"latents": str(files[-1]), "frames": ""} if files else None
        options = {"tail": tail} if tail else {}
        made, folder = stage.render(_segment(ask, "helios", 33 * index, **options))
        assert made.num_frames == 33
        files.append(folder / "latents.safetensors")
        call: dict[str, Any] = {}
        if first is not None:
            call = {
                "image_latents": first,
                "video_latents": prior,
                "add_noise_to_image_latents": False,
                "add_noise_to_video_latents": False,
            }
        assert made.request is not None
        assert made.request.options["rollout"]["overlap"] == 0
        assert_same(given, direct(pipe, made.request, **call))
        kept = load_file(files[-1])
        latents = direct(pipe, made.request, output_type="latent", **call)[:, :, -9:]
        first = latents[:, :, :1] if first is None else first
        prior = latents if prior is None else torch.cat([prior, latents], dim=2)
        torch.testing.assert_close(kept["history"], prior[:, :, -28:], rtol=0, atol=0)
        torch.testing.assert_close(kept["first"], first, rtol=0, atol=0)
    assert prior is not None
    assert prior.shape[2] == 27


def test_helios_goes_on_from_the_end_of_any_section_of_a_longer_segment(
    ask: Ask, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = diffusers.HeliosPipeline.from_pretrained(models("helios"))
    given = recorded(monkeypatch)
    again = {"rollout": {"start": 0, "of": "j_a"}}
    asked = ask("helios", seed=7, options=again).model_copy(update={"num_frames": 66})
    whole, folder = stage.render(asked)
    assert whole.num_frames == 65, "the pipeline leaves the last one out"
    assert whole.request is not None
    latents = direct(pipe, whole.request, output_type="latent")
    assert latents.shape[2] == 18
    how = DiffusersEngine(Settings()).continuation(whole.request)
    assert (how.least, how.every, how.most) == (33, 33, 33)
    file = str(folder / "latents.safetensors")
    for cut, count in ((33, 9), (0, 18)):
        given.clear()
        tail = {"latents": file, "frames": "", "num_frames": cut}
        made, _ = stage.render(_segment(ask, "helios", cut or 66, tail=tail))
        call = {
            "image_latents": latents[:, :, :1],
            "video_latents": latents[:, :, :count],
            "add_noise_to_image_latents": False,
            "add_noise_to_video_latents": False,
        }
        assert made.request is not None
        assert_same(given, direct(pipe, made.request, **call))


def test_the_same_tail_and_seed_give_the_same_frames_and_another_seed_does_not(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = stage.render(_segment(ask, "wan-2-2-5b"))
    tail = {"frames": str(folder / "frames.mkv")}
    made = []
    for seed in (1, 1, 2):
        given = recorded(monkeypatch)
        request = _segment(ask, "wan-2-2-5b", 9, tail=tail).model_copy(update={"seed": seed})
        stage.render(request)
        made.append(eight_bits(given))
        monkeypatch.undo()
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


@pytest.mark.parametrize(
    ("name", "changed", "field", "told"),
    [
        ("wan", {}, "model", "Wan 2.1 cannot continue from a segment"),
        ("mochi", {}, "model", "cannot continue from a segment"),
        ("helios", {"num_frames": 66}, "num_frames", "A segment of Helios is 33 frames, not 66"),
        ("wan-vace", {"num_frames": 5}, "num_frames", "more than the 5 frames"),
    ],
)
def test_a_segment_that_a_model_cannot_make_is_refused_before_it_is_queued(
    name: str, changed: dict[str, Any], field: str, told: str, ask: Ask
) -> None:
    request = _segment(ask, name, 9).model_copy(update=changed)
    with pytest.raises(InvalidRequest, match=told) as caught:
        DiffusersEngine(Settings()).complete(request)
    assert field in {one.field for one in caught.value.problems}


def test_a_tail_that_is_too_short_or_gone_is_said(ask: Ask, stage: Stage, tmp_path: Path) -> None:
    _, folder = stage.render(_segment(ask, "wan-vace"))
    tail = {"frames": str(folder / "frames.mkv"), "num_frames": 3}
    with pytest.raises(
        RenderError, match="continues from 5 frames, but only 3 come before: fork later"
    ):
        stage.render(_segment(ask, "wan-vace", 3, tail=tail))
    broken = tmp_path / "frames.mkv"
    broken.write_bytes(b"\x1aE\xdf\xa3 nothing")
    with pytest.raises(RenderError, match="continues from are gone"):
        stage.render(_segment(ask, "wan-vace", 9, tail={"frames": str(broken)}))


def test_a_segment_ends_at_its_own_picture_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    _, folder = stage.render(_segment(ask, "ltx-2"))
    frames = folder / "frames.mkv"
    tail = [Image.fromarray(frame) for frame in read_channel(frames)]
    end = tmp_path / "end.png"
    Image.effect_noise((64, 64), 80).convert("RGB").save(end)
    given = recorded(monkeypatch)
    going_on = {"frames": str(frames)}
    plain, _ = stage.render(_segment(ask, "ltx-2", 17, tail=going_on))
    without = eight_bits(given)
    given.clear()
    made, _ = stage.render(_segment(ask, "ltx-2", 17, tail=going_on, last_image=str(end)))
    assert made.request is not None
    assert plain.request is not None
    assert made.request.num_frames == plain.request.num_frames == 17
    pipe = diffusers.LTX2ConditionPipeline.from_pretrained(models("ltx-2"))
    conditions = [
        LTX2VideoCondition(frames=tail[-9:], index=0),
        LTX2VideoCondition(frames=Image.open(end).convert("RGB"), index=2),
    ]
    wanted = direct(pipe, made.request, conditions=conditions, frame_rate=24)
    assert_same(given, wanted)
    assert not np.array_equal(eight_bits(given), without), "the picture leads"
