"""REST submissions are completed and serialised once."""

from __future__ import annotations

import json
from pathlib import Path

from tests.engines.counting import ENGINES, counted
from tests.live_server import LiveServer

ONCE = {
    "complete counting": 1,
    "serialise counting": 1,
    "complete animatic": 1,
    "serialise animatic": 1,
}


def test_a_render_and_a_batch_over_rest_are_completed_once_by_each_engine(tmp_path: Path) -> None:
    environment = {"WORKBENCH_ENGINES": json.dumps(ENGINES), "WORKBENCH_ENGINE": "counting"}
    with LiveServer(tmp_path / "outputs", environment=environment) as server:
        headers = {"Idempotency-Key": "once"}
        body = {"prompt": "a dog runs", "num_frames": 9}
        for _ in range(2):
            server.post("/api/video/single_inference", body, headers=headers).raise_for_status()
        prompts = ["a cat sleeps", "a boat sails"]
        asked = {"prompts": prompts, "num_frames": 9}
        server.post("/api/video/batch_inference", asked).raise_for_status()
    assert [counted(tmp_path / "outputs", prompt) for prompt in prompts] == [ONCE, ONCE]
    repeated = counted(tmp_path / "outputs", "a dog runs")
    assert repeated == dict.fromkeys(ONCE, 2)  # asked twice, queued once
