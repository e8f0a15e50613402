"""A robot's actions over REST: uploads in three formats, refused before anything is queued."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.live_server import LiveServer
from workbench.control import ActionSequence, actions_to_csv, actions_to_npy, control_json

_ACTIONS = ActionSequence.of(np.arange(8).reshape(4, 2) / 10, "pusht", fps=10)


def _upload(server: LiveServer, content: bytes, media_type: str, query: str) -> Any:
    headers = {"Content-Type": media_type}
    path = f"/api/video/inputs{query}"
    return server.request("POST", path, content=content, headers=headers)


@pytest.mark.parametrize(
    ("content", "media_type", "query"),
    [
        (
            actions_to_npy(_ACTIONS).value,
            "application/octet-stream",
            "?kind=actions&embodiment=pusht",
        ),
        (actions_to_csv(_ACTIONS).value.encode(), "text/csv", "?embodiment=pusht"),
        (control_json(_ACTIONS).encode(), "application/json", "?kind=actions"),
    ],
)
def test_uploaded_actions_are_kept_and_named_by_their_id(
    content: bytes, media_type: str, query: str, server: LiveServer
) -> None:
    told = _upload(server, content, media_type, query)
    assert told.status_code == 201, told.text
    kept = told.json()
    assert (kept["kind"], kept["num_frames"]) == ("actions", 4)
    asked = {"prompt": "a T is pushed", "actions": {"values": kept["input_id"]}}
    refused = server.post("/api/video/single_inference", asked)
    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {
            "field": "actions",
            "problem": "The animatic engine does not accept actions; Cosmos 3 (engine diffusers) does.",
        }
    ]
    asked["actions"]["embodiment"] = "umi"  # type: ignore[index]
    refused = server.post("/api/video/single_inference", asked)
    assert "those of pusht, not umi" in refused.json()["message"]
    started = server.post("/api/video/single_inference", {"prompt": "a", "image": kept["input_id"]})
    assert started.status_code == 400, "actions are no picture"


@pytest.mark.parametrize(
    ("content", "query", "told"),
    [
        (b"1,2\n3\n", "?embodiment=pusht", "line 2"),
        (b"1,2,3\n", "?embodiment=pusht", "takes 2"),
        (b"1,2\n", "?embodiment=octopus", "not an embodiment"),
        (b"1,2\n", "", "must be named"),
        (b"1,nan\n", "?embodiment=pusht", "line 1"),
    ],
)
def test_a_file_that_holds_no_actions_is_refused_with_the_place(
    content: bytes, query: str, told: str, server: LiveServer
) -> None:
    answer = _upload(server, content, "text/csv", query)
    assert answer.status_code == 400, answer.text
    assert told in answer.text


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ({"embodiment": "pusht", "values": [[1, 2, 3]]}, "takes 2"),
        ({"embodiment": "pusht"}, "needs values"),
        ({"mode": "policy", "embodiment": "pusht", "values": [[1, 2]]}, "leave values out"),
        ({"embodiment": "pusht", "values": "/etc/passwd"}, "values"),
        ({"values": "i_" + "0" * 20}, "no input"),
    ],
)
def test_actions_that_fit_nothing_are_refused_by_field(
    actions: dict[str, Any], told: str, server: LiveServer
) -> None:
    answer = server.post("/api/video/single_inference", {"prompt": "a T", "actions": actions})
    assert answer.status_code == 400, answer.text
    assert told in answer.text
    assert answer.json()["errors"][0]["field"].startswith("actions")
