"""A model's sound is written into its video; models without sound are marked so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import av
import diffusers
import torch

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.diffusers.soundtrack import outputs_wanted, sample_rate
from workbench.engines.sound import Sound, decode_sound

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]


def _direct(folder: Path, request: Any) -> Any:
    """Return the waveform of a plain call of the pipeline."""
    pipe = diffusers.LTX2Pipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    output = pipe(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        width=request.width,
        height=request.height,
        num_frames=request.num_frames,
        frame_rate=request.fps,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="np",
    )
    return output.audio


def likeness(one: Any, other: Any) -> float:
    """Return the correlation of two tracks; 1 means identical."""
    length = min(one.shape[1], other.shape[1])
    first, second = (track[:, :length] - track[:, :length].mean() for track in (one, other))
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))


def test_the_mp4_holds_the_sound_of_a_direct_call_of_ltx_2(
    ask: Ask, stage: Stage, models: Callable[[str], Path]
) -> None:
    made, folder = stage.render(ask("ltx-2", num_frames=17))
    assert made.request is not None
    heard = decode_sound(folder / "video.mp4")
    assert heard is not None
    assert (heard.sample_rate, heard.channels) == (24_000, 2)
    assert abs(heard.duration_s - 17 / 24) < 1 / 24
    wanted = Sound.of(_direct(models("ltx-2"), made.request), 24_000)
    assert likeness(heard.samples, wanted.samples) > 0.95
    with av.open(str(folder / "video.mp4")) as container:
        (track,) = container.streams.audio
        assert track.codec_context.name == "aac"
        assert container.streams.video[0].frames == 17
    told = made.request.options[AS_RENDERED]["sound"]
    assert told == {"sample_rate": 24_000, "channels": 2}


def test_cosmos_3_makes_the_frames_and_the_sound_of_a_direct_call(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    made, folder = stage.render(ask("cosmos-3"))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["family"] == "cosmos-3"
    pipe = diffusers.Cosmos3OmniPipeline.from_pretrained(models("cosmos-3"))
    pipe.set_progress_bar_config(disable=True)
    output = pipe(
        prompt=made.request.prompt,
        negative_prompt=made.request.negative_prompt or None,
        width=64,
        height=64,
        num_frames=9,
        fps=24,
        num_inference_steps=2,
        guidance_scale=made.request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        enable_sound=True,
        enable_safety_check=False,
    )
    heard = decode_sound(folder / "video.mp4")
    assert heard is not None
    assert (heard.sample_rate, heard.channels) == (24_000, 1)
    assert abs(heard.duration_s - 9 / 24) < 1 / 24
    assert likeness(heard.samples, Sound.of(output.sound, 24_000).samples) > 0.9
    np.testing.assert_array_equal(np.concatenate(given), (output.video * 255).round())


@pytest.mark.parametrize(
    ("blocks", "rate", "outputs"),
    [
        ("MiniMaxH3Blocks", 32_000, ["videos", "audio"]),
        ("LTX25AutoBlocks", None, ["videos", "audio"]),
        ("Cosmos3OmniBlocks", None, ["videos", "sound"]),
    ],
)
def test_sound_is_requested_from_modular_pipelines_that_make_it(
    blocks: str, rate: int | None, outputs: list[str]
) -> None:
    pipe = getattr(diffusers.modular_pipelines, blocks)().init_pipeline()
    assert outputs_wanted(pipe) == outputs
    if rate is not None:
        assert sample_rate(pipe) == rate


def test_a_video_asked_for_without_sound_has_none(ask: Ask, stage: Stage) -> None:
    made, folder = stage.render(ask("ltx-2", options={"sound": False}))
    assert decode_sound(folder / "video.mp4") is None
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["sound"] is None


def test_a_model_without_sound_makes_a_video_without_a_track(ask: Ask, stage: Stage) -> None:
    _, folder = stage.render(ask("wan"))
    assert decode_sound(folder / "video.mp4") is None


def test_a_modular_pipeline_writes_its_sound_too(ask: Ask, stage: Stage) -> None:
    made, folder = stage.render(ask("ltx-2-modular"))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["pipeline"].endswith("ModularPipeline")
    heard = decode_sound(folder / "video.mp4")
    assert heard is not None
    assert heard.samples.std() > 0
    assert (heard.sample_rate, heard.channels) == (24_000, 2)


def test_the_sample_rate_is_that_of_the_waveform_not_of_the_spectrograms(
    models: Callable[[str], Path],
) -> None:
    pipe = diffusers.LTX2Pipeline.from_pretrained(models("ltx-2"))
    assert pipe.audio_sampling_rate == 16_000
    assert sample_rate(pipe) == 24_000
