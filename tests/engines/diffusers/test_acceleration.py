"""Faster paths are checked before use, undone when they fail, and recorded."""

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
from diffusers.models import attention_dispatch

from tests.engines.diffusers.conftest import Ask, Stage
from workbench.engines.diffusers import attention
from workbench.engines.diffusers.acceleration import Acceleration
from workbench.engines.diffusers.attention import best_attention
from workbench.engines.diffusers.families import families
from workbench.engines.diffusers.options import AS_RENDERED, Options
from workbench.engines.probe import decode_video
from workbench.errors import RenderError

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_OTHER = {"attention": "_native_math"}


def _frames(folder: Path) -> Any:
    return np.stack(list(decode_video(folder / "video.mp4")))


def _pipe(stage: Stage) -> Any:
    assert stage.engine._model is not None
    return stage.engine._model.pipe


def _acceleration(stage: Stage) -> Acceleration:
    assert stage.engine._model is not None
    return stage.engine._model.acceleration


def test_a_faster_attention_is_checked_against_the_plain_one(ask: Ask, stage: Stage) -> None:
    _, plain = stage.render(ask("wan"))
    options = {"attention": "_native_math"}
    made, folder = stage.render(ask("wan", profile="exact", options=options))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["attention"] == "_native_math"
    assert 0 <= said["checked"]["64×64×9"] < 1e-4
    assert np.abs(_frames(folder).astype(int) - _frames(plain)).mean() < 1
    made, _ = stage.render(ask("wan"))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["attention"] == "native", "reference is plain again"


