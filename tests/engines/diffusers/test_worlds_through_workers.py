"""World models through a real worker: bit for bit the frames of a direct call of diffusers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
from PIL import Image

import workbench as wb
from tests.engines.diffusers.direct import direct
from tests.engines.diffusers.tiny import LED, TINY
from tests.live_server import end_supervisor
from workbench.engines.channels import read_channel
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.rendering import RenderRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

Models = Callable[[str], Path]
_LIMIT_S: Final = 300
_STEPS: Final = 4
_PROMPT: Final = "a dog runs in the rain"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wb.Studio]:
    """One worker for all tests here, so that the libraries are imported once."""
    outputs = tmp_path_factory.mktemp("worlds") / "outputs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("WORKBENCH_OUTPUTS", str(outputs))
        patch.setenv("WORKBENCH_LEASE_S", "60")
        with wb.Studio(wb.Settings(outputs=outputs)) as made:
            yield made
        end_supervisor(outputs)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute here as the worker does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "start.png"
    Image.effect_noise((96, 96), 60).convert("RGB").save(path)
    return str(path)


@pytest.fixture
def seen(tmp_path: Path) -> str:
    path = tmp_path / "seen.mp4"
    with VideoWriter(path, 96, 96, 10) as writer:
        for index in range(_STEPS + 1):
            shade = np.full((96, 96, 3), 40 * index, np.uint8)
            shade[10 * index : 10 * index + 20] = 200
            writer.write(shade)
    return str(path)


def _video(studio: wb.Studio, models: Models, name: str, **changed: Any) -> wb.Video:
    """Return a finished video of a tiny model, with its lossless frames."""
    tiny = {**TINY, **LED}[name]
    options = {**tiny.options, "previews": 0}
    asked: dict[str, Any] = {
        "engine": "diffusers", "model": str(models(name)), "profile": "reference", "seed": 7,
        "num_inference_steps": 2, "width": tiny.size, "height": tiny.size,
        "num_frames": tiny.num_frames, "options": options, "channels": ["frames"], "using": studio,
    }  # fmt: skip
    (video,) = wb.render(_PROMPT, **{**asked, **changed}).wait(_LIMIT_S).videos
    job = video.wait(_LIMIT_S).job
    assert job.device, "a worker made it"
    return video


def _lossless(video: wb.Video) -> Any:
    return np.stack(list(read_channel(video.channel("frames").path)))


def _same(video: wb.Video, wanted: Any) -> None:
    assert wanted.std() > 0
    np.testing.assert_array_equal(_lossless(video), wanted.round().astype(np.uint8))


def test_sana_wm_follows_keys(studio: wb.Studio, models: Models, picture: str) -> None:
    video = _video(studio, models, "sana-wm", image=picture, camera="w-4,jw-4")
    request = video.recipe.request
    assert request.camera is not None
    lens = request.camera.camera_path().lenses(9, 16)[0]
    start = Image.open(picture).convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)
    pipe = diffusers.SanaWMPipeline.from_pretrained(models("sana-wm"))
    call = {"image": start, "action": "w-4,jw-4", "intrinsics": lens}
    _same(video, direct(pipe, request, **call))


@pytest.mark.parametrize("name", ["helios", "anyflow", "anyflow-far"])
def test_a_model_that_continues_begins_as_by_a_direct_call(
    name: str, studio: wb.Studio, models: Models
) -> None:
    video = _video(studio, models, name)
    pipe = diffusers.DiffusionPipeline.from_pretrained(models(name))
    _same(video, direct(pipe, video.recipe.request))


@pytest.mark.parametrize("mode", ["forward_dynamics", "policy", "inverse_dynamics"])
def test_cosmos_3_is_steered_and_finds_actions_in_each_mode(
    mode: str, studio: wb.Studio, models: Models, picture: str, seen: str
) -> None:
    values = np.random.default_rng(1).normal(size=(_STEPS, 10))
    asked: dict[str, Any] = {"mode": mode, "embodiment": "umi", "resolution_tier": 256}
    asked["view_point"] = "wrist_view"
    shown: dict[str, Any] = {"image": Image.open(picture).convert("RGB")}
    raw = None
    if mode == "forward_dynamics":
        asked["values"], raw = values.tolist(), torch.tensor(values).float()
    if mode == "inverse_dynamics":
        shown = {"video": [Image.fromarray(frame) for frame in decode_video(Path(seen))]}
    given = {"video": seen} if mode == "inverse_dynamics" else {"image": picture}
    size = {"width": None, "height": None, "num_frames": _STEPS + 1, "fps": 10}
    video = _video(studio, models, "cosmos-3-actions", actions=asked, **size, **given)
    request: RenderRequest = video.recipe.request
    folder = models("cosmos-3-actions")
    pipe = diffusers.Cosmos3OmniPipeline.from_pretrained(folder, enable_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    wanted = pipe(
        prompt=request.text_for_model,
        negative_prompt=request.negative_prompt or None,
        action=diffusers.CosmosActionCondition(
            mode=mode, chunk_size=_STEPS, domain_name="umi", resolution_tier=256,
            raw_actions=raw, view_point="wrist_view", **shown,
        ),
        fps=10,
        num_inference_steps=2,
        guidance_scale=request.guidance_scale,
        enable_safety_check=False,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
    )  # fmt: skip
    _same(video, np.asarray(wanted.video) * 255)
    if mode != "forward_dynamics":
        found = np.load(video.channel("actions").path, allow_pickle=False)
        np.testing.assert_array_equal(found, wanted.action[0].float().numpy())
