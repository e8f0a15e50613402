"""Every control is one JSON document with a type and a digest of its content."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from workbench.control import (
    ActionSequence,
    ControlVideo,
    control_digest,
    control_json,
    parse_control,
    path_from_keys,
)
from workbench.errors import InvalidRequest
from workbench.identifiers import Kind, new_identifier

CONTROLS: list[Any] = [
    path_from_keys("w-3,j-2").value,
    ActionSequence.of([[0.5, 1]], "pusht"),
    ControlVideo(kind="depth"),
    ControlVideo(kind="edges", source={"type": "job", "job_id": new_identifier(Kind.JOB)}),
    ControlVideo(kind="pose", source={"type": "upload", "input_id": new_identifier(Kind.INPUT)}),
]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.type)
def test_a_control_round_trips_through_json(control: Any) -> None:
    text = control_json(control)
    again = parse_control(json.loads(text))
    assert again == control
    assert hash(again) == hash(control)
    assert control_json(again) == text
    assert control_digest(again) == control_digest(control)


def test_different_controls_have_different_digests() -> None:
    assert len({control_digest(control) for control in CONTROLS}) == len(CONTROLS)


def test_the_digest_is_the_same_in_another_process() -> None:
    script = """
from workbench.control import control_digest, path_from_keys
print(control_digest(path_from_keys("w-3,j-2").value))
"""
    found = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == control_digest(CONTROLS[0])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "must be an object"),
        ([], "must be an object"),
        ({}, "control"),
        ({"type": "steering"}, "camera_path"),
        ({"type": "control_video", "kind": "smell"}, "depth"),
        ({"type": "control_video", "kind": "depth", "source": {"type": "job"}}, "job_id"),
        (
            {
                "type": "control_video",
                "kind": "depth",
                "source": {"type": "job", "job_id": "../../etc"},
            },
            "job_id",
        ),
    ],
)
def test_an_invalid_control_is_refused_by_field(data: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        parse_control(data)
