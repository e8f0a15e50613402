"""The remote engine against a real local endpoint with every known fault."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.pictures import corners, encoded, photo
from tests.engines.remote.endpoint import Endpoint, Reply
from tests.live_server import PATIENCE_S
from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.headers import read_image_header
from workbench.engines.probe import decode_video, probe_video
from workbench.engines.recipes import read_recipe
from workbench.engines.registry import create_engine, engine_names
from workbench.engines.remote import RemoteEngine
from workbench.errors import InvalidRequest, RenderCancelled, RenderError, RenderTimeout
from workbench.rendering import Progress, Recipe, RenderRequest
from workbench.settings import Settings

FRAMES = 12
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("video") / "theirs.mp4"
    with VideoWriter(path, 128, 96, 8, quality="high") as writer:
        for number in range(FRAMES):
            writer.write(np.full((96, 128, 3), number * 20, np.uint8))
    return path.read_bytes()


@pytest.fixture
def endpoint(video: bytes) -> Iterator[Endpoint]:
    with Endpoint(video) as server:
        yield server


class Client:
    """One worker's engine and the progress it reported."""

    def __init__(self, endpoint: Endpoint, folder: Path, **settings: Any) -> None:
        values: dict[str, Any] = {
            "outputs": folder,
            "remote_base_url": endpoint.url,
            "remote_model": "their-model",
            "remote_api_key": "secret-key",
            "remote_poll_s": 0.02,
            "remote_retries": 2,
        }
        self.engine = RemoteEngine(Settings(**(values | settings)))
        self.folder = folder
        self.said: list[Progress] = []
        self.cancelled = threading.Event()
        self._attempts = 0

    def render(self, job_id: str = "job", **changed: Any) -> tuple[Rendered, Path]:
        request = self.engine.complete(RenderRequest(prompt="a dog runs", **changed))
        recipe = Recipe(job_id=job_id, created_at=datetime(2026, 1, 2, tzinfo=UTC), request=request)
        self._attempts += 1
        folder = self.folder / f"{job_id}-{id(self)}-{self._attempts}"
        folder.mkdir(parents=True)
        self.engine.load(request, "cpu", self.said.append)
        task = RenderTask(recipe, folder, self.said.append, self.cancelled.is_set)
        return self.engine.render(task), folder


@pytest.fixture
def client(endpoint: Endpoint, tmp_path: Path) -> Client:
    return Client(endpoint, tmp_path)


def _until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.02)


def _submissions(folder: Path) -> list[Path]:
    return list((folder / ".workbench" / "remote").glob("*.json"))


def test_a_video_is_requested_polled_and_downloaded(endpoint: Endpoint, client: Client) -> None:
    made, folder = client.render(width=128, height=96, num_frames=12, fps=8, seed=5)
    facts = probe_video(folder / "video.mp4")
    assert (made.width, made.height, made.num_frames, made.fps) == (128, 96, FRAMES, 8)
    assert (facts.codec, facts.pixel_format, facts.num_frames) == ("h264", "yuv420p", FRAMES)
    theirs = folder / "theirs.mp4"
    theirs.write_bytes(endpoint.video)
    ours = np.stack(list(decode_video(folder / "video.mp4"))).astype(int)
    assert np.abs(ours - np.stack(list(decode_video(theirs)))).mean() < 3
    assert (folder / "poster.jpg").exists()
    assert not (folder / "download").exists()
    (form,) = endpoint.forms
    assert form["model"] == "their-model"
    assert form["prompt"] == "a dog runs"
    assert form["size"] == "128x96"
    assert (form["seconds"], form["num_frames"], form["seed"]) == ("2", "12", "5")
    assert set(endpoint.authorization) == {"Bearer secret-key"}


def test_progress_is_reported_and_only_increases(client: Client) -> None:
    client.render()
    fractions = [one.fraction for one in client.said]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    stages = list(dict.fromkeys(one.stage for one in client.said))
    assert stages == ["rendering", "downloading", "encoding"]
    assert any(one.preview for one in client.said)


