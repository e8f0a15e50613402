"""A request's own weights are found and checked before it is queued, without torch."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.models_on_disk import in_hub_cache
from workbench.engines.diffusers import DiffusersEngine, own_weights
from workbench.errors import InvalidRequest
from workbench.jobs.requirements import model_key
from workbench.rendering import RenderRequest
from workbench.settings import Settings


def _tensors(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in names}
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model folder of small JSON files and one-number weights."""
    folder = tmp_path / "model"
    index = {
        "_class_name": "WanPipeline",
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    for name in ("transformer", "text_encoder", "vae"):
        _tensors(folder / name / "model.safetensors", "a")
        (folder / name / "config.json").write_text("{}")
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _complete(model: Path, **given: Any) -> RenderRequest:
    request = RenderRequest(prompt="a dog", engine="diffusers", model=str(model), **given)
    return DiffusersEngine(Settings()).complete(request)


def _problems(model: Path, **given: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        _complete(model, **given)
    return {one.field: one.problem for one in caught.value.problems}


@pytest.fixture(autouse=True)
def _packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that every package is installed."""
    monkeypatch.setattr(own_weights, "find_spec", lambda _: object())


def test_a_lora_named_by_file_folder_or_hub_name_is_resolved_to_its_path(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    home = tmp_path / "hub" / "models--a--b"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("abc")
    file = _tensors(home / "snapshots" / "abc" / "l.safetensors", "x.lora_A.weight")
    for path in (file, file.parent, "a/b"):
        (lora,) = _complete(model, loras=[{"path": str(path), "weight": 0.5}]).loras
        assert (lora.path, lora.weight) == (str(file), 0.5)
    _tensors(file.with_name("m.safetensors"), "x.lora_A.weight")
    told = _problems(model, loras=[{"path": "a/b"}])["loras[0]"]
    assert "holds 2 files (l.safetensors, m.safetensors): name one in `file`" in told
    (lora,) = _complete(model, loras=[{"path": "a/b", "file": "m.safetensors"}]).loras
    assert lora.path.endswith("m.safetensors")


def test_a_lora_that_cannot_work_is_refused_with_the_reason(model: Path, tmp_path: Path) -> None:
    plain = _tensors(tmp_path / "plain.safetensors", "blocks.0.weight")
    good = _tensors(tmp_path / "good.safetensors", "x.lora_down.weight")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(good.read_bytes()[:-2])
    (tmp_path / "old.pt").write_bytes(b"")
    asked = ["nobody/nothing", "/nowhere.safetensors", plain, cut, tmp_path / "old.pt", good]
    loras = [{"path": str(one)} for one in asked]
    loras[-1]["stage"] = "low"
    told = _problems(model, loras=loras)
    wanted = [
        "get it with `hf download nobody/nothing`", "There is no file /nowhere.safetensors",
        "contains no LoRA", "damaged", "not a safetensors file", "has one stage",
    ]  # fmt: skip
    for number, part in enumerate(wanted):
        assert part in told[f"loras[{number}]"]


def test_components_load_from_folders_and_single_files(model: Path, tmp_path: Path) -> None:
    file = _tensors(tmp_path / "t.safetensors", "a")
    packed = tmp_path / "t.gguf"
    packed.write_bytes(b"GGUF....")
    (model / "transformer" / "model.safetensors").unlink()
    assert "incomplete" in _problems(model)["model"]
    assert _complete(model, transformer=str(file)).transformer == str(file)
    assert _complete(model, transformer=str(packed)).transformer == str(packed)
    for text in (file, packed):
        assert _complete(model, transformer=str(file), text_encoder=str(text)).text_encoder
    completed = _complete(model, transformer=str(packed), vae=str(model))
    assert completed.vae == str(model / "vae"), "a whole model lends its component"


def test_files_in_the_hub_cache_keep_their_names_through_completion_and_loading(
    model: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "hub" / "models--a--b"
    files = {name: tmp_path / f"{name}.gguf" for name in ("wan-4step", "umt5")}
    for name, file in files.items():
        file.write_bytes(f"GGUF{name}".encode())
    files["t"] = _tensors(tmp_path / "t.safetensors", "a")
    files["l"] = _tensors(tmp_path / "l.safetensors", "x.lora_A.weight")
    links = {name: str(in_hub_cache(repository, file)) for name, file in files.items()}
    packed = _complete(
        model, transformer=links["wan-4step"], text_encoder=links["umt5"],
        loras=[{"path": links["l"]}],
    )  # fmt: skip
    assert (packed.transformer, packed.text_encoder) == (links["wan-4step"], links["umt5"])
    assert [one.path for one in packed.loras] == [links["l"]]
    assert packed.options["preset"] == "wan-2-1-four-steps", "the file's name selects it"
    plain = _complete(model, transformer=links["t"], text_encoder=links["t"])
    assert (plain.transformer, plain.text_encoder) == (links["t"], links["t"])
    for request, kind in ((packed, "gguf"), (plain, "safetensors")):
        for name in ("transformer", "text_encoder"):
            source = own_weights.component_source(name, getattr(request, name))
            assert (source.kind, str(source.path)) == (kind, getattr(request, name))


def test_a_component_that_cannot_work_is_refused_with_the_reason(
    model: Path, tmp_path: Path
) -> None:
    scaled = _tensors(tmp_path / "s.safetensors", "blocks.0.q.weight", "blocks.0.q.weight_scale_2")
    damaged = tmp_path / "d.gguf"
    damaged.write_bytes(b"nothing")
    packed = tmp_path / "p.gguf"
    packed.write_bytes(b"GGUF....")
    told = _problems(model, transformer=str(scaled))["transformer"]
    assert "packed in a format that cannot be read here (blocks.0.q.weight_scale_2)" in told
    orphan = _tensors(tmp_path / "o.safetensors", "blocks.0.q.scale_weight")
    assert "cannot be read here" in _problems(model, transformer=str(orphan))["transformer"]
    assert "not a GGUF file" in _problems(model, transformer=str(damaged))["transformer"]
    told = _problems(model, vae=str(packed))["vae"]
    assert "cannot read a vae from a GGUF file: use a safetensors file" in told
    assert "There is no file" in _problems(model, vae="/nowhere")["vae"]
    assert "has no transformer_2" in _problems(model, transformer_2=str(scaled))["transformer_2"]
    problems = _problems(model, text_encoder=str(packed), quantize={"text_encoder": "int8"})
    assert "leave quantize out" in problems["quantize.text_encoder"]
    problems = _problems(model, transformer=str(packed), quantize="fp8")
    assert "quantised already" in problems["quantize"]


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_weights, "find_spec", lambda _: None)
    lora = _tensors(tmp_path / "l.safetensors", "x.lora_A.weight")
    assert "pip install peft" in _problems(model, loras=[{"path": str(lora)}])["loras"]
    assert "pip install bitsandbytes" in _problems(model, quantize="nf4")["quantize"]
    assert "pip install torchao" in _problems(model, quantize={"vae": "int8"})["quantize"]
    assert _complete(model, quantize="fp8").quantize == "fp8"


def test_a_component_to_quantise_must_exist(model: Path) -> None:
    assert (
        "has no audio_vae" in _problems(model, quantize={"audio_vae": "fp8"})["quantize.audio_vae"]
    )


def test_requests_with_different_weights_never_share_a_loaded_model(model: Path) -> None:
    plain = RenderRequest(prompt="a", engine="diffusers", model=str(model))
    others: list[dict[str, Any]] = [
        {"transformer": "a.gguf"}, {"transformer_2": "a.gguf"}, {"vae": "b"},
        {"text_encoder": "c"}, {"quantize": "fp8"}, {"quantize": {"vae": "fp8"}},
    ]  # fmt: skip
    keys = {model_key(plain.model_copy(update=one)) for one in others}
    assert len(keys | {model_key(plain)}) == len(others) + 1


def test_the_examples_in_the_docs_are_valid_requests(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example runs with a small model and small files in place of those it names."""
    page = Path(__file__).parents[3] / "docs" / "models.md"
    (block,) = (
        text for text in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        if text.startswith("# 24 GB")
    )  # fmt: skip
    index = json.loads((model / "model_index.json").read_text())
    index["transformer_2"] = index["transformer"]
    _tensors(model / "transformer_2" / "model.safetensors", "a")
    (model / "model_index.json").write_text(json.dumps(index))
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r'"([^"]+\.(?:safetensors|gguf))"', block):
        if name.endswith("gguf"):
            Path(name).write_bytes(b"GGUF....")
        else:
            _tensors(Path(name), "x.lora_A.weight")
    completed: list[RenderRequest] = []

    def render(prompt: str, **given: Any) -> SimpleNamespace:
        given["model"] = str(model)
        request = RenderRequest(prompt=prompt, **given)
        completed.append(DiffusersEngine(Settings()).complete(request))
        job, scores = SimpleNamespace(has_audio=True), SimpleNamespace(loudness=-23.0)
        return SimpleNamespace(wait=lambda: SimpleNamespace(job=job, scores=scores))

    exec(block, {"wb": SimpleNamespace(render=render)})
    assert len(completed) == 3
    assert [one.options.get("preset") for one in completed[:2]] == ["wan-2-2-four-steps"] * 2
    assert [one.num_inference_steps for one in completed[:2]] == [4, 4]


def test_a_component_saved_quantised_is_not_quantised_again_and_names_its_package(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"quantization_config": {"quant_method": "torchao"}}
    (model / "transformer" / "config.json").write_text(json.dumps(config))
    for how in ("int8", "fp8"):
        assert "quantised already, by torchao" in _problems(model, quantize=how)["quantize"]
    told = _problems(model, quantize={"transformer": "fp8", "vae": "fp8"})
    assert list(told) == ["quantize.transformer"]
    assert _complete(model, quantize={"vae": "fp8"}).quantize == {"vae": "fp8"}
    monkeypatch.setattr(own_weights, "find_spec", lambda _: None)
    assert "is quantised by torchao and needs torchao" in _problems(model)["model"]
