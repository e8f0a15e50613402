"""LoRAs of every layout are applied correctly or refused, and removed without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

import diffusers
import torch
from safetensors.torch import load_file, save_file

from tests.engines.diffusers.conftest import Ask, Stage, recorded
from tests.engines.diffusers.tiny_weights import save_lora
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.engine import Rendered
from workbench.errors import InvalidRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers|peft)"),
]

LAYOUTS = ("diffusers", "comfy", "kohya", "bare")


@pytest.fixture
def lora(models: Callable[[str], Path], tmp_path: Path) -> Callable[..., str]:
    """Return a function that saves a LoRA for the tiny Wan and gives its path."""
    folder = models("wan")
    transformer = diffusers.WanTransformer3DModel.from_pretrained(folder, subfolder="transformer")

    def save(name: str = "lora.safetensors", **how: Any) -> str:
        return str(save_lora(tmp_path / name, transformer, **how))

    return save


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Return a function that gives the frames of the last render."""
    given = recorded(monkeypatch)

    def taken() -> Any:
        whole = np.concatenate(given)
        given.clear()
        return whole

    return taken


def _said(made: Rendered) -> dict[str, Any]:
    assert made.request is not None
    said: dict[str, Any] = made.request.options[AS_RENDERED]
    return said


def test_every_lora_layout_gives_the_frames_of_diffusers_own_loading(
    ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any], models: Any
) -> None:
    made, _ = stage.render(ask("wan"))
    without = frames()
    assert made.request is not None
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    pipe.set_progress_bar_config(disable=True)
    pipe.load_lora_weights(load_file(lora("direct.safetensors")))
    request = made.request
    wanted = pipe(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=2,
        guidance_scale=5.0,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="pil",
    ).frames[0]
    expected = np.stack([np.asarray(one) for one in wanted])
    assert (expected != without).any()
    for layout in LAYOUTS:
        path = lora(f"{layout}.safetensors", layout=layout)
        made, _ = stage.render(ask("wan", loras=[{"path": path}]))
        np.testing.assert_array_equal(frames(), expected, err_msg=layout)
        assert "loading" not in stage.stages, "a warm model takes a LoRA without loading anew"
        assert _said(made)["notes"] == []


def test_a_lora_at_weight_0_or_removed_changes_no_bit(
    ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any]
) -> None:
    path = lora()
    stage.render(ask("wan"))
    without = frames()
    assert stage.engine._model is not None
    transformer = stage.engine._model.pipe.transformer
    before = {name: value.clone() for name, value in transformer.state_dict().items()}
    stage.render(ask("wan", loras=[{"path": path, "weight": 0}]))
    np.testing.assert_array_equal(frames(), without)
    stage.render(ask("wan", loras=[{"path": path}]))
    full = frames()
    stage.render(ask("wan", loras=[{"path": path, "weight": 0.5}]))
    half = frames()
    assert (full != without).any()
    assert (half != full).any()
    stage.render(ask("wan"))
    np.testing.assert_array_equal(frames(), without)
    after = transformer.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_two_loras_add_up_and_their_order_does_not_matter(
    ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any]
) -> None:
    one, other = lora("one.safetensors"), lora("other.safetensors", seed=2)
    stage.render(ask("wan", loras=[{"path": one}]))
    alone = frames()
    both = [{"path": one}, {"path": other, "weight": 0.5}]
    stage.render(ask("wan", loras=both))
    together = frames()
    stage.render(ask("wan", loras=both[::-1]))
    assert (together != alone).any()
    assert np.abs(frames().astype(int) - together).mean() < 1


