"""Weight files are sized and checked by their headers, before anything is loaded."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from workbench.engines.diffusers.weight_files import Stored, stored, weight_files
from workbench.engines.diffusers.weights import Weights
from workbench.errors import DamagedFile

_SIZES = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "U8": 1}


def _write(path: Path, tensors: dict[str, tuple[str, list[int]]], *, cut: int = 0) -> Path:
    """Write a safetensors file of zeros by the published format, truncated by ``cut`` bytes."""
    head: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (dtype, shape) in tensors.items():
        size = _SIZES[dtype]
        for side in shape:
            size *= side
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(head).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = struct.pack("<Q", len(text)) + text + bytes(offset)
    path.write_bytes(whole[: len(whole) - cut])
    return path


def test_parameters_are_counted_and_sized_at_the_dtype_in_use(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.safetensors", {"a": ("F32", [10, 10]), "b": ("U8", [7])})
    found = stored(file)
    assert found == Stored(100, 7)
    assert found.bytes_at(16) == 207
    assert found.bytes_at(4.5) == 64


def test_float8_parameters_are_sized_at_the_dtype_they_load_as(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.safetensors", {"a": ("F8_E4M3", [100])})
    assert stored(file).bytes_at(16) == 200


@pytest.mark.parametrize("cut", [1, 60, 10_000])
def test_a_truncated_file_is_named(cut: int, tmp_path: Path) -> None:
    file = _write(tmp_path / "a.safetensors", {"a": ("F32", [100])}, cut=min(cut, 450))
    with pytest.raises(DamagedFile, match=r"a\.safetensors is damaged"):
        stored(file)


def test_a_file_that_is_not_safetensors_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1 and on")
    with pytest.raises(DamagedFile):
        stored(tmp_path / "a.safetensors")


def test_plain_weight_files_are_preferred_and_a_variant_is_used_when_alone(
    tmp_path: Path,
) -> None:
    name = "diffusion_pytorch_model"
    _write(tmp_path / f"{name}.fp16.safetensors", {"a": ("F16", [10])})
    assert weight_files(tmp_path).variant == "fp16"
    plain = _write(tmp_path / f"{name}.safetensors", {"a": ("F32", [10])})
    found = weight_files(tmp_path)
    assert (found.variant, found.files) == ("", (plain,))


def test_listed_shards_without_a_file_are_missing(tmp_path: Path) -> None:
    first = _write(tmp_path / "model-00001-of-00002.safetensors", {"a": ("F32", [10])})
    assert [file.name for file in weight_files(tmp_path).missing] == [
        "model-00002-of-00002.safetensors"
    ]
    listing = {"weight_map": {"a": first.name, "b": "other.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(listing))
    found = weight_files(tmp_path)
    assert found.files == (first,)
    assert [file.name for file in found.missing] == ["other.safetensors"]


def _pipeline(folder: Path) -> Weights:
    index = {
        "_class_name": "WanPipeline",
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "tokenizer": ["transformers", "T5TokenizerFast"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    folder.mkdir(exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps(index))
    return Weights(folder, "")


def test_a_complete_model_has_no_problems_and_is_sized_by_component(tmp_path: Path) -> None:
    weights = _pipeline(tmp_path / "m")
    _write(weights.folder / "vae" / "diffusion_pytorch_model.safetensors", {"a": ("F32", [5])})
    _write(weights.folder / "transformer" / "x.fp16.safetensors", {"a": ("F16", [9])})
    assert weights.problems("m") == []
    assert weights.stored() == {"transformer": Stored(9), "vae": Stored(5)}
    assert weights.variant == "fp16"


def test_a_partial_download_is_reported_with_the_command_that_completes_it(
    tmp_path: Path,
) -> None:
    weights = Weights(_pipeline(tmp_path / "m").folder, "abc")
    (weights.folder / "vae").mkdir()
    (weights.folder / "vae" / "x.safetensors").symlink_to(tmp_path / "blobs" / "gone")
    (problem,) = weights.problems("a/b")
    assert "transformer/ (no weights), vae/x.safetensors missing" in problem
    assert "`hf download a/b --revision abc`" in problem
    (problem,) = weights.problems("a/b", frozenset({"transformer"}))
    assert "transformer" not in problem


def test_a_damaged_file_is_listed_among_the_models_problems(tmp_path: Path) -> None:
    weights = _pipeline(tmp_path / "m")
    _write(weights.folder / "transformer" / "x.safetensors", {"a": ("F32", [9])})
    _write(weights.folder / "vae" / "x.safetensors", {"a": ("F32", [9])}, cut=4)
    (problem,) = weights.problems("m")
    assert "vae/x.safetensors is damaged" in problem
