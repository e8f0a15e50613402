"""Replaced and quantised components render correctly."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("gguf")

import diffusers
import torch
from safetensors.torch import load_file, save_file

from tests.engines.diffusers.conftest import Ask, Stage
from tests.engines.diffusers.tiny_wan import tiny_wan
from tests.engines.diffusers.tiny_weights import keep_only_config, save_lora, save_single_file
from tests.models_on_disk import in_hub_cache
from workbench.engines.diffusers import own_weights
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.engine import Rendered
from workbench.errors import EngineUnavailable

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny Wan whose rows are multiples of 32, the GGUF block size."""
    torch.manual_seed(0)
    pipe = tiny_wan()
    shape = dict(pipe.transformer.config) | {"attention_head_dim": 32, "ffn_dim": 64}
    pipe.register_modules(transformer=diffusers.WanTransformer3DModel.from_config(shape))
    folder = tmp_path_factory.mktemp("wide") / "wan"
    pipe.save_pretrained(folder)
    return folder


@pytest.fixture
def bare(wide: Path, tmp_path: Path) -> Path:
    """Return a copy of that model without its transformer's weights."""
    folder = tmp_path / "bare"
    shutil.copytree(wide, folder)
    for weights in (folder / "transformer").glob("*.safetensors"):
        weights.unlink()
    return folder


