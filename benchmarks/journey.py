"""The journey's targets: Enhance to first picture, submit to start, and 1 + 8 videos in total.

Run with ``python -m benchmarks.journey``; the server is real, warm, and on this machine.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import websocket

from benchmarks.report import Figure, percentile, print_report
from tests.live_server import TOKEN, LiveServer

_ROUNDS = 10
_STARTS = 40


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LiveServer(Path(folder) / "outputs") as server,
    ):
        _first_video(server, "warm up the server")
        firsts = [_first_video(server, f"dog number {n} running") for n in range(_ROUNDS)]
        starts = _submit_to_start(server)
        whole = _whole_journey(server)
    print_report(
        "journey",
        [
            Figure("Enhance → first playable video, median", percentile(firsts, 0.5), "s", 1.0),
            Figure("Enhance → first playable video, worst of 10", max(firsts), "s"),
            Figure("submit → worker starts, median", percentile(starts, 0.5) * 1e3, "ms"),
            Figure("submit → worker starts, p95 of 40", percentile(starts, 0.95) * 1e3, "ms", 30),
            Figure("journey of 1 + 8 videos (832×480, 81 frames), in all", whole, "s"),
        ],
    )


def _first_video(server: LiveServer, idea: str) -> float:
    """Seconds from the click on Enhance until the first video can be played."""
    began = time.perf_counter()
    told = server.post("/api/enhance", {"rough_prompt": idea}).json()
    asked = {"prompt": told["enhanced_prompt"], "session_id": told["session_id"]}
    job = server.post("/api/video/single_inference", asked).json()
    ended = _listen(server, f"job_id={job['job_id']}")
    video = server.get(ended["video_url"])
    assert video.status_code == 200
    return time.perf_counter() - began


def _listen(server: LiveServer, query: str) -> dict[str, Any]:
    connection = websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/api/video/events?{query}",
        header=[f"Authorization: token {TOKEN}"],
        timeout=60,
    )
    while True:
        state: dict[str, Any] = json.loads(connection.recv())
        if state["status"] in {"complete", "failed"}:
            connection.close()
            assert state["status"] == "complete", state["error"]
            return state


def _submit_to_start(server: LiveServer) -> list[float]:
    """Seconds from a job's creation until its worker says that it renders, one at a time."""
    seconds = []
    for number in range(_STARTS):
        asked = {"prompt": f"a kite number {number}", "num_frames": 5}
        job = server.post("/api/video/single_inference", asked).json()
        ended = server.wait_for_job(job["job_id"])
        created = datetime.fromisoformat(ended["created_at"])
        started = datetime.fromisoformat(ended["started_at"])
        seconds.append((started - created).total_seconds())
    return seconds


def _whole_journey(server: LiveServer) -> float:
    """Seconds for enhance, a first video, eight variations and their batch."""
    began = time.perf_counter()
    told = server.post("/api/enhance", {"rough_prompt": "dog running"}).json()
    session_id = told["session_id"]
    asked = {"prompt": told["enhanced_prompt"], "session_id": session_id}
    job = server.post("/api/video/single_inference", asked).json()
    asked = {"session_id": session_id, "selected_indices": [told["index"]]}
    prompts = server.post("/api/generate-variations", asked).json()["prompts"]
    asked = {"session_id": session_id, "prompts": prompts}
    batch = server.post("/api/video/batch_inference", asked).json()
    assert server.wait_for_batch(batch["batch_id"])["status"] == "complete"
    assert server.wait_for_job(job["job_id"])["status"] == "complete"
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
