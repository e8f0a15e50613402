"""Requests in words and language models cannot name files of this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.errors import InvalidRequest
from workbench.named_files import names_path
from workbench.prompts.agent.tools import request_from
from workbench.prompts.sessions import Sessions
from workbench.settings import Settings

JOB = "j_" + "0" * 20
FILES = (
    "/etc/passwd",
    "../secrets/model",
    "~/models/wan",
    "weights/x.safetensors",
    "C:\\models\\wan",
)


@pytest.mark.parametrize("name", FILES)
def test_a_language_model_sets_no_model_by_path(name: str) -> None:
    settings: list[dict[str, Any]] = [
        {"model": name},
        {"loras": [{"path": name}]},
        {"image": name},
    ]
    for values in settings:
        with pytest.raises(InvalidRequest, match="must not be a path"):
            request_from("set_render", {"values": values})


@pytest.mark.parametrize(
    "values",
    [
        {"image": "cat.png"},
        {"references": ["u_" + "0" * 20, "x.png"]},
        {"keyframes": [{"at_s": 0, "image": "x.png"}]},
        {"control": "depth from ~/a.mp4"},
        {"control": "edges from /x.mp4"},
        {"control": f"depth from {JOB} by models/d"},
        {"control": {"kind": "depth", "video": "x.mp4"}},
    ],
)
def test_render_settings_name_inputs_by_id_alone(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="must not be a path"):
        changed_settings(RenderSettings(), values)
    with pytest.raises(InvalidRequest, match="must not be a path"):
        request_from("set_render", {"values": values})


@pytest.mark.parametrize(
    "values",
    [
        {"image": JOB},
        {"control": {"kind": "depth", "video": JOB}},
        {"control": f"edges from {JOB}"},
        {"control": "depth"},
        {"keyframes": [{"at_s": 0, "image": JOB}]},
    ],
)
def test_a_language_model_sets_inputs_by_id(values: dict[str, Any]) -> None:
    assert request_from("set_render", {"values": values})


def test_a_language_model_sets_a_model_by_its_hub_name() -> None:
    assert request_from("set_render", {"values": {"model": "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"}})


@pytest.mark.parametrize("name", FILES)
def test_words_set_no_model_by_path(name: str, tmp_path: Path) -> None:
    sessions = Sessions(Settings(outputs=tmp_path / "outputs", language_provider="builtin"))
    session_id, _ = asyncio.run(sessions.enhance("a dog running"))
    asyncio.run(sessions.update(session_id, f"use the model {name}"))
    current = sessions.current(session_id)
    assert current is not None
    assert not names_path(current.settings.model or "")
    sessions.close()
