"""Every video pipeline of the pinned diffusers renders as by a direct call, or is refused."""

from __future__ import annotations

import ast
import re
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

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, eight_bits
from tests.engines.diffusers.tiny import LED, TINY
from workbench.engines.diffusers.families import families
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video
from workbench.errors import InvalidRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

_VIDEO: Final = re.compile(
    r"(?:Wan|LTX|Cosmos|Helios|Kandinsky[56]|SanaVideo|SanaWM|SanaImageToVideo|Echo|Lucy|EasyAnimate|MiniMaxH3|"
    r"Motif|Allegro|Mochi|ChronoEdit|Hunyuan\w*Video|HunyuanSkyreels|AnyFlow|SkyReels|CogVideo|AnimateDiff|Latte|"
    r"StableVideo|TextToVideo|VideoToVideo)\w*Pipeline"
)
_PICTURES: Final = re.compile(r"(?:T2I|I2I|TextToImage)Pipeline|Output$")
_GENERAL: Final = {"HunyuanSkyreelsImageToVideoPipeline"}
"""A test renders it as a pipeline of no known family, by its own signature and defaults."""


def test_every_video_pipeline_of_the_library_is_run_or_refused() -> None:
    exported = {
        *diffusers._import_structure["pipelines"], *diffusers._import_structure["modular_pipelines"]
    }  # fmt: skip
    made = {n for n in exported if _VIDEO.fullmatch(n) and not _PICTURES.search(n)}
    assert len(made) > 70, "the pattern finds them"
    known = {name for family in families() for name in (*family.classes, *family.variants)}
    assert sorted(made - known - _GENERAL) == []


def test_every_family_is_compared_with_a_direct_call_or_refused() -> None:
    """A family needs a tiny model of its name, in a test of frames equal to a direct call's."""
    run = {family.name for family in families() if not family.refused}
    assert len(run) > 40, "they are read"
    compared = TINY.keys() | (_named_beside_direct_calls() & LED.keys())
    assert sorted(run - compared) == []


def _named_beside_direct_calls() -> set[str]:
    """Return every text in this folder's tests that compare with a direct call, and in their data."""
    named: set[str] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        data = {name: one for one in tree.body for name in _assigned(one)}
        for test in tree.body:
            if isinstance(test, ast.FunctionDef) and "direct_call" in test.name:
                used = [data[one.id] for one in ast.walk(test)
                        if isinstance(one, ast.Name) and one.id in data]  # fmt: skip
                named |= {text for one in (test, *used) for text in _texts(one)}
    return named


def _assigned(statement: ast.stmt) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
    return [one.id for one in targets if isinstance(one, ast.Name)]


def _texts(node: ast.AST) -> set[str]:
    found = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
    return {one for one in found if isinstance(one, str)}


def _video(path: Path) -> list[Any]:
    with VideoWriter(path, 64, 64, 24) as writer:
        writer.write(np.random.default_rng(1).integers(0, 255, (9, 64, 64, 3), np.uint8))
    return [Image.fromarray(frame) for frame in decode_video(path)]


def test_kandinsky_6_upscales_a_video_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Callable[[str], Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    frames = _video(tmp_path / "v.mp4")
    given = recorded(monkeypatch)
    made, _ = stage.render(ask("kandinsky-6-sr", options={"video": str(tmp_path / "v.mp4")}))
    assert made.request is not None
    assert (made.width, made.height, made.num_frames) == (128, 128, 9)
    said = made.request.options[AS_RENDERED]
    assert said["family"] == "kandinsky-6-sr"
    assert "the model does not use the prompt" in said["notes"]
    pipe = diffusers.Kandinsky6SRPipeline.from_pretrained(models("kandinsky-6-sr"))
    pipe.set_progress_bar_config(disable=True)
    output = pipe(
        video=frames,
        resolution_scale=2,
        num_inference_steps=2,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
    )
    assert_same(given, np.asarray(output.frames)[0] * 255)
    assert [one.step for one in stage.said if one.stage == "denoising"] == [1, 2]


def test_a_result_smaller_than_an_upscalers_tiles_is_refused_before_loading(
    ask: Ask, stage: Stage, tmp_path: Path
) -> None:
    _video(tmp_path / "v.mp4")
    asked = ask("kandinsky-6-sr", height=96, options={"video": str(tmp_path / "v.mp4")})
    with pytest.raises(InvalidRequest, match="at least 128×128 pixels; 128×96 is less"):
        stage.engine.complete(asked)


def test_wan_animate_2_moves_a_person_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Callable[[str], Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    frames = _video(tmp_path / "v.mp4")
    Image.effect_noise((64, 64), 60).convert("RGB").save(tmp_path / "a.png")
    given = recorded(monkeypatch)
    options = {"video": str(tmp_path / "v.mp4"), "image": str(tmp_path / "a.png")}
    asked = ask("wan-animate-2", options=options)
    made, _ = stage.render(asked)
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["family"] == "wan-animate-2"
    assert made.num_frames == 9
    pipe = diffusers.ModularPipeline.from_pretrained(models("wan-animate-2"))
    pipe.load_components()
    pipe.set_progress_bar_config(disable=True)
    output = pipe(
        prompt=made.request.prompt,
        image=Image.open(tmp_path / "a.png").convert("RGB"),
        driving_video=frames,
        width=64,
        height=64,
        fps=24,
        segment_frame_length=9,
        num_inference_steps=2,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        output="videos",
    )
    wanted = np.asarray(output)[0] * 255
    assert wanted.std() > 0
    np.testing.assert_array_equal(eight_bits(given), wanted.round().astype(np.uint8))
    assert [one.step for one in stage.said if one.stage == "denoising"] == [1, 2]


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("kandinsky-6-sr", "a video"),
        ("wan-animate-2", "an image"),
        ("cogvideox-control", "a control"),
    ],
)
def test_what_a_family_begins_from_is_asked_for_before_loading(
    name: str, missing: str, ask: Ask, stage: Stage
) -> None:
    with pytest.raises(InvalidRequest, match=f"starts from {missing}"):
        stage.engine.complete(ask(name))
