"""Text encoders and scaled 8-bit weights from single files, each against a direct call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("gguf")

import diffusers
import gguf
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.engines.diffusers.conftest import Ask, Stage
from tests.engines.diffusers.direct import assert_same, direct
from tests.engines.diffusers.tiny_weights import keep_only_config, save_single_file
from workbench.engines.diffusers.scaled_weights import read_scaled
from workbench.engines.diffusers.text_encoder_files import load_text_encoder_file
from workbench.engines.diffusers.weight_files import numbers_in_gguf
from workbench.errors import EngineUnavailable

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

_WAN_T5: Final = (
    ("shared.", "token_embedding."),
    ("encoder.final_layer_norm.", "norm."),
    ("encoder.block.", "blocks."),
    (".layer.0.layer_norm.", ".norm1."),
    (".layer.0.SelfAttention.relative_attention_bias.", ".pos_embedding.embedding."),
    (".layer.0.SelfAttention.", ".attn."),
    (".layer.1.layer_norm.", ".norm2."),
    (".layer.1.DenseReluDense.wi_0.", ".ffn.gate.0."),
    (".layer.1.DenseReluDense.wi_1.", ".ffn.fc1."),
    (".layer.1.DenseReluDense.wo.", ".ffn.fc2."),
)
_GEMMA: Final = (("language_model.model.", "model."), ("vision_tower.", "vision_model."))


def _saved(folder: Path, name: str = "text_encoder") -> dict[str, Any]:
    (file,) = (folder / name).glob("*.safetensors")
    return dict(load_file(file))


def _with_names(state: Mapping[str, Any], names: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    renamed = {}
    for name, value in state.items():
        new = name
        for ours, theirs in names:
            new = new.replace(ours, theirs)
        renamed[new] = value.clone()
    return renamed


def _scaled(
    state: Mapping[str, Any], *, ending: str = "scale_weight", by_row: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tensors of a scaled file, and the weights that they stand for."""
    eight = torch.float8_e4m3fn
    packed: dict[str, Any] = {"scaled_fp8": torch.zeros(2, dtype=eight)}
    meant: dict[str, Any] = {}
    for name, value in state.items():
        if value.ndim != 2 or not name.endswith(".weight") or "norm" in name:
            packed[name] = meant[name] = value.clone()
            continue
        most = value.abs().amax(1, keepdim=True) if by_row else value.abs().max()
        scale = (most / 448).float()
        packed[name] = (value / scale).to(eight)
        packed[f"{name.removesuffix('weight')}{ending}"] = scale.flatten() if by_row else scale
        packed[f"{name.removesuffix('weight')}scale_input"] = torch.tensor(3.0)
        meant[name] = packed[name].float() * scale
    return packed, meant


