"""A model's own weights in grids, in runs from a shell, and in the notebook of unattended runs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from pydantic import ValidationError

import workbench as wb
from tests.research.conftest import SMALL
from tests.videos import decode
from workbench.errors import InvalidRequest
from workbench.rendering import Lora
from workbench.research import command
from workbench.research.parameters import RunParameters, notebook_parameters
from workbench.research.weight_axes import lora_axis, weights_label

ROOT: Final = Path(__file__).resolve().parents[2]


def test_the_strength_of_a_lora_is_an_axis_and_each_video_has_its_own(
    studio: wb.Studio, tmp_path: Path
) -> None:
    pytest.importorskip("diffusers")
    from diffusers import WanTransformer3DModel

    from tests.engines.diffusers.tiny import save
    from tests.engines.diffusers.tiny_weights import save_lora

    model = save("wan", tmp_path)
    transformer = WanTransformer3DModel.from_pretrained(model, subfolder="transformer")
    lora = save_lora(tmp_path / "ink.safetensors", transformer)
    fixed = {
        **SMALL, "engine": "diffusers", "model": str(model), "num_inference_steps": 2,
        "options": {"previews": 0}, "profile": "reference",
    }  # fmt: skip
    grid = wb.grid(
        "a dog", loras={"path": str(lora), "weight": [0, 0.5, 1]}, using=studio, **fixed
    ).wait(600)
    assert grid.axes == {"loras": ("ink 0", "ink 0.5", "ink 1")}
    assert [row["loras"] for row in grid.to_table(scores=False)] == ["ink 0", "ink 0.5", "ink 1"]
    videos = [grid.video(loras={"path": str(lora), "weight": weight}) for weight in (0, 0.5, 1)]
    frames = [decode(video.path).tobytes() for video in videos]
    assert len(set(frames)) == 3
    for video, weight in zip(videos, (0, 0.5, 1), strict=True):
        (used,) = video.recipe.request.loras
        assert (used.path, used.weight) == (str(lora), weight)


def test_a_list_of_loras_holds_one_value_an_item() -> None:
    found = lora_axis([None, {"path": "a/ink.safetensors"}, [{"path": "hub/one"}, Lora(path="b")]])
    assert isinstance(found, list)
    told = [weights_label("loras", value) for value in found]
    assert told == ["none", "ink 1", "hub/one 1 + b 1"]
    assert lora_axis(Lora(path="b", weight=0.5)) == (Lora(path="b", weight=0.5),)
    assert weights_label("quantize", {"text_encoder": "int8"}) == "text_encoder int8"
    assert weights_label("transformer", "/weights/wan-Q8_0.gguf") == "wan-Q8_0"
    with pytest.raises(InvalidRequest, match="weight"):
        lora_axis({"path": "a", "weight": [0.5, 11]})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what the runs from a shell ask for; none is started."""
    asked: list[dict[str, Any]] = []

    def start(given: dict[str, Any]) -> SimpleNamespace:
        asked.append(given)
        raise InvalidRequest("far enough")

    monkeypatch.setattr(command, "start_run", start)
    return asked


def test_weights_are_given_to_a_run_from_a_shell(asked: list[dict[str, Any]]) -> None:
    command.run(
        ["a dog", "--lora", "ink.safetensors=0.5", "--lora", "hub/name", "--transformer", "t.gguf",
         "--text-encoder", "t5", "--vae", "v.safetensors", "--quantize", "transformer=fp8,vae=none"]
    )  # fmt: skip
    command.run(["a dog", "--quantize", "int8"])
    first, second = (RunParameters.model_validate(given) for given in asked)
    assert first.loras == (Lora(path="ink.safetensors", weight=0.5), Lora(path="hub/name"))
    assert (first.transformer, first.text_encoder, first.vae) == ("t.gguf", "t5", "v.safetensors")
    assert first.quantize == {"transformer": "fp8", "vae": "none"}
    assert (second.quantize, second.loras) == ("int8", ())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a.safetensors,stage=high", Lora(path="a.safetensors", stage="high")),
        ("a/b=0.5,stage=low,file=c.safetensors",
         Lora(path="a/b", weight=0.5, stage="low", file="c.safetensors")),
        ("a/b,file=c=1.safetensors,stage=low",
         Lora(path="a/b", stage="low", file="c=1.safetensors")),
        ("a=b,c.safetensors=-1,stage=high",
         Lora(path="a=b,c.safetensors", weight=-1, stage="high")),
        ("a=b,c.safetensors", Lora(path="a=b,c.safetensors")),
    ],
)  # fmt: skip
def test_a_lora_from_a_shell_can_name_its_stage_and_file(
    asked: list[dict[str, Any]], written: str, meant: Lora
) -> None:
    command.run(["a dog", "--lora", written])
    (given,) = asked
    assert RunParameters.model_validate(given).loras == (meant,)


def test_a_stage_that_does_not_exist_is_refused(asked: list[dict[str, Any]]) -> None:
    command.run(["a dog", "--lora", "a.safetensors,stage=middle"])
    with pytest.raises(ValidationError, match="'high' or 'low'"):
        RunParameters.model_validate(asked[0])


def test_the_notebook_of_unattended_runs_names_every_parameter_of_a_run() -> None:
    notebook = json.loads((ROOT / "notebooks/batch.ipynb").read_text("utf-8"))
    (cell,) = (c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ()))
    given: dict[str, Any] = {}
    exec("".join(cell["source"]), given)
    del given["__builtins__"]
    assert given.keys() == RunParameters.model_fields.keys()
    RunParameters.model_validate(notebook_parameters(given))
