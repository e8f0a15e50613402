"""Cosmos 3 is told a JSON caption alone, and a plain text with the length and size beside it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from tests.engines.diffusers.tiny_cosmos import cosmos_3
from workbench.engines.diffusers.adapters import call_arguments
from workbench.engines.diffusers.families import families
from workbench.engines.diffusers.options import Options
from workbench.rendering import RenderRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|diffusers|transformers)"),
]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"actions": [], "duration": "2s"}', '{"actions": [], "duration": "2s"}'),
        (
            "A dog runs.",
            (
                "A dog runs. The video is 2.0 seconds long and is of 24 FPS. "
                "This video is of 352x640 resolution."
            ),
        ),
    ],
)
def test_cosmos_3_is_told_length_and_size_once(
    text: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe: Any = cosmos_3()
    request = RenderRequest(
        prompt="a dog runs", model_prompt=text, engine="diffusers", model="m",
        width=640, height=352, num_frames=49, fps=24,
    )  # fmt: skip
    options = Options(safety_checker=False)
    family = next(one for one in families() if one.name == "cosmos-3")
    arguments = call_arguments(pipe, request, options, family)
    heard: list[str] = []
    template = pipe.text_tokenizer.apply_chat_template

    def listen(conversation: list[dict[str, str]], **more: Any) -> Any:
        heard.append(conversation[-1]["content"])
        return template(conversation, **more)

    monkeypatch.setattr(pipe.text_tokenizer, "apply_chat_template", listen)
    takes = inspect.signature(pipe.tokenize_prompt).parameters
    pipe.tokenize_prompt(**{k: v for k, v in arguments.items() if k in takes})
    assert heard[0] == told
