"""World models over REST: uploaded actions steer Cosmos 3, and a model's video is rolled out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from tests.engines.diffusers.tiny import LED, TINY
from tests.live_server import LiveServer

_STEPS = 4
_LIMIT_S = 600.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose worker computes on one thread, and may take its time to import."""
    outputs = tmp_path_factory.mktemp("worlds-rest") / "outputs"
    environment = {"OMP_NUM_THREADS": "1", "WORKBENCH_LEASE_S": "60"}
    with LiveServer(outputs, environment=environment) as live:
        yield live


def _asked(models: Callable[[str], Path], name: str, **changed: Any) -> dict[str, Any]:
    tiny = {**TINY, **LED}[name]
    asked: dict[str, Any] = {
        "prompt": "a dog runs in the rain", "engine": "diffusers", "model": str(models(name)),
        "profile": "reference", "seed": 7, "num_inference_steps": 2, "width": tiny.size,
        "height": tiny.size, "num_frames": tiny.num_frames,
        "options": {**tiny.options, "previews": 0},
    }  # fmt: skip
    return {k: v for k, v in {**asked, **changed}.items() if v is not None}


def _upload(server: LiveServer, content: bytes, media_type: str, query: str = "") -> str:
    headers = {"Content-Type": media_type}
    url = f"/api/video/inputs{query}"
    told = server.request("POST", url, content=content, headers=headers)
    assert told.status_code == 201, told.text
    return str(told.json()["input_id"])


def _recipe(server: LiveServer, job: Any) -> Any:
    url = job["video_url"].replace("video.mp4", "recipe.json")
    return server.get(url).json()["request"]


def test_uploaded_actions_steer_cosmos_3(server: LiveServer, models: Callable[[str], Path]) -> None:
    values = np.random.default_rng(1).normal(size=(_STEPS, 10)).tolist()
    rows = json.dumps({"embodiment": "umi", "values": values, "fps": 10}).encode()
    actions = _upload(server, rows, "application/json", "?kind=actions")
    noise = np.random.default_rng(2).integers(0, 255, (96, 96, 3), np.uint8)
    image = _upload(server, cv2.imencode(".png", noise)[1].tobytes(), "image/png")
    steered = {"values": actions, "resolution_tier": 256}
    sizes = {"width": None, "height": None, "num_frames": None}
    asked = _asked(models, "cosmos-3-actions", actions=steered, image=image, **sizes)
    told = server.post("/api/video/single_inference", asked)
    assert told.status_code == 201, told.text
    job = server.wait_for_job(told.json()["job_id"], limit_s=_LIMIT_S)
    assert job["status"] == "complete", job
    made = _recipe(server, job)
    assert made["num_frames"] == _STEPS + 1
    assert np.array_equal(made["actions"]["values"], values)
    wide = json.dumps({"embodiment": "pusht", "values": [[0.1, 0.2]]}).encode()
    other = _upload(server, wide, "application/json", "?kind=actions")
    asked["actions"] = {"values": other, "embodiment": "umi"}
    told = server.post("/api/video/single_inference", asked)
    assert told.status_code == 400, told.text
    assert told.json()["errors"][0]["field"].startswith("actions")


def test_a_models_video_is_rolled_out_and_forked(
    server: LiveServer, models: Callable[[str], Path]
) -> None:
    asked = _asked(models, "wan-vace", fps=16)
    job = server.post("/api/video/single_inference", asked).json()["job_id"]
    world = server.post(
        "/api/rollouts",
        {"job_id": job, "seconds": 13 / 16, "most_retakes": 0, "prompts": ["a dog", "a cat"]},
    )
    assert world.status_code == 201, world.text
    told = world.json()
    assert [one["start_s"] for one in told["segments"]] == [0, 9 / 16]
    for segment in told["segments"]:
        made = server.wait_for_job(segment["job_id"], limit_s=_LIMIT_S)
        assert made["status"] == "complete", made
    assert [_recipe(server, server.get(f"/api/video/status/{one['job_id']}").json())["prompt"]
            for one in told["segments"]] == ["a dog", "a cat"]  # fmt: skip
    url = f"/api/rollouts/{told['batch_id']}"
    fork = server.post(
        f"{url}/fork", {"at_s": 8 / 16, "prompts": ["a bird"], "most_retakes": 0, "seconds": 4 / 16}
    )
    assert fork.status_code == 201, fork.text
    branch = fork.json()
    assert (branch["parent"], branch["fork_s"]) == (told["batch_id"], 0.5)
    made = server.wait_for_job(branch["segments"][0]["job_id"], limit_s=_LIMIT_S)
    assert made["status"] == "complete", made
    early = server.post(f"{url}/fork", {"at_s": 1 / 16, "prompts": ["a bird"]})
    assert early.status_code == 400, early.text
    assert early.json()["errors"][0]["field"] == "at_s"