def test_the_recipe_says_where_the_video_came_from_and_holds_no_key(client: Client) -> None:
    made, folder = client.render()
    text = (folder / "video.mp4").read_bytes()
    assert b"secret-key" not in text
    recipe = read_recipe(folder / "video.mp4")
    said = recipe.request.options["as_rendered"]
    assert said["video_id"] == "video_1"
    assert said["endpoint"] == "127.0.0.1"
    assert made.request is not None
    assert made.request.num_frames == FRAMES
    client.render(job_id="again", **_again(recipe.request))


def _again(request: RenderRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("width", "height", "options", "model")}


def test_only_standard_fields_are_sent_when_so_configured(
    endpoint: Endpoint, client: Client
) -> None:
    client.render(seed=5, negative_prompt="rain", options={"plain": True, "seconds": 4})
    assert set(endpoint.forms[0]) == {"model", "prompt", "size", "seconds"}


def test_a_start_image_is_uploaded(endpoint: Endpoint, client: Client, tmp_path: Path) -> None:
    picture = tmp_path / "start.png"
    picture.write_bytes(encoded(".png", corners()) + b" and more \r\n--\x00")
    client.render(options={"image": str(picture), "call": {"loop": True}})
    assert endpoint.forms[0]["input_reference"] == picture.read_bytes()
    assert endpoint.forms[0]["loop"] == "true"


def test_a_picture_is_uploaded_upright_with_its_own_media_type(
    endpoint: Endpoint, client: Client, tmp_path: Path
) -> None:
    picture, photograph = tmp_path / "start.webp", tmp_path / "start.jpg"
    picture.write_bytes(encoded(".webp", corners()))
    photograph.write_bytes(photo(6))
    for number, path in enumerate((picture, photograph)):
        client.render(job_id=f"job{number}", options={"image": str(path)})
    kinds = [form["input_reference.type"] for form in endpoint.forms]
    assert kinds == ["image/webp", "image/jpeg"]
    assert endpoint.forms[0]["input_reference"] == picture.read_bytes()
    header = read_image_header(endpoint.forms[1]["input_reference"])
    assert (header.stored_width, header.stored_height, header.orientation) == (48, 64, 1)


def test_a_damaged_picture_is_refused_before_a_paid_request(
    endpoint: Endpoint, client: Client, tmp_path: Path
) -> None:
    picture = tmp_path / "start.jpg"
    picture.write_bytes(photo(6)[:-100])
    with pytest.raises(InvalidRequest, match="cut off"):
        client.render(options={"image": str(picture)})
    assert endpoint.count("POST", "/videos") == 0


def test_a_busy_endpoint_is_retried_after_its_retry_after(
    endpoint: Endpoint, client: Client
) -> None:
    def busy(method: str, _path: str, before: int) -> None:
        if method == "POST" and before < 2:
            raise Reply(429 if before else 503, headers={"Retry-After": "0.05"})

    endpoint.script = busy
    client.render()
    assert endpoint.count("POST", "/videos") == 3
    assert len(endpoint.videos) == 1
    assert len(set(endpoint.keys)) == 1, "the same order keeps its idempotency key"


@pytest.mark.parametrize("how", ["drop", 500, 502, "slow", "nonsense"])
def test_a_creation_that_may_have_succeeded_is_not_repeated(
    how: str | int, endpoint: Endpoint, tmp_path: Path
) -> None:
    go_on = threading.Event()

    def fail(method: str, _path: str, _before: int) -> Any:
        if method != "POST":
            return None
        if how == "slow":
            return go_on.wait(PATIENCE_S)
        if how == "nonsense":
            raise Reply(200, b"<html>")
        if isinstance(how, int):
            raise Reply(how, b'{"error": "broken"}')
        return how

    endpoint.script = fail
    limit_s = 0.3 if how == "slow" else PATIENCE_S
    client = Client(endpoint, tmp_path, remote_request_timeout_s=limit_s)
    try:
        with pytest.raises(RenderError, match="pay twice"):
            client.render()
        _until(lambda: endpoint.count("POST", "/videos") > 0)  # perhaps only now noted
        assert endpoint.count("POST", "/videos") == 1
    finally:
        go_on.set()


