"""LoRAs of every layout are applied correctly or refused, and removed without a trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
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

from tests.engines.diffusers.conftest import Ask, Stage
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.diffusers.tiny_weights import save_lora
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.engine import Rendered, RenderTask
from workbench.errors import InvalidRequest, RenderError
from workbench.rendering import Recipe

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
    with pytest.raises(InvalidRequest, match="matches no layer of WanTransformer3DModel") as caught:
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
        "1 of 13 layers of more.safetensors match nothing in transformer: blocks.77"
    )


def _with_differences(path: Path, target: Path, *, up: float) -> dict[str, Any]:
    """Add lightx2v's differences to a LoRA in Comfy's layout; scale what its factors add by ``up``."""
    state = load_file(path)
    chance = torch.Generator().manual_seed(3)
    for key, value in list(state.items()):
        if key.endswith(".lora_up.weight"):
            state[key] = value * up
            name = key.removesuffix(".lora_up.weight")
            state[f"{name}.diff_b"] = torch.randn(len(value), generator=chance)
    block = "diffusion_model.blocks.0"
    state[f"{block}.self_attn.norm_q.diff"] = torch.ones(24)
    state[f"{block}.norm3.diff_b"] = torch.ones(24)
    state[f"{block}.norm3.diff"] = torch.zeros(24)
    save_file(state, target)
    return state


def test_differences_of_biases_are_applied_and_those_of_norms_are_named(
    ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any], models: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    plain, path = Path(lora(layout="comfy")), tmp_path / "lightx2v.safetensors"
    _with_differences(plain, path, up=1)
    stage.render(ask("wan", loras=[{"path": str(plain)}], options={"preset": "none"}))
    factors = frames()
    made, _ = stage.render(ask("wan", loras=[{"path": str(path)}], options={"preset": "none"}))
    given = frames()
    assert (given != factors).any()
    (note,) = _said(made)["notes"]
    assert note == (
        "2 differences of norms and other weights in lightx2v.safetensors are left out, because "
        "diffusers does not apply them: diffusion_model.blocks.0.norm3.diff_b, "
        "diffusion_model.blocks.0.self_attn.norm_q.diff"
    )
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    pipe.load_lora_weights(load_file(path))
    assert made.request is not None
    assert_same([given], direct(pipe, made.request))


def test_a_difference_of_a_bias_is_added_to_the_layers_own(
    ask: Ask, stage: Stage, lora: Callable[..., str], frames: Callable[[], Any], models: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    path = tmp_path / "bias.safetensors"
    state = _with_differences(Path(lora(layout="comfy")), path, up=0)
    made, _ = stage.render(ask("wan", loras=[{"path": str(path), "weight": 0.5}]))
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    theirs = {"self_attn.q": "attn1.to_q", "self_attn.v": "attn1.to_v", "self_attn.o": "attn1.to_out.0",
              "cross_attn.k": "attn2.to_k", "ffn.0": "ffn.net.0.proj", "ffn.2": "ffn.net.2"}  # fmt: skip
    for key, value in state.items():
        _, _, number, layer = key.removesuffix(".diff_b").split(".", 3)
        if key.endswith(".diff_b") and layer in theirs:
            module = pipe.transformer.get_submodule(f"blocks.{number}.{theirs[layer]}")
            module.bias.data += 0.5 * value
    assert made.request is not None
    wanted = direct(pipe, made.request).round()
    assert np.abs(frames().astype(int) - wanted).max() <= 1, "they differ by rounding alone"


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


def test_a_file_deleted_while_its_job_waited_is_named(
    ask: Ask, stage: Stage, lora: Callable[..., str]
) -> None:
    path = lora("ink.safetensors")
    request = stage.engine.complete(ask("wan", loras=[{"path": path}]))
    stage.render(ask("wan"))
    Path(path).unlink()
    recipe = Recipe(job_id="job", created_at=datetime.now(UTC), request=request)
    task = RenderTask(recipe, stage.folder, stage.report, lambda: False)
    with pytest.raises(RenderError, match=r"A file is missing that was there .*ink\.safetensors"):
        stage.engine.render(task)