def _psnr(one: Any, other: Any) -> float:
    error = float(((one.astype(float) - other.astype(float)) ** 2).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def _said(made: Rendered) -> dict[str, Any]:
    assert made.request is not None
    said: dict[str, Any] = made.request.options[AS_RENDERED]
    return said


def test_a_single_file_under_its_authors_names_gives_the_model_s_own_frames(
    ask: Ask, stage: Stage, wide: Path, bare: Path, frames: Callable[[], Any], tmp_path: Path
) -> None:
    stage.render(ask("wan", model=str(wide)))
    wanted = frames()
    file = save_single_file(tmp_path / "wan.safetensors", wide)
    made, _ = stage.render(ask("wan", model=str(bare), transformer=str(file)))
    np.testing.assert_array_equal(frames(), wanted)
    assert [one["file"] for one in _said(made)["weights"] if one["role"] == "transformer"] == [
        "wan.safetensors"
    ]


@pytest.mark.parametrize("part", ["transformer_2", "vae"])
def test_a_second_transformer_and_a_vae_in_single_files_give_the_model_s_own_frames(
    part: str,
    ask: Ask,
    stage: Stage,
    models: Callable[[str], Path],
    frames: Callable[[], Any],
    tmp_path: Path,
) -> None:
    own = models("wan-2-2")
    options = {"flow_shift": 1.0}  # so that half of the steps are the second transformer's
    stage.render(ask("wan-2-2", options=options))
    wanted = frames()
    bare = tmp_path / "bare"
    shutil.copytree(own, bare)
    keep_only_config(bare / part)
    file = tmp_path / f"{part}.safetensors"
    if part == "vae":
        shutil.copy(next((own / "vae").glob("*.safetensors")), file)
    else:
        save_single_file(file, own, part=part)
    made, _ = stage.render(ask("wan-2-2", model=str(bare), options=options, **{part: str(file)}))
    np.testing.assert_array_equal(frames(), wanted)
    used = [one["file"] for one in _said(made)["weights"] if one["role"] == part]
    assert used == [file.name]
    state = {name: value * 1.5 for name, value in load_file(file).items()}
    save_file(state, tmp_path / "other.safetensors")
    other = str(tmp_path / "other.safetensors")
    stage.render(ask("wan-2-2", model=str(bare), options=options, **{part: other}))
    assert (frames() != wanted).any(), "the file that is named is the one that is used"


def test_a_gguf_file_in_8_bits_is_close_to_the_full_model_and_needs_no_other_weights(
    ask: Ask, stage: Stage, wide: Path, bare: Path, frames: Callable[[], Any], tmp_path: Path
) -> None:
    stage.render(ask("wan", model=str(wide)))
    wanted = frames()
    file = save_single_file(tmp_path / "wan-Q8_0.gguf", wide, q8=True)
    stage.render(ask("wan", model=str(bare), transformer=str(file)))
    given = frames()
    assert (given != wanted).any()
    assert _psnr(given, wanted) > 30
    assert stage.engine._model is not None
    kinds = {type(one).__name__ for one in stage.engine._model.pipe.transformer.modules()}
    assert "GGUFLinear" in kinds


def test_a_lora_is_applied_to_a_gguf_transformer_and_removed(
    ask: Ask, stage: Stage, wide: Path, bare: Path, frames: Callable[[], Any], tmp_path: Path
) -> None:
    kind = diffusers.WanTransformer3DModel
    lora = save_lora(
        tmp_path / "l.safetensors", kind.from_pretrained(wide, subfolder="transformer")
    )
    file = save_single_file(tmp_path / "wan-Q8_0.gguf", wide, q8=True)
    request = ask("wan", model=str(bare), transformer=str(file))
    stage.render(request)
    without = frames()
    dressed = request.model_copy(update={"loras": ask("wan", loras=[{"path": str(lora)}]).loras})
    stage.render(dressed)
    packed = frames()
    assert "loading" not in stage.stages
    stage.render(request)
    np.testing.assert_array_equal(frames(), without)
    stage.render(ask("wan", model=str(wide), loras=[{"path": str(lora)}]))
    assert _psnr(packed, frames()) > 30


def test_files_in_the_hub_cache_render_as_the_files_that_they_link_to(
    ask: Ask, stage: Stage, wide: Path, bare: Path, frames: Callable[[], Any], tmp_path: Path
) -> None:
    kind = diffusers.WanTransformer3DModel
    (encoder,) = (wide / "text_encoder").glob("*.safetensors")
    files = {
        "transformer": save_single_file(tmp_path / "wan-Q8_0.gguf", wide, q8=True),
        "text_encoder": Path(shutil.copy(encoder, tmp_path / "umt5.safetensors")),
        "lora": save_lora(
            tmp_path / "l.safetensors", kind.from_pretrained(wide, subfolder="transformer")
        ),
    }

    def render(found: dict[str, Path]) -> set[tuple[str, str]]:
        parts = {name: str(path) for name, path in found.items() if name != "lora"}
        asked = ask("wan", model=str(bare), loras=[{"path": str(found["lora"])}], **parts)
        made, _ = stage.render(asked)
        return {(one["role"], one["file"]) for one in _said(made)["weights"]}

    named = render(files)
    assert {("transformer", "wan-Q8_0.gguf"), ("text_encoder", "umt5.safetensors")} <= named
    wanted = frames()
    cache = tmp_path / "hub" / "models--a--b"
    assert render({name: in_hub_cache(cache, path) for name, path in files.items()}) == named
    np.testing.assert_array_equal(frames(), wanted)


@pytest.mark.parametrize("how", ["fp8", "int8"])
def test_a_quantised_model_is_close_to_the_full_one_and_smaller(
    how: str, ask: Ask, stage: Stage, wide: Path, frames: Callable[[], Any]
) -> None:
    if how == "int8":
        pytest.importorskip("torchao")
    options = {"dtype": "bfloat16"}
    stage.render(ask("wan", model=str(wide), options=options))
    wanted = frames()
    assert stage.engine._model is not None
    full = stage.engine._model.sizes
    stage.render(ask("wan", model=str(wide), options=options, quantize=how))
    assert "loading" in stage.stages, "a warm model in 16 bits does not serve it"
    given = frames()
    assert (given != wanted).any()
    assert _psnr(given, wanted) > 25
    sizes = stage.engine._model.sizes
    assert sizes["transformer"] < 0.6 * full["transformer"]
    assert sizes["text_encoder"] == full["text_encoder"]


@pytest.mark.parametrize("how", ["fp8", "int8"])
def test_a_lora_is_applied_to_a_quantised_model(
    how: str, ask: Ask, stage: Stage, wide: Path, frames: Callable[[], Any], tmp_path: Path
) -> None:
    if how == "int8":
        pytest.importorskip("torchao")
    kind = diffusers.WanTransformer3DModel
    lora = save_lora(
        tmp_path / "l.safetensors", kind.from_pretrained(wide, subfolder="transformer")
    )
    given = {"model": str(wide), "options": {"dtype": "bfloat16"}}
    dressed = [{"path": str(lora)}]
    stage.render(ask("wan", **given, loras=dressed))
    wanted = frames()
    stage.render(ask("wan", **given, quantize=how))
    bare = frames()
    stage.render(ask("wan", **given, quantize=how, loras=dressed))
    laid = frames()
    assert _psnr(laid, wanted) > _psnr(bare, wanted) + 3
    stage.render(ask("wan", **given, quantize=how))
    np.testing.assert_array_equal(frames(), bare)


def test_nf4_of_a_denoiser_is_refused_without_a_gpu(
    ask: Ask, stage: Stage, wide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_weights, "find_spec", lambda _: True)
    with pytest.raises(EngineUnavailable, match="only on a GPU: use int8 or fp8"):
        stage.render(ask("wan", model=str(wide), quantize="nf4"))


def test_a_text_encoder_can_be_quantised_alone(
    ask: Ask, stage: Stage, wide: Path, frames: Callable[[], Any]
) -> None:
    options = {"dtype": "bfloat16"}
    stage.render(ask("wan", model=str(wide), options=options))
    wanted = frames()
    stage.render(ask("wan", model=str(wide), options=options, quantize={"text_encoder": "fp8"}))
    given = frames()
    assert stage.engine._model is not None
    pipe = stage.engine._model.pipe
    eight = torch.float8_e4m3fn
    assert any(one.dtype == eight for one in pipe.text_encoder.parameters())
    assert not any(one.dtype == eight for one in pipe.transformer.parameters())
    assert _psnr(given, wanted) > 25


def test_a_replaced_text_encoder_and_vae_serve_only_the_requests_that_name_them(
    ask: Ask, stage: Stage, wide: Path, frames: Callable[[], Any], tmp_path: Path
) -> None:
    torch.manual_seed(9)
    other = tiny_wan()
    other.text_encoder.save_pretrained(tmp_path / "text")
    other.vae.save_pretrained(tmp_path / "vae")
    stage.render(ask("wan", model=str(wide)))
    wanted = frames()
    for name, folder in (("text_encoder", "text"), ("vae", "vae")):
        stage.render(ask("wan", model=str(wide), **{name: str(tmp_path / folder)}))
        assert (frames() != wanted).any(), name
    stage.render(ask("wan", model=str(wide)))
    np.testing.assert_array_equal(frames(), wanted)


def test_a_file_that_lacks_weights_is_refused_before_rendering(
    ask: Ask, stage: Stage, wide: Path, tmp_path: Path
) -> None:
    file = save_single_file(tmp_path / "wan.safetensors", wide)
    state = load_file(file)
    del state["blocks.0.self_attn.q.weight"]
    save_file(state, file)
    with pytest.raises(EngineUnavailable, match="lacks weights that the transformer"):
        stage.render(ask("wan", model=str(wide), transformer=str(file)))


def test_a_folder_with_only_fp16_files_loads(
    ask: Ask, stage: Stage, wide: Path, tmp_path: Path
) -> None:
    pipe = diffusers.WanPipeline.from_pretrained(wide, dtype=torch.float16)
    pipe.save_pretrained(tmp_path / "half", variant="fp16")
    assert not (tmp_path / "half" / "vae" / "diffusion_pytorch_model.safetensors").exists()
    made, _ = stage.render(ask("wan", model=str(tmp_path / "half")))
    assert made.num_frames == 9


def test_a_digest_is_computed_once_where_it_cannot_be_kept_on_disk(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from workbench.engines.diffusers import digests

    (tmp_path / "cache").write_bytes(b"a file, not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"one")
    computed = digests.ComputedDigests([file, tmp_path / "gone.safetensors"])
    computed.wait()
    reads = digests._read.cache_info().misses
    assert digests.digest(file) == hashlib.sha256(b"one").hexdigest()
    assert digests._read.cache_info().misses == reads


def test_entries_of_files_that_are_gone_are_dropped_when_there_are_many(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from workbench.engines.diffusers import digests

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "_MOST_KEPT", 2)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
        digests.digest(tmp_path / name)
        if name != "c":
            (tmp_path / name).unlink()
    kept = json.loads((tmp_path / "cache/world-model-workbench/digests.json").read_text())
    assert list(kept) == [str(tmp_path / "c")]


def test_digests_are_cached_by_size_and_modification_time(tmp_path: Path, monkeypatch: Any) -> None:
    from workbench.engines.diffusers.digests import digest, known_digest

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"one")
    assert known_digest(file) == ""
    first = digest(file)
    assert known_digest(file) == first
    file.write_bytes(b"other")
    assert known_digest(file) == ""
    assert digest(file) != first
    blob = tmp_path / "blobs" / ("ab" * 32)
    blob.parent.mkdir()
    blob.write_bytes(b"never read")
    (tmp_path / "link").symlink_to(blob)
    assert digest(tmp_path / "link") == "ab" * 32
    kept = json.loads((tmp_path / "cache/world-model-workbench/digests.json").read_text())
    assert len(kept) == 1