def test_an_unreachable_endpoint_is_retried_and_named(endpoint: Endpoint, tmp_path: Path) -> None:
    client = Client(endpoint, tmp_path, remote_base_url="http://127.0.0.1:9/v1", remote_retries=1)
    with pytest.raises(RenderError, match=r"does not answer: .*refused"):
        client.render()


@pytest.mark.parametrize("how", ["drop", 500, 503, "nonsense", "empty"])
def test_polling_continues_after_failures(
    how: str | int, endpoint: Endpoint, client: Client
) -> None:
    def fail(method: str, path: str, before: int) -> Any:
        if method == "GET" and path.endswith("video_1") and before == 1:
            if how == "nonsense":
                raise Reply(200, b"[1, 2")
            if how == "empty":
                raise Reply(200, b"[]")
            if isinstance(how, int):
                raise Reply(how)
            return how
        return None

    endpoint.script = fail
    made, _ = client.render()
    assert made.num_frames == FRAMES
    assert len(endpoint.videos) == 1


def test_an_interrupted_download_is_restarted(endpoint: Endpoint, client: Client) -> None:
    half = endpoint.video[: len(endpoint.video) // 2]

    def cut(_method: str, path: str, before: int) -> None:
        if path.endswith("/content") and before == 0:
            raise Reply(200, half, headers={"Content-Length": str(len(endpoint.video))})
        if path.endswith("/content") and before == 1:
            raise Reply(200, half)  # says that this is all

    endpoint.script = cut
    made, _ = client.render()
    assert made.num_frames == FRAMES
    assert endpoint.count("GET", "/content") == 3


def test_an_unplayable_download_is_an_error_and_leaves_no_video(
    endpoint: Endpoint, client: Client
) -> None:
    endpoint.video = b"not a video at all"
    with pytest.raises(RenderError, match="does not play"):
        client.render()
    assert not list(client.folder.glob("job-*/video.mp4"))


def test_a_video_that_failed_remotely_fails_with_the_endpoints_reason(
    endpoint: Endpoint, client: Client
) -> None:
    def refuse(_method: str, _path: str, _before: int) -> None:
        for state in endpoint.videos.values():
            state["failed"] = "The prompt was refused."

    endpoint.script = refuse
    with pytest.raises(RenderError, match="with the status failed: The prompt was refused"):
        client.render()
    assert _submissions(client.folder) == [], "a retry asks for a new video"


@pytest.mark.parametrize("status", ["expired", "", "cancelled"])
def test_an_unknown_final_status_ends_the_render(
    status: str, endpoint: Endpoint, client: Client
) -> None:
    def odd(method: str, path: str, _before: int) -> None:
        if method == "GET" and path.endswith("video_1"):
            raise Reply(
                200, f'{{"id": "video_1", "status": "{status}", "progress": null}}'.encode()
            )

    endpoint.script = odd
    with pytest.raises(RenderError, match="gave no reason"):
        client.render()


def test_a_wrong_key_names_the_setting(endpoint: Endpoint, client: Client) -> None:
    def refuse(*_: Any) -> None:
        raise Reply(401, b'{"error": {"message": "Bad key."}}')

    endpoint.script = refuse
    with pytest.raises(RenderError, match="WORKBENCH_REMOTE_API_KEY"):
        client.render()
    assert len(endpoint.seen) == 1


def test_a_refused_request_gives_the_reason(endpoint: Endpoint, client: Client) -> None:
    def refuse(*_: Any) -> None:
        raise Reply(400, b'{"error": {"message": "size is not allowed"}}')

    endpoint.script = refuse
    with pytest.raises(InvalidRequest, match="size is not allowed"):
        client.render()


def test_cancelling_deletes_the_remote_video(endpoint: Endpoint, client: Client) -> None:
    endpoint.polls = 10_000
    endpoint.script = lambda method, *_: client.cancelled.set() if method == "GET" else None
    with pytest.raises(RenderCancelled):
        client.render()
    _until(lambda: endpoint.deleted == ["video_1"])
    _until(lambda: _submissions(client.folder) == [])


def test_cancelling_does_not_wait_for_an_endpoint_that_hangs(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    client = Client(endpoint, tmp_path, remote_request_timeout_s=2 * PATIENCE_S)
    go_on, answered = threading.Event(), threading.Event()

    def hang(method: str, *_: Any) -> None:
        if method == "GET":
            client.cancelled.set()
            go_on.wait(PATIENCE_S)
            answered.set()

    endpoint.script = hang
    try:
        with pytest.raises(RenderCancelled):
            client.render()
        assert not answered.is_set(), "it waited for the answer"
    finally:
        go_on.set()


def test_a_video_that_takes_too_long_times_out(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.polls = 10_000
    with pytest.raises(RenderTimeout, match="longer than 3 seconds"):
        Client(endpoint, tmp_path, remote_timeout_s=3).render()  # enough for the order
    assert endpoint.deleted == ["video_1"]


def test_a_second_attempt_resumes_the_paid_order(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.polls = 10_000
    script = f"""
from pathlib import Path
from tests.engines.remote.test_remote import Client
class There:
    url = {endpoint.url!r}
Client(There, Path({str(tmp_path)!r})).render()
"""
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    try:
        _until(lambda: endpoint.count("GET", "/video_1") > 1)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert len(_submissions(tmp_path)) == 1
    endpoint.polls = 2
    made, _ = Client(endpoint, tmp_path).render()
    assert len(endpoint.videos) == 1
    assert made.request is not None
    assert made.request.options["as_rendered"]["resumed"] is True
    assert _submissions(tmp_path) == []


def test_a_job_with_another_id_or_prompt_does_not_resume_an_order(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    client = Client(endpoint, tmp_path)
    client.render(job_id="one")
    client.render(job_id="two")
    assert len(endpoint.videos) == 2
    assert len(set(endpoint.keys)) == 2


def test_an_order_the_endpoint_no_longer_knows_is_given_up(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    client = Client(endpoint, tmp_path)
    endpoint.script = lambda method, *_: endpoint.videos.clear() if method == "GET" else None
    with pytest.raises(RenderError, match=r"404: No such video"):
        client.render()
    endpoint.script = lambda *_: None
    made, _ = client.render()
    assert made.num_frames == FRAMES


def test_the_key_is_not_sent_to_another_host(endpoint: Endpoint, client: Client) -> None:
    with Endpoint(endpoint.video) as other:
        other.videos["video_1"] = {"polls": 99}

        def elsewhere(_method: str, path: str, _before: int) -> None:
            if path.endswith("/content"):
                where = f"{other.url}/videos/video_1/content"
                raise Reply(302, b"", headers={"Location": where})

        endpoint.script = elsewhere
        client.render()
        assert other.authorization == [None]


def test_missing_settings_are_named_before_any_request(tmp_path: Path) -> None:
    engine = RemoteEngine(Settings(outputs=tmp_path, remote_base_url="", remote_model=""))
    with pytest.raises(InvalidRequest) as caught:
        engine.complete(RenderRequest(prompt="a dog", options={"secnds": 3}))
    fields = {one.field: one.problem for one in caught.value.problems}
    assert set(fields) == {"engine", "model", "options.secnds"}
    assert "WORKBENCH_REMOTE_BASE_URL" in fields["engine"]


def test_the_engine_is_found_by_name() -> None:
    assert "remote" in engine_names(Settings())
    assert isinstance(create_engine("remote", Settings()), RemoteEngine)
