"""Control over REST: renders of a tiny Wan VACE that follow a storyboard, a channel and an upload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from tests.engines.diffusers.tiny import save
from tests.live_server import LiveServer

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with a tiny model, whose workers may take long to import the model libraries."""
    folder = tmp_path_factory.mktemp("control")
    model = save("wan-vace", folder)
    environment = {"WORKBENCH_LEASE_S": "60", "OMP_NUM_THREADS": "1", "WORKBENCH_MODEL": str(model)}
    with LiveServer(folder / "outputs", environment=environment) as one:
        yield one


def _rendered(server: LiveServer, **changed: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a finished job, and its recipe's request."""
    shape = {"width": 64, "height": 64, "num_frames": 9, "fps": 16, "num_inference_steps": 2}
    asked = {"prompt": "a red car on a coast road", "seed": 7, "profile": "reference", **shape}
    answer = server.post("/api/video/single_inference", {**asked, **changed})
    assert answer.status_code == 201, answer.text
    job = server.wait_for_job(answer.json()["job_id"])
    assert job["status"] == "complete", job
    recipe = server.get(job["video_url"].replace("video.mp4", "recipe.json")).json()
    return job, recipe["request"]


def test_a_render_follows_its_own_storyboard_a_channel_and_an_upload(live: LiveServer) -> None:
    def notes(request: dict[str, Any]) -> list[str]:
        return list(request["options"]["as_rendered"]["notes"])

    led, request = _rendered(live, engine="diffusers", control="depth", camera="push in")
    assert request["options"]["control"]["storyboard"] is True
    assert request["options"]["control"]["video"].endswith("depth.mkv")
    assert "the model follows the depth of a storyboard" in notes(request)
    assert led["follows"] == led["preview_job_id"]

    drawn, _ = _rendered(live, engine="animatic", channels=["edges"])
    channel = {"kind": "edges", "video": drawn["job_id"], "channel": True}
    _, request = _rendered(live, engine="diffusers", control=channel)
    assert "the model follows the edges of a storyboard" in notes(request)

    video = live.get(drawn["video_url"]).content
    headers = {"Content-Type": "video/mp4"}
    kept = live.request("POST", "/api/video/inputs", content=video, headers=headers).json()
    name = kept["input_id"]
    _, request = _rendered(live, engine="diffusers", control=f"edges from {name}")
    assert request["options"]["control"]["ready"] is False
    assert any(
        note.startswith("the control is the video's edges: Canny") for note in notes(request)
    )


@pytest.mark.parametrize(
    ("control", "told"),
    [
        ("layout from j_" + "0" * 20, "layout is not computed from a video here"),
        ({"kind": "gray", "video": "i_" + "0" * 20, "estimator": "x"}, "set ready to false"),
        ("edges=/etc/passwd", "pattern"),
        ({"kind": "depth"}, "name a video, or set storyboard"),
        ({"kind": "pose", "storyboard": True}, "a storyboard has no skeletons"),
        ({"kind": "layout", "storyboard": True}, "there is no channel of kind layout"),
        ({"kind": "edges", "storyboard": True, "ready": False}, "a channel is ready"),
        ("segments", "takes control by depth, edges"),
    ],
)
def test_a_control_that_cannot_be_followed_is_refused_with_its_field(
    live: LiveServer, control: Any, told: str
) -> None:
    asked = {"prompt": "a dog", "engine": "diffusers", "control": control}
    answer = live.post("/api/video/single_inference", asked)
    assert answer.status_code == 400
    (problem,) = answer.json()["errors"]
    assert "control" in problem["field"]
    assert told in problem["problem"]
