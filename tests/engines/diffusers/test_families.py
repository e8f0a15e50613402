"""Every family renders exactly the frames of a direct call of its pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
import torch
from PIL import Image

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.tiny import TINY
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.probe import decode_video

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

_NO_NEGATIVE = {"hunyuan-video"}
_RENAMED: dict[str, dict[str, str]] = {
    "sana-video": {"num_frames": "frames"},
    "latte": {"num_frames": "video_length"},
}
_OWN: dict[str, dict[str, Any]] = {
    "wan-2-2": {"guidance_scale_2": 3.0},
    "ltx-2": {"frame_rate": 24},
    "ltx": {"frame_rate": 25, "decode_timestep": 0.05, "decode_noise_scale": 0.025},
    "sana-video": {"use_resolution_binning": False},
    "cosmos": {"fps": 24},
    "cosmos-2": {"fps": 16},
}
_GUIDER = {"hunyuan-video-1-5", "motif-video"}


def _direct(name: str, folder: Path, request: Any) -> list[Any]:
    """Return the frames of a plain call, written as a user of diffusers would."""
    extra: dict[str, Any] = {}
    if name.startswith("cosmos"):
        extra["safety_checker"] = _Unchecked()
    pipe = diffusers.DiffusionPipeline.from_pretrained(folder, **extra)
    pipe.set_progress_bar_config(disable=True)
    if shift := request.options.get("flow_shift"):
        key = "flow_shift" if "flow_shift" in pipe.scheduler.config else "shift"
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, **{key: shift})
    if name == "allegro":
        pipe.vae.enable_tiling()
    values: dict[str, Any] = {
        "width": request.width,
        "height": request.height,
        "num_inference_steps": request.num_inference_steps,
        "num_frames": request.num_frames,
    }
    if request.negative_prompt and name not in _NO_NEGATIVE:
        values["negative_prompt"] = request.negative_prompt
    if name in _GUIDER:
        pipe.guider = pipe.guider.new(guidance_scale=request.guidance_scale)
    else:
        values["guidance_scale"] = request.guidance_scale
    values = {_RENAMED.get(name, {}).get(key, key): value for key, value in values.items()}
    if image := request.options.get("image"):
        values["image"] = Image.open(image).convert("RGB")
    output = pipe(
        prompt=request.prompt,
        **values,
        **_OWN.get(name, {}),
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="pil",
    )
    frames: list[Any] = output.frames[0]
    return frames


class _Unchecked(torch.nn.Module):  # type: ignore[misc]
    dtype = torch.float32
    device = torch.device("cpu")

    def check_text_safety(self, _prompt: str) -> bool:
        return True

    def check_video_safety(self, frames: Any) -> Any:
        return frames


@pytest.mark.parametrize("name", TINY)
def test_a_family_gives_the_frames_of_a_direct_call(
    name: str,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    given = recorded(monkeypatch)
    options = {}
    if name == "cosmos-2":
        Image.effect_noise((64, 64), 60).convert("RGB").save(tmp_path / "start.png")
        options["image"] = str(tmp_path / "start.png")
    made, folder = stage.render(ask(name, options=options))
    assert made.request is not None
    request = made.request
    wanted = np.stack([np.asarray(frame) for frame in _direct(name, models(name), request)])
    got = np.concatenate(given)
    if got.dtype != np.uint8:
        got = (got * 255).round().astype(np.uint8)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)
    assert wanted.std() > 0, "a blank video would prove nothing"

    assert made.num_frames == len(wanted) == TINY[name].num_frames
    decoded = list(decode_video(folder / "video.mp4"))
    assert len(decoded) == len(wanted)
    assert (folder / "poster.jpg").stat().st_size > 0
    assert request.options[AS_RENDERED]["family"] == name
    shown = [one for one in stage.said if one.stage == "denoising"]
    chunks = 3 if name == "anyflow-far" else 1  # one after another, each with all steps
    assert [one.step for one in shown] == list(range(1, 2 * chunks + 1))
    # Allegro's VAE encodes only whole tiles; the latents of AnyFlow FAR are laid out otherwise.
    if name not in {"allegro", "anyflow-far"}:
        assert any((one.preview or b"")[:2] == b"\xff\xd8" for one in shown)