def test_a_faster_path_with_different_results_is_undone_and_recorded(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain = stage.render(ask("wan"))
    block = type(_pipe(stage).transformer.blocks[0])

    def wrong(transformer: Any, **_: Any) -> None:
        for one in transformer.blocks:
            one._compiled_call_impl = lambda states, *_a, **_k: states * 3

    monkeypatch.setattr(type(_pipe(stage).transformer), "compile_repeated_blocks", wrong)
    made, folder = stage.render(ask("wan", profile="exact", options={"compile": True}))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert not said["compiled"]
    assert "fell back to the plain path" in said["notes"][0]
    assert (_frames(folder) == _frames(plain)).all()
    assert all(
        one._compiled_call_impl is None
        for one in _pipe(stage).transformer.modules()
        if isinstance(one, block)
    )


def test_a_compiled_path_that_fails_falls_back_and_records_it(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.render(ask("wan"))

    def failing(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no compiler here")

    def broken(transformer: Any, **_: Any) -> None:
        for one in transformer.blocks:
            one._compiled_call_impl = failing

    monkeypatch.setattr(type(_pipe(stage).transformer), "compile_repeated_blocks", broken)
    made, _ = stage.render(ask("wan", profile="exact", options={"compile": True}))
    assert made.request is not None
    notes = made.request.options[AS_RENDERED]["notes"]
    assert notes == ["fell back to the plain path: no compiler here"]


def test_an_attention_a_model_cannot_use_is_dropped_and_the_rest_of_the_profile_stays(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain = stage.render(ask("wan"))

    def masked(*_: Any, **__: Any) -> Any:
        raise ValueError("`attn_mask` is not supported here.")

    backends = attention_dispatch._AttentionBackendRegistry._backends
    name = attention_dispatch.AttentionBackendName._NATIVE_MATH
    monkeypatch.setitem(backends, name, masked)
    monkeypatch.setattr(
        type(_pipe(stage).transformer), "compile_repeated_blocks", lambda *_, **__: None
    )
    options = {"compile": True, "attention": "_native_math"}
    made, folder = stage.render(ask("wan", profile="exact", options=options))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert (said["attention"], said["compiled"]) == ("native", True)
    reason = "gave up the attention _native_math: `attn_mask` is not supported here."
    assert said["notes"] == [reason]
    assert (_frames(folder) == _frames(plain)).all()


def test_both_transformers_of_a_two_stage_model_are_accelerated_and_restored(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Any] = []

    def compiling(transformer: Any, **_: Any) -> None:
        compiled.append(transformer)
        transformer.blocks[0]._compiled_call_impl = transformer.blocks[0]._call_impl

    kind = diffusers.WanTransformer3DModel
    monkeypatch.setattr(kind, "compile_repeated_blocks", compiling)
    options = {"compile": True, "attention": "_native_math"}
    stage.render(ask("wan-2-2", profile="exact", options=options))
    both = [_pipe(stage).transformer, _pipe(stage).transformer_2]
    assert compiled == both

    def backends() -> set[Any]:
        return {one.attn1.processor._attention_backend for t in both for one in t.blocks}

    assert [str(name.value) for name in backends()] == ["_native_math"]
    stage.render(ask("wan-2-2"))
    assert all(one._compiled_call_impl is None for t in both for one in t.blocks)
    assert len(backends()) == 1
    assert backends() != {attention_dispatch.AttentionBackendName._NATIVE_MATH}


def test_the_fast_profile_records_that_it_approximates_and_the_plain_time(
    ask: Ask, stage: Stage
) -> None:
    options = {"cache_threshold": 1.0}
    made, _ = stage.render(ask("wan", profile="fast", num_inference_steps=6, options=options))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["cache"] == "first-block"
    (note,) = said["notes"]
    assert note.startswith("approximate: the first-block cache computed ")
    computed, calls = _two(note)
    assert 0 < computed < calls == 12
    assert "plain steps would take as long" in note
    made, _ = stage.render(ask("wan", num_inference_steps=6))
    assert made.request is not None
    assert made.request.options[AS_RENDERED]["cache"] == "none"


def _two(note: str) -> tuple[int, int]:
    numbers = [int(word) for word in note.replace(";", " ").split() if word.isdigit()]
    return numbers[0], numbers[1]


def test_a_pipelines_own_error_leaves_the_warm_model_accelerated(ask: Ask, stage: Stage) -> None:
    request = ask("wan", profile="exact", options=_OTHER)
    stage.render(request)

    def refuse(*_: Any) -> None:
        raise ValueError("the prompt cannot be read")

    handle = _pipe(stage).text_encoder.register_forward_pre_hook(refuse)
    with pytest.raises(RenderError, match="the prompt cannot be read"):
        stage.render(ask("wan", profile="exact", prompt="the red sky", options=_OTHER))
    handle.remove()
    assert not _acceleration(stage).refused
    made, _ = stage.render(request)
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert (said["attention"], said["notes"]) == ("_native_math", [])


def test_later_recipes_record_that_the_faster_path_was_dropped(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.render(ask("wan"))

    def broken(transformer: Any, **_: Any) -> None:
        def failing(*_: Any, **__: Any) -> Any:
            raise RuntimeError("no compiler here")

        transformer.blocks[0]._compiled_call_impl = failing

    monkeypatch.setattr(type(_pipe(stage).transformer), "compile_repeated_blocks", broken)
    request = ask("wan", profile="exact", options={"compile": True})
    first, _ = stage.render(request)
    second, _ = stage.render(request)
    plain, _ = stage.render(ask("wan"))
    for made in (first, second):
        assert made.request is not None
        notes = made.request.options[AS_RENDERED]["notes"]
        assert notes == ["fell back to the plain path: no compiler here"]
    assert plain.request is not None
    assert plain.request.options[AS_RENDERED]["notes"] == [], "reference asked for no faster path"


def test_both_transformers_are_checked_in_their_first_forward(ask: Ask, stage: Stage) -> None:
    request = ask("wan-2-2", profile="exact", num_inference_steps=4, options=_OTHER)
    made, _ = stage.render(request)
    assert made.request is not None
    checked = made.request.options[AS_RENDERED]["checked"]
    assert set(checked) == {"64×64×9", "64×64×9 transformer_2"}
    assert all(0 <= error < 1e-4 for error in checked.values())


def test_a_second_transformer_with_different_results_is_detected(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain = stage.render(ask("wan-2-2", num_inference_steps=4))
    second = _pipe(stage).transformer_2

    def wrong(transformer: Any, **_: Any) -> None:
        block = transformer.blocks[0]
        block._compiled_call_impl = (
            (lambda states, *_a, **_k: states * 3) if transformer is second else block._call_impl
        )

    monkeypatch.setattr(type(second), "compile_repeated_blocks", wrong)
    request = ask("wan-2-2", profile="exact", num_inference_steps=4, options={"compile": True})
    made, folder = stage.render(request)
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert not said["compiled"]
    assert "off by" in said["notes"][0]
    assert (_frames(folder) == _frames(plain)).all()


def test_a_changed_attention_is_checked_again_at_a_size_already_checked(
    ask: Ask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.render(ask("wan", profile="exact", options=_OTHER))
    _, plain = stage.render(ask("wan"))
    registry = attention_dispatch._AttentionBackendRegistry._backends
    name = attention_dispatch.AttentionBackendName._NATIVE_EFFICIENT

    def wrong(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> Any:
        return torch.zeros_like(query)

    monkeypatch.setitem(registry, name, wrong)
    options = {"attention": name.value}
    made, folder = stage.render(ask("wan", profile="exact", options=options))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert said["attention"] == "native"
    assert "gave up the attention" in said["notes"][0]
    assert (_frames(folder) == _frames(plain)).all()


def test_auto_takes_the_next_best_attention_when_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_ranked", lambda: ("_flash_3", "_native_cudnn", "native"))
    assert best_attention() == "_flash_3"
    assert best_attention({"_flash_3": "no mask"}) == "_native_cudnn"
    assert best_attention({"_flash_3": "", "_native_cudnn": "", "native": ""}) == "native"


@pytest.mark.parametrize(
    ("name", "memory"), [("wan", "full"), ("wan", "group_offload"), ("sana-video", "full")]
)
def test_the_error_of_a_vae_in_lower_precision_is_recorded_in_the_recipe(
    name: str, memory: str, ask: Ask, stage: Stage
) -> None:
    """The dtype is requested here as the exact profile chooses it on a GPU."""
    options = {"dtype": "bfloat16", "memory": memory}
    made, _ = stage.render(ask(name, profile="exact", options=options))
    assert made.request is not None
    said = made.request.options[AS_RENDERED]
    assert set(said["vae_errors"]) == {"bfloat16"}
    assert 0 < said["vae_errors"]["bfloat16"] < 1
    assert not any("was not measured" in note for note in said["notes"])


def test_a_vae_that_decodes_no_trial_is_told_in_the_recipe(ask: Ask, stage: Stage) -> None:
    """Allegro decodes whole tiles only."""
    for _ in range(2):  # the second time without another trial
        made, _ = stage.render(ask("allegro", profile="exact", options={"dtype": "bfloat16"}))
        assert made.request is not None
        said = made.request.options[AS_RENDERED]
        assert said["vae_errors"] == {}
        told = "the error of the VAE in bfloat16 was not measured: AutoencoderKLAllegro decodes no"
        assert any(note.startswith(told) for note in said["notes"])


def test_a_vae_that_is_moved_for_each_decode_is_not_measured_and_the_recipe_says_so(
    models: Callable[[str], Path],
) -> None:
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"), dtype=torch.bfloat16)
    family = next(one for one in families() if one.name == "wan")
    acceleration = Acceleration()
    options = Options()
    acceleration.apply(pipe, "exact", options, family, "cpu", resident=False)
    told = "the error of the VAE in bfloat16 was not measured: it is moved to the device only"
    assert [note for note in acceleration.notes if note.startswith(told)]
    assert acceleration.vae_errors == {}
    acceleration.apply(pipe, "reference", options, family, "cpu", resident=False)
    assert acceleration.notes == []
