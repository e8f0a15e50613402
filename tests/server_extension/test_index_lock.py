"""While another process locks the index, prompt requests wait and then get 503; others do not wait."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.live_server import PATIENCE_S, TOKEN, LiveServer

QUESTIONS = [
    ("/api/initialize", {"prompt": "a cat sleeps"}),
    ("/api/enhance", {"rough_prompt": "a dog runs"}),
    ("/api/update", {"user_request": "make it night"}),
    ("/api/video/single_inference", {"prompt": "a dog", "num_frames": 5}),
]


@pytest.fixture(scope="module", autouse=True)
def _supervisor(server: LiveServer) -> None:
    """Start the supervisor first because it needs the index too."""
    job = server.post("/api/video/single_inference", {"prompt": "a kite", "num_frames": 5})
    server.wait_for_job(job.json()["job_id"])


@pytest.mark.parametrize(("path", "body"), QUESTIONS, ids=[path for path, _ in QUESTIONS])
def test_a_locked_index_is_answered_with_503_and_blocks_no_other_request(
    server: LiveServer, path: str, body: dict[str, object]
) -> None:
    session_id = server.post("/api/initialize", {"prompt": "a dog runs"}).json()["session_id"]
    asked = {**body, "session_id": session_id}
    index = server.outputs / ".workbench" / "index.sqlite3"
    holder = sqlite3.connect(index, timeout=PATIENCE_S, isolation_level=None)
    headers = {"Authorization": f"token {TOKEN}"}
    with (
        ThreadPoolExecutor() as pool,
        httpx.Client(
            base_url=server.url, headers=headers, timeout=PATIENCE_S, trust_env=False
        ) as client,
    ):
        try:
            holder.execute("BEGIN IMMEDIATE")
            waits = pool.submit(client.post, path, json=asked)
            time.sleep(1)  # the request has arrived
            meanwhile = 0
            while not waits.done():
                assert client.get("/api/workbench/openapi.json").status_code == 200
                meanwhile += not waits.done()
                time.sleep(0.1)
            assert meanwhile, "the others were answered only after it"
            refused = waits.result()
        finally:
            holder.close()
    assert refused.status_code == 503, refused.text
    assert int(refused.headers["Retry-After"]) > 0
    assert "index" in refused.json()["message"]
    assert server.post(path, asked).status_code in {200, 201}