def test_each_transformer_of_a_two_stage_model_takes_its_own_lora(
    ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any]
) -> None:
    path = lora()
    named = lora("a_low_noise_b.safetensors")
    videos = {}
    for stages in ("high", "low", None):
        given = [{"path": path, "stage": stages}]
        stage.render(ask("wan-2-2", num_inference_steps=4, loras=given))
        videos[stages] = frames()
        assert stage.engine._model is not None
        pipe = stage.engine._model.pipe
        have = [bool(getattr(one, "peft_config", None)) for one in (
            pipe.transformer, pipe.transformer_2)]  # fmt: skip
        assert have == [stages != "low", stages != "high"]
    stage.render(ask("wan-2-2", num_inference_steps=4, loras=[{"path": named}]))
    np.testing.assert_array_equal(frames(), videos["low"])
    assert (videos["high"] != videos["low"]).any()
    assert (videos[None] != videos["high"]).any()


def test_a_lora_for_another_model_is_refused_and_the_warm_model_stays_usable(
    ask: Ask, stage: Stage, frames: Callable[[], Any], tmp_path: Path
) -> None:
    stage.render(ask("wan"))
    without = frames()
    path = tmp_path / "other.safetensors"
    layer = "transformer.single_transformer_blocks.0.attn.to_q"
    save_file(
        {f"{layer}.lora_A.weight": torch.ones(4, 24), f"{layer}.lora_B.weight": torch.ones(24, 4)},
        path,
    )
    with pytest.raises(InvalidRequest, match="fits nothing in WanTransformer3DModel") as caught:
        stage.render(ask("wan", loras=[{"path": str(path)}]))
    assert caught.value.problems[0].field == "loras[0]"
    stage.render(ask("wan"))
    np.testing.assert_array_equal(frames(), without)


def test_a_lora_with_other_layer_sizes_is_refused(ask: Ask, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    layer = "transformer.blocks.0.attn1.to_q"
    save_file(
        {f"{layer}.lora_A.weight": torch.ones(4, 99), f"{layer}.lora_B.weight": torch.ones(99, 4)},
        path,
    )
    with pytest.raises(InvalidRequest, match="another size"):
        stage.render(ask("wan", loras=[{"path": str(path)}]))


def test_lora_layers_that_match_nothing_are_listed_in_the_recipe(
    ask: Ask, stage: Stage, lora: Callable[..., str], tmp_path: Path
) -> None:
    state = load_file(lora())
    layer = "transformer.blocks.77.attn1.to_q"
    state |= {
        f"{layer}.lora_A.weight": torch.ones(4, 24),
        f"{layer}.lora_B.weight": torch.ones(24, 4),
    }
    path = tmp_path / "more.safetensors"
    save_file(state, path)
    made, _ = stage.render(ask("wan", loras=[{"path": str(path)}]))
    (note,) = _said(made)["notes"]
    assert note.startswith(
        "1 of 13 layers of more.safetensors fit nothing in transformer: blocks.77"
    )


@pytest.mark.parametrize("memory", ["text_offload", "model_offload", "group_offload"])
def test_a_lora_gives_the_same_frames_on_offloaded_weights(
    memory: str, ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any]
) -> None:
    given = [{"path": lora()}]
    stage.render(ask("wan", loras=given))
    wanted = frames()
    stage.render(ask("wan", options={"memory": memory}))
    frames()
    stage.render(ask("wan", loras=given, options={"memory": memory}))
    np.testing.assert_array_equal(frames(), wanted)


def test_the_recipe_holds_the_digest_of_each_loras_file(
    ask: Ask, stage: Stage, lora: Callable[..., str], monkeypatch: Any, tmp_path: Path
) -> None:
    import hashlib

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = Path(lora())
    made, _ = stage.render(ask("wan", loras=[{"path": str(path)}]))
    (entry,) = (one for one in _said(made)["weights"] if one["role"] == "loras[0]")
    assert entry["file"] == path.name
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (tmp_path / "cache" / "world-model-workbench" / "digests.json").is_file()


def test_a_replaced_file_under_the_same_name_is_loaded_anew(
    ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any]
) -> None:
    given = [{"path": lora()}]
    stage.render(ask("wan", loras=given))
    first = frames()
    lora(seed=5)
    stage.render(ask("wan", loras=given))
    assert (frames() != first).any()
