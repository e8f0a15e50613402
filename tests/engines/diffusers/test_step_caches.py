"""Step caches: equal to diffusers called directly with the same configuration, kept and recorded."""

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

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.direct import eight_bits
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.encoder import VideoWriter
from workbench.errors import InvalidRequest
from workbench.rendering import RenderRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast"),  # Mochi
]

_STEPS = 8
_RATIOS = [1.0, 1.02, 1.01, 0.99, 1.0, 1.01, 1.0, 0.98]
_MAG = {"threshold": 0.5, "max_skip_steps": 2, "retention_ratio": 0.2}
_SEER = {"cache_interval": 3, "disable_cache_before_step": 2, "max_order": 1}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _cached(ask: Ask, name: str, cache: str, **settings: Any) -> RenderRequest:
    options = {"cache": cache, "cache_settings": settings}
    return ask(name, profile="exact", num_inference_steps=_STEPS, options=options)


def _direct(stage: Stage, models: Callable[[str], Path], name: str, request: RenderRequest,
            config: Callable[[], Any] | None) -> Any:  # fmt: skip
    """Return the frames of a plain call with ``config`` on each denoiser, as bytes."""
    request = stage.engine.complete(request)
    pipe = diffusers.DiffusionPipeline.from_pretrained(models(name))
    pipe.set_progress_bar_config(disable=True)
    shift = request.options.get("flow_shift")
    if shift is not None and hasattr(pipe.scheduler.config, "flow_shift"):
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=shift)
    if config is not None:
        for part in filter(None, (pipe.transformer, getattr(pipe, "transformer_2", None))):
            part.enable_cache(config())
    call: dict[str, Any] = (
        {"negative_prompt": request.negative_prompt} if request.negative_prompt else {}
    )
    if "guidance_scale_2" in request.options:
        call["guidance_scale_2"] = request.options["guidance_scale_2"]
    if name == "ltx":
        call["frame_rate"] = request.fps
    output = pipe(
        prompt=request.text_for_model, width=request.width, height=request.height,
        num_frames=request.num_frames, num_inference_steps=_STEPS,
        guidance_scale=request.guidance_scale, output_type="np",
        generator=torch.Generator("cpu").manual_seed(request.seed), **call,
    )  # fmt: skip
    return (np.asarray(output.frames)[0] * 255).round().astype(np.uint8)


def _said(made: Any) -> dict[str, Any]:
    assert made.request is not None
    said: dict[str, Any] = made.request.options[AS_RENDERED]
    return said


def _skipped(said: dict[str, Any]) -> int:
    (note,) = [one for one in said["notes"] if one.startswith("approximate")]
    computed, calls = [int(w) for w in note.replace(";", " ").split() if w.isdigit()][:2]
    return calls - computed


_CONFIGS: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "mag": (
        {**_MAG, "mag_ratios": _RATIOS},
        lambda: diffusers.MagCacheConfig(
            **_MAG, num_inference_steps=_STEPS, mag_ratios=list(_RATIOS)
        ),
    ),
    "taylorseer": (
        _SEER,
        lambda: diffusers.TaylorSeerCacheConfig(
            **_SEER, use_lite_mode=True, taylor_factors_dtype=torch.float32
        ),
    ),
    "sea": (
        {"threshold": 0.9},
        lambda: diffusers.SeaCacheConfig(threshold=0.9),
    ),
}


