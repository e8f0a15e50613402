"""Models with weights of their own for a start image give the frames of a direct call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import diffusers
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from PIL import Image

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.diffusers.tiny_hunyuan import PICTURE_TEMPLATE
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.errors import InvalidRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]

_FIRST: Final = ("image",)
_BOTH: Final = ("image", "last_image")


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, str]:
    """Return the paths of a first and a last picture."""
    found = {}
    for number, name in enumerate(_BOTH):
        found[name] = str(tmp_path / f"{name}.png")
        Image.effect_noise((64, 64), 40 + 20 * number).convert("RGB").save(found[name])
    return found


@pytest.mark.parametrize(
    ("name", "family", "begins", "more"),
    [
        ("wan-i2v", "wan", _FIRST, {}),
        ("wan-flf2v", "wan", _BOTH, {}),
        ("wan-2-2-i2v", "wan-2-2-i2v", _FIRST, {"guidance_scale_2": 3.5}),
        ("cogvideox-i2v", "cogvideox", _FIRST, {}),
        (
            "hunyuan-video-i2v",
            "hunyuan-video",
            _FIRST,
            {"prompt_template": dict(PICTURE_TEMPLATE), "num_frames": 13},
        ),
        ("skyreels-v2-i2v", "skyreels-v2", _FIRST, {}),
    ],
)
def test_a_model_that_begins_from_a_picture_gives_the_frames_of_a_direct_call(
    name: str,
    family: str,
    begins: tuple[str, ...],
    more: dict[str, Any],
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    pictures: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    options: dict[str, Any] = {one: pictures[one] for one in begins}
    if template := more.get("prompt_template"):
        options["call"] = {"prompt_template": template}
    asked = ask(name, options=options)
    made, _ = stage.render(asked)
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["family"] == family
    assert made.num_frames == made.request.num_frames == asked.num_frames
    pipe = diffusers.DiffusionPipeline.from_pretrained(models(name))
    assert type(pipe).__name__ == made.request.options[AS_RENDERED]["pipeline"]
    shown = {one: Image.open(pictures[one]).convert("RGB") for one in begins}
    assert_same(given, direct(pipe, made.request, **shown, **more))


def test_the_two_transformers_of_wan_2_2_share_the_steps_of_a_start_image(
    ask: Ask, stage: Stage, pictures: dict[str, str]
) -> None:
    options = {"image": pictures["image"]}
    stage.render(ask("wan-2-2-i2v", num_inference_steps=4, options=options))
    model = stage.engine._model
    assert model is not None
    calls: dict[str, int] = {}
    for name in ("transformer", "transformer_2"):
        part = getattr(model.pipe, name)
        part.register_forward_pre_hook(lambda *_, at=name: calls.update({at: calls.get(at, 0) + 1}))
    stage.render(ask("wan-2-2-i2v", num_inference_steps=4, options=options))
    assert calls.keys() == {"transformer", "transformer_2"}


def test_weights_for_one_picture_refuse_a_last_one(
    ask: Ask, stage: Stage, pictures: dict[str, str]
) -> None:
    for name in ("wan-i2v", "skyreels-v2-i2v", "cogvideox-i2v"):
        with pytest.raises(InvalidRequest, match="does not accept last_image"):
            stage.engine.complete(ask(name, options=pictures))
        with pytest.raises(InvalidRequest, match="starts from an image"):
            stage.engine.complete(ask(name))


@pytest.mark.parametrize(("begins", "index"), [(_FIRST, (0,)), (_BOTH, (0, 16))])
def test_ltx_places_pictures_in_time_as_a_direct_call_does(
    begins: tuple[str, ...],
    index: tuple[int, ...],
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    pictures: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = recorded(monkeypatch)
    made, _ = stage.render(ask("ltx-condition", options={one: pictures[one] for one in begins}))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["pipeline"] == "LTXConditionPipeline"
    pipe = diffusers.LTXConditionPipeline.from_pretrained(models("ltx-condition"))
    placed = [
        LTXVideoCondition(image=Image.open(pictures[one]).convert("RGB"), frame_index=at)
        for one, at in zip(begins, index, strict=True)
    ]
    fps = made.request.fps
    assert_same(given, direct(pipe, made.request, conditions=placed, frame_rate=fps))
