"""Requests are completed, and refused, in one place for all engines."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.engines.completion import Completion
from workbench.errors import InvalidRequest
from workbench.rendering import Lora, RenderRequest
from workbench.settings import Settings

_SETTINGS = Settings(remote_base_url="http://localhost:1/v1", remote_model="a-model")


@pytest.mark.parametrize(
    ("engine", "title"),
    [("animatic", "storyboard"), ("remote", "remote"), ("realtime", "realtime")],
)
@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("loras", (Lora(path="ink.safetensors"),), "LoRAs"),
        ("transformer", "t.gguf", "transformer file"),
        ("transformer_2", "low.gguf", "second transformer file"),
        ("text_encoder", "t5", "text encoder file"),
        ("vae", "v.safetensors", "VAE file"),
        ("quantize", "fp8", "quantisation"),
        ("quantize", {"transformer": "int8"}, "quantisation"),
    ],
)
def test_an_engine_without_local_weights_refuses_what_changes_them(
    engine: str, title: str, field: str, given: Any, told: str
) -> None:
    request = RenderRequest(prompt="a dog runs", engine=engine, **{field: given})
    with pytest.raises(InvalidRequest) as caught:
        Completion(_SETTINGS).complete(request)
    (problem,) = caught.value.problems
    assert problem.field == field
    assert problem.problem == (
        f"The {title} engine takes no {told}; models of the diffusers engine do."
    )


def test_every_refused_field_is_named() -> None:
    request = RenderRequest(
        prompt="a dog runs", loras=(Lora(path="ink.safetensors"),), vae="v.safetensors"
    )
    with pytest.raises(InvalidRequest) as caught:
        Completion(_SETTINGS).complete(request)
    assert [one.field for one in caught.value.problems] == ["loras", "vae"]


@pytest.mark.parametrize("quantize", ["none", {}, {"transformer": "none"}])
def test_weights_as_they_are_are_not_refused(quantize: Any) -> None:
    request = RenderRequest(prompt="a dog runs", quantize=quantize)
    assert Completion(_SETTINGS).complete(request).request.num_frames