def _write_gguf(path: Path, model: Any, architecture: str, title: str) -> Path:
    by_name = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(by_name[architecture], 8)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_name(title)
    writer.add_block_count(2)
    for name, value in model.state_dict().items():
        base, ending = name.rsplit(".", 1)
        if theirs := names.get_name(base):
            packed = value.float().numpy()
            if value.ndim == 2 and value.shape[-1] % 32 == 0:
                kind = gguf.GGMLQuantizationType.Q8_0
                writer.add_tensor(
                    f"{theirs}.{ending}", gguf.quants.quantize(packed, kind), raw_dtype=kind
                )
            else:
                writer.add_tensor(f"{theirs}.{ending}", packed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def bare(models: Callable[[str], Path], tmp_path: Path) -> Path:
    """Return a tiny Wan without the weights of its text encoder."""
    folder = tmp_path / "bare"
    diffusers.WanPipeline.from_pretrained(models("wan")).save_pretrained(folder)
    keep_only_config(folder / "text_encoder")
    return folder


@pytest.mark.parametrize("layout", ["comfy", "wan"])
def test_umt5_in_one_file_gives_the_model_s_own_frames(
    ask: Ask, stage: Stage, models: Callable[[str], Path], bare: Path, layout: str, tmp_path: Path,
    frames: Callable[[], Any],
) -> None:  # fmt: skip
    stage.render(ask("wan"))
    wanted = frames()
    state = _saved(models("wan"))
    if layout == "wan":
        state = _with_names(state, _WAN_T5)
    state["spiece_model"] = torch.zeros(8, dtype=torch.uint8)
    save_file(state, tmp_path / "umt5_xxl_fp16.safetensors")
    file = str(tmp_path / "umt5_xxl_fp16.safetensors")
    made, _ = stage.render(ask("wan", model=str(bare), text_encoder=file))
    np.testing.assert_array_equal(frames(), wanted)
    assert made.request is not None
    weights = made.request.options["as_rendered"]["weights"]
    assert [one["file"] for one in weights if one["role"] == "text_encoder"] == [Path(file).name]


def test_a_scaled_text_encoder_renders_as_the_product_of_weights_and_scales(
    ask: Ask, stage: Stage, models: Callable[[str], Path], bare: Path, tmp_path: Path,
    frames: Callable[[], Any],
) -> None:  # fmt: skip
    packed, meant = _scaled(_saved(models("wan")))
    save_file(packed, tmp_path / "umt5_xxl_fp8_e4m3fn_scaled.safetensors")
    file = str(tmp_path / "umt5_xxl_fp8_e4m3fn_scaled.safetensors")
    request = stage.engine.complete(ask("wan", model=str(bare), text_encoder=file))
    stage.render(request)
    given = [frames()]
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    pipe.text_encoder.load_state_dict(meant, strict=False)
    assert_same(given, direct(pipe, request))


@pytest.mark.parametrize(("ending", "by_row"), [("scale_weight", False), ("weight_scale", True)])
def test_a_scaled_transformer_renders_as_the_product_of_weights_and_scales(
    ask: Ask, stage: Stage, models: Callable[[str], Path], ending: str, by_row: bool,
    tmp_path: Path, frames: Callable[[], Any],
) -> None:  # fmt: skip
    plain = save_single_file(tmp_path / "plain.safetensors", models("wan"))
    packed, meant = _scaled(load_file(plain), ending=ending, by_row=by_row)
    file = tmp_path / "wan_fp8_e4m3fn_scaled.safetensors"
    save_file({f"model.diffusion_model.{name}": one for name, one in packed.items()}, file)
    save_file({name: one.contiguous() for name, one in meant.items()}, plain)
    request = stage.engine.complete(ask("wan", transformer=str(file)))
    stage.render(request)
    given = [frames()]
    kind = diffusers.WanTransformer3DModel
    transformer = kind.from_single_file(
        str(plain), config=str(models("wan")), subfolder="transformer"
    )
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"), transformer=transformer)
    assert_same(given, direct(pipe, request))


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("ltx", ()),
        ("animatediff", ()),
        ("hunyuan-video", (("", "model."),)),
        ("hunyuan-video-1-5", (("", "model."),)),
        ("cosmos-2-5", (("model.language_model.", "model."), ("model.visual.", "visual."))),
        ("ltx-2", _GEMMA),
    ],
    ids=["T5", "CLIP", "Llama", "Qwen2.5-VL text", "Qwen2.5-VL", "Gemma 3"],
)
def test_text_encoders_in_comfyui_s_layouts_equal_the_model_s_own(
    models: Callable[[str], Path], model: str, names: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    folder = models(model)
    index = diffusers.DiffusionPipeline.load_config(str(folder))
    kind = getattr(transformers, index["text_encoder"][1])
    state = _saved(folder)
    if names == (("", "model."),):
        state = {f"model.{name.removeprefix('model.')}": one for name, one in state.items()}
    elif names:
        state = _with_names(state, names)
    save_file(state, tmp_path / "encoder.safetensors")
    given = load_text_encoder_file(
        tmp_path / "encoder.safetensors", kind, folder / "text_encoder", torch.float32
    ).state_dict()
    wanted = kind.from_pretrained(folder / "text_encoder", dtype=torch.float32).state_dict()
    assert set(given) == set(wanted)
    assert all(torch.equal(given[name], one) for name, one in wanted.items())


def test_a_gemma_without_its_part_for_pictures_keeps_its_language_model(
    models: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = models("ltx-2")
    state = _with_names(_saved(folder), _GEMMA)
    text = {name: one for name, one in state.items() if name.startswith("model.")}
    save_file(text, tmp_path / "gemma.safetensors")
    kind = transformers.Gemma3ForConditionalGeneration
    given = load_text_encoder_file(
        tmp_path / "gemma.safetensors", kind, folder / "text_encoder", torch.float32
    )
    wanted = kind.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    tokens = torch.tensor([[4, 5, 6]])
    with torch.no_grad():
        one, other = (model(tokens).logits for model in (given, wanted))
    assert torch.equal(one, other)


def test_a_text_encoder_as_gguf_renders_as_by_a_direct_call(
    ask: Ask, stage: Stage, models: Callable[[str], Path], bare: Path, tmp_path: Path,
    frames: Callable[[], Any],
) -> None:  # fmt: skip
    pipe = diffusers.WanPipeline.from_pretrained(models("wan"))
    file = _write_gguf(
        tmp_path / "umt5-Q8_0.gguf", pipe.text_encoder, "t5encoder", "umt5-xxl-encoder"
    )
    request = stage.engine.complete(ask("wan", model=str(bare), text_encoder=str(file)))
    stage.render(request)
    given = [frames()]
    own = pipe.text_encoder.shared.weight.clone()
    pipe.text_encoder = transformers.UMT5EncoderModel.from_pretrained(
        tmp_path, gguf_file=file.name, config=pipe.text_encoder.config, dtype=torch.float32
    )
    assert not torch.equal(pipe.text_encoder.shared.weight, own), "8 bits round"
    assert_same(given, direct(pipe, request))
    whole = {one.data_ptr(): one.numel() for one in pipe.text_encoder.state_dict().values()}
    assert numbers_in_gguf(file) == sum(whole.values())


def test_a_gemma_as_gguf_becomes_the_language_model_of_the_encoder(
    models: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = models("ltx-2")
    kind = transformers.Gemma3ForConditionalGeneration
    wanted = kind.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    text = transformers.Gemma3ForCausalLM(wanted.config.text_config)
    text.model.load_state_dict(wanted.model.language_model.state_dict())
    file = tmp_path / "gemma-3.gguf"
    for module in text.modules():  # GGUF keeps Gemma's norms with 1 added
        if type(module).__name__ == "Gemma3RMSNorm":
            module.weight.data += 1
    _write_gguf(file, text, "gemma3", "gemma 3")
    direct_part = transformers.Gemma3ForCausalLM.from_pretrained(
        tmp_path, gguf_file=file.name, config=wanted.config.text_config, dtype=torch.float32
    )
    given = load_text_encoder_file(file, kind, folder / "text_encoder", torch.float32)
    one, other = (part.state_dict() for part in (given.model.language_model, direct_part.model))
    assert all(torch.equal(one[name], value) for name, value in other.items())


def test_a_text_encoder_that_lacks_weights_is_refused_before_rendering(
    ask: Ask, stage: Stage, models: Callable[[str], Path], bare: Path, tmp_path: Path
) -> None:
    state = _saved(models("wan"))
    file = tmp_path / "umt5.safetensors"
    del state["encoder.block.1.layer.0.SelfAttention.q.weight"]
    save_file(state, file)
    with pytest.raises(EngineUnavailable, match=r"it lacks 1 weights: encoder\.block\.1"):
        stage.render(ask("wan", model=str(bare), text_encoder=str(file)))
    save_file(_saved(models("ltx")), file)
    with pytest.raises(EngineUnavailable, match="cannot be loaded as text_encoder"):
        stage.render(ask("wan", model=str(bare), text_encoder=str(file)))


def test_a_scale_is_applied_in_32_bits_before_the_format_is_narrowed(tmp_path: Path) -> None:
    weight = torch.tensor([[448.0, 1.0]]).to(torch.float8_e4m3fn)
    scale = torch.tensor(1.00390625)
    save_file({"a.weight": weight, "a.scale_weight": scale}, tmp_path / "a.safetensors")
    read = read_scaled(tmp_path / "a.safetensors", torch.bfloat16)
    assert list(read) == ["a.weight"]
    wanted = (weight.float() * scale).to(torch.bfloat16)
    assert torch.equal(read["a.weight"], wanted)
