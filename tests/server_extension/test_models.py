"""Video models over HTTP: listed, and fetched only where the hub is allowed."""

from __future__ import annotations

from tests.live_server import LiveServer


def test_a_model_is_not_fetched_where_the_hub_is_not_allowed(server: LiveServer) -> None:
    answer = server.post("/api/models", {"model": "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"})
    assert answer.status_code == 409
    assert "`hf download Wan-AI/Wan2.1-T2V-1.3B-Diffusers`" in answer.json()["message"]
    assert server.get("/api/models").json()["downloads"] == []


def test_only_hub_names_can_be_fetched(server: LiveServer) -> None:
    for name in ("/etc/passwd", "wan", "../../x", "a/b/c", "http://x/y"):
        answer = server.post("/api/models", {"model": name})
        assert answer.status_code == 400, name
        assert [one["field"] for one in answer.json()["errors"]] == ["model"]