@pytest.mark.parametrize(
    ("name", "cache"),
    [
        *[(n, c) for n in ("wan", "wan-2-2") for c in ("mag", "taylorseer", "sea")],
        *[(n, c) for n in ("ltx", "cogvideox", "hunyuan-video", "mochi")
          for c in ("mag", "taylorseer")],
    ],
)  # fmt: skip
def test_a_cached_render_equals_the_direct_call_with_the_same_configuration(
    name: str, cache: str, ask: Ask, stage: Stage, models: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings, config = _CONFIGS[cache]
    request = _cached(ask, name, cache, **settings)
    given = recorded(monkeypatch)
    made, _ = stage.render(request)
    said = _said(made)
    assert said["cache"] == cache
    assert (
        said["cache_settings"].items()
        >= {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}.items()
    )
    assert _skipped(said) > 0
    got = eight_bits(given)
    assert got.std() > 0
    np.testing.assert_array_equal(got, _direct(stage, models, name, request, config))


def test_cosmos_3_is_rendered_with_sea_cache(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded(monkeypatch)
    made, _ = stage.render(_cached(ask, "cosmos-3", "sea", threshold=0.9))
    assert made.request is not None
    assert _skipped(_said(made)) > 0
    pipe = diffusers.Cosmos3OmniPipeline.from_pretrained(models("cosmos-3"))
    pipe.set_progress_bar_config(disable=True)
    pipe.transformer.enable_cache(diffusers.SeaCacheConfig(threshold=0.9))
    output = pipe(
        prompt=made.request.prompt,
        negative_prompt=made.request.negative_prompt or None,
        width=64,
        height=64,
        num_frames=9,
        fps=24,
        num_inference_steps=_STEPS,
        guidance_scale=made.request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
        enable_sound=True,
        enable_safety_check=False,
    )
    np.testing.assert_array_equal(np.concatenate(given), (output.video * 255).round())


def test_mag_cache_is_calibrated_once_and_skips_from_then_on(
    ask: Ask, stage: Stage, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = _cached(ask, "wan-2-2", "mag", **_MAG)
    given = recorded(monkeypatch)
    made, _ = stage.render(request)
    said = _said(made)
    assert any("calibrated" in note for note in said["notes"])
    assert not any(note.startswith("approximate") for note in said["notes"])
    whole = eight_bits(given)
    np.testing.assert_array_equal(whole, _direct(stage, models, "wan-2-2", request, None))

    stage.engine.unload()  # as another process would start: only the file is left
    given.clear()
    made, _ = stage.render(request)
    assert _skipped(_said(made)) > 0
    skipped = eight_bits(given)
    assert (skipped != whole).any()
    given.clear()
    stage.render(ask("wan-2-2", profile="exact", num_inference_steps=_STEPS))
    np.testing.assert_array_equal(eight_bits(given), whole, "a cache does not outlive its render")


def test_the_measured_ratios_are_those_that_diffusers_prints(
    ask: Ask, stage: Stage, models: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from workbench.engines.diffusers.kept_ratios import kept_ratios

    request = _cached(ask, "wan", "mag")
    stage.render(request)
    capsys.readouterr()
    config = diffusers.MagCacheConfig(num_inference_steps=_STEPS, calibrate=True)
    _direct(stage, models, "wan", request, lambda: config)
    printed = [one for one in capsys.readouterr().out.splitlines() if one.startswith("[1.0")]
    kept = kept_ratios(stage.engine.complete(request), "WanPipeline")
    assert kept is not None
    assert kept.steps == _STEPS
    assert list(kept.ratios) == ["transformer"]
    assert str(list(kept.ratios["transformer"])) == printed[0]
    assert kept.steps_of("transformer", 4) == 4
    other = stage.engine.complete(_cached(ask, "wan", "mag")).model_copy(
        update={"options": {**request.options, "flow_shift": 9.0}}
    )
    assert kept_ratios(other, "WanPipeline") is None, "another schedule is measured for itself"


@pytest.mark.parametrize("name", ["cogvideox", "hunyuan-video", "mochi", "wan"])
def test_the_pyramid_cache_is_for_models_that_guide_in_one_pass(
    name: str, ask: Ask, stage: Stage
) -> None:
    passes = []
    stage.render(ask(name))
    assert stage.engine._model is not None
    part = stage.engine._model.pipe.transformer
    handle = part.register_forward_hook(lambda *_: passes.append(1))
    stage.render(ask(name))
    handle.remove()
    assert ("pyramid" in stage.engine._model.family.cache) == (len(passes) == 2), "of two steps"


@pytest.mark.parametrize("cache", ["first-block", "mag", "taylorseer"])
def test_a_pipeline_that_names_no_pass_gives_up_its_cache_and_nothing_else(
    cache: str, ask: Ask, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VideoWriter(tmp_path / "v.mp4", 64, 64, 24) as writer:
        writer.write(np.random.default_rng(1).integers(0, 255, (9, 64, 64, 3), np.uint8))
    given = recorded(monkeypatch)
    video = {"video": str(tmp_path / "v.mp4"), "strength": 0.9}  # Wan's class for videos
    asked: dict[str, Any] = {"profile": "exact", "num_inference_steps": 4}
    stage.render(ask("wan", **asked, options=video))
    plain = eight_bits(given)
    for _ in range(2):
        given.clear()
        made, _ = stage.render(ask("wan", **asked, options={**video, "cache": cache}))
        said = _said(made)
        assert said["cache"] == "none"
        assert any(note.startswith(f"gave up the {cache} cache: ") for note in said["notes"])
        np.testing.assert_array_equal(eight_bits(given), plain)
    assert stage.engine._model is not None
    assert stage.engine._model.acceleration.refused == ""
    made, _ = stage.render(ask("wan", **asked, options={"cache": cache}))
    assert _said(made)["cache"] == cache, "from text Wan names its passes"


@pytest.mark.parametrize(
    ("name", "options", "field", "told"),
    [
        ("latte", {"cache": "mag"}, "options.cache", "it takes none"),
        ("ltx", {"cache": "sea"}, "options.cache", "it takes first-block, mag, taylorseer"),
        ("wan", {"cache": "pyramid"}, "options.cache", "it takes first-block, mag"),
        ("wan", {"cache": "tea"}, "options.cache", "Input should be"),
        ("wan", {"cache": "mag", "cache_settings": {"order": 1}},
         "options.cache_settings.order", "it has threshold, max_skip_steps"),
        ("wan", {"cache": "taylorseer", "cache_settings": {"cache_interval": 1}},
         "options.cache_settings.cache_interval", "greater than or equal to 2"),
        ("wan", {"cache_settings": {"max_order": 1}}, "options.cache_settings", "Name the cache"),
    ],
)  # fmt: skip
def test_a_cache_that_cannot_be_used_is_refused_before_loading(
    name: str, options: dict[str, Any], field: str, told: str, ask: Ask, stage: Stage
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        stage.engine.complete(ask(name, options=options))
    assert any(one.field.startswith(field) and told in one.problem for one in caught.value.problems)
    assert stage.engine._model is None


def test_the_reference_profile_uses_no_cache_and_says_so(ask: Ask, stage: Stage) -> None:
    made, _ = stage.render(ask("wan", options={"cache": "taylorseer"}))
    said = _said(made)
    assert said["cache"] == "none"
    assert "no step cache is used on the plain path: taylorseer was asked for" in said["notes"]
