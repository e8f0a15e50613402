"""The realtime engine against a real local server that obeys, stalls, drops and sends garbage."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from websockets.sync.server import ServerConnection

import workbench as wb
from tests.engines.realtime.server import RealtimeServer
from tests.jobs.shop import DEFAULTS, PATIENCE_S, Shop
from tests.live_server import end_supervisor
from workbench.control import CameraControl
from workbench.engines.completion import Completion
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.probe import decode_video
from workbench.engines.realtime import RealtimeEngine
from workbench.engines.realtime.messages import init_message
from workbench.engines.realtime.session import RealtimeSession, realtime_url
from workbench.engines.recipes import read_recipe
from workbench.errors import InvalidRequest, RenderCancelled, RenderError, RenderTimeout
from workbench.jobs.model import JobState
from workbench.jobs.paths import JobPaths
from workbench.rendering import Progress, Recipe, RenderParameters, RenderRequest
from workbench.settings import Settings

_SIZE: dict[str, Any] = {"width": 64, "height": 64, "seed": 3}


class Client:
    """One worker's engine and the progress it reported."""

    def __init__(self, server: RealtimeServer, folder: Path, **settings: Any) -> None:
        values = {"remote_base_url": server.url, "remote_request_timeout_s": 60.0, **settings}
        values = {"remote_retries": 2, "outputs": folder, **values}
        self.settings = Settings(**values)
        self.folder = folder
        self.said: list[Progress] = []
        self.cancelled = False
        self.cancel_at: int | None = None

    def render(self, camera: str = "w-12,jw-12", **changed: Any) -> Rendered:
        """Complete and render a request."""
        asked = RenderRequest(
            prompt="a wet road",
            engine="realtime",
            camera=CameraControl.of(camera),
            **{**_SIZE, **changed},
        )
        request = Completion(self.settings).complete(asked).request
        recipe = Recipe(job_id="job", created_at=datetime.now(UTC), request=request)
        engine = RealtimeEngine(self.settings)
        engine.load(request, "cpu", self.said.append)
        task = RenderTask(recipe, self.folder, self._report, lambda: self.cancelled)
        return engine.render(task)

    def _report(self, progress: Progress) -> None:
        self.said.append(progress)
        if self.cancel_at is not None and progress.step >= self.cancel_at:
            self.cancelled = True

    @property
    def lights(self) -> list[int]:
        """The brightness of each recorded frame."""
        frames = decode_video(self.folder / "video.mp4")
        return [round(float(frame.mean())) for frame in frames]


def test_keys_are_sent_and_what_the_server_shows_is_recorded(tmp_path: Path) -> None:
    with RealtimeServer() as server:
        client = Client(server, tmp_path)
        made = client.render()
    (init,) = server.inits
    assert init["condition_inputs"]["camera_actions"] == [["w"]] * 12 + [["j", "w"]] * 12
    assert (init["size"], init["seed"], init["num_frames"], init["fps"]) == ("64x64", 3, 25, 16)
    assert (made.num_frames, made.width, made.height, made.fps) == (25, 64, 64, 16)
    np.testing.assert_allclose(client.lights, [43] * 12 + [83] * 12 + [33], atol=2)
    request = read_recipe(tmp_path / "video.mp4").request
    assert request.camera is not None
    assert request.camera.said == "w-12,jw-12", "the recipe replays the session"
    assert made.request is not None
    assert made.request.options["as_rendered"]["chunks"] == 4
    assert any(one.preview for one in client.said)
    assert (tmp_path / "poster.jpg").is_file()


def test_a_path_in_words_is_followed_as_keys(tmp_path: Path) -> None:
    with RealtimeServer() as server:
        Client(server, tmp_path).render("truck left for 1 second", num_frames=9)
    actions = server.inits[0]["condition_inputs"]["camera_actions"]
    assert ["a"] in actions


def _drop(socket: ServerConnection, chunk: int) -> bool:
    if chunk == 1:
        socket.socket.close()
    return False


def test_a_session_that_breaks_off_is_tried_again_from_its_beginning(tmp_path: Path) -> None:
    with RealtimeServer(_drop, _drop) as server:
        client = Client(server, tmp_path)
        made = client.render()
        assert len(server.inits) == 3
    assert made.num_frames == len(client.lights) == 25
    assert made.request is not None
    assert made.request.options["as_rendered"]["attempts"] == 3
    with RealtimeServer(_drop, _drop) as server:
        client = Client(server, tmp_path / "again", remote_retries=1)
        client.folder.mkdir()
        with pytest.raises(RenderError, match="closed the connection"):
            client.render()
    assert not (tmp_path / "again" / "video.mp4").exists()


def test_a_server_that_stalls_is_given_up_and_said(tmp_path: Path) -> None:
    leave = threading.Event()

    def stall(_: ServerConnection, chunk: int) -> bool:
        return chunk == 1 and leave.wait(60)

    with RealtimeServer(stall) as server:
        try:
            with pytest.raises(RenderTimeout, match=r"sent nothing for 0\.5 s"):
                Client(server, tmp_path, remote_request_timeout_s=0.5).render()
        finally:
            leave.set()
    assert not (tmp_path / "video.mp4").exists()


def test_a_cancelled_recording_ends_while_the_server_is_silent(tmp_path: Path) -> None:
    leave = threading.Event()
    with RealtimeServer(lambda _, chunk: chunk == 1 and leave.wait(60)) as server:
        client = Client(server, tmp_path)
        client.cancel_at = 8
        try:
            with pytest.raises(RenderCancelled):
                client.render()
        finally:
            leave.set()


def _sending(*messages: bytes | str) -> Callable[[ServerConnection, int], bool]:
    def fault(socket: ServerConnection, chunk: int) -> bool:
        if chunk == 1:
            for message in messages:
                socket.send(message)
        return False

    return fault


def _header(**changed: Any) -> bytes:
    told = {"type": "frame_batch", "content_type": "application/x-raw-rgb", "num_frames": 1,
            "width": 64, "height": 64, "channels": 3, "payload": bytes(64 * 64 * 3)}  # fmt: skip
    return bytes(msgpack.packb({**told, **changed}))


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ((b"\xc1 what?",), "data that is not MessagePack"),
        ((b"\x01",), "a message that is not a map"),
        (("hello",), "a text message"),
        ((msgpack.packb({"type": "poem"}),), "the type 'poem'"),
        ((msgpack.packb({"type": "error", "content": "out of memory"}),), "said: out of memory"),
        ((_header(payload=b"short"),), "5 bytes for 1 frames"),
        ((_header(width=32),), "another size"),
        ((_header(width=-1),), "width is wrong"),
        ((_header(num_frames=10**9),), "num_frames is wrong"),
        ((_header(width=7_680, height=4_320),), "beyond the limit|another size"),
        ((_header(content_type="image/webp"),), "not as raw RGB"),
        ((_header(payload="text"),), "without pixels"),
        ((_header(type="frame_batch_header"), b"few"), "3 bytes for 1 frames"),
    ],
)
def test_garbage_ends_the_recording_with_a_sentence(
    messages: tuple[bytes | str, ...], told: str, tmp_path: Path
) -> None:
    with RealtimeServer(_sending(*messages)) as server:
        with pytest.raises(RenderError, match=told):
            Client(server, tmp_path).render()
        assert len(server.inits) == 1, "garbage is not asked for twice"
    assert not (tmp_path / "video.mp4").exists()


def test_a_session_that_ends_too_early_is_said(tmp_path: Path) -> None:
    def end(socket: ServerConnection, chunk: int) -> bool:
        if chunk == 2:
            socket.close()
        return False

    with (
        RealtimeServer(end) as server,
        pytest.raises(RenderError, match="ended the session after 16 of 25 frames"),
    ):
        Client(server, tmp_path).render()


def test_keys_are_held_in_a_live_session() -> None:
    with (
        RealtimeServer() as server,
        RealtimeSession(server.url, silence_s=60, most_pixels=10_000) as session,
    ):
        session.begin(init_message({"size": "64x64", "seed": 0}, ()))
        lights: list[int] = []
        for frames in session.batches():
            lights.append(int(frames[-1].mean()))
            if len(lights) == 1:
                session.hold("w")
            elif lights[-1] == 40 and lights[-2] == 30:
                session.hold("")
            elif lights[-1] == 30 and 40 in lights:
                break
    assert [event["kind"] for event in server.events] == ["camera_actions"] * 2
    assert [event["event_id"] for event in server.events] == [1, 2]


def test_a_recorded_session_is_a_job_that_replays(tmp_path: Path) -> None:
    with RealtimeServer() as server:
        engines = {"realtime": "workbench.engines.realtime:RealtimeEngine"}
        settings = {**DEFAULTS, "remote_base_url": server.url, "engines": engines}
        with Shop(tmp_path / "outputs", **settings) as shop:
            camera = CameraControl.of("w-12,jw-12")
            asked = RenderRequest(prompt="a road", engine="realtime", camera=camera, **_SIZE)
            first = shop.manager.submit(asked)
            shop.ended(first.job_id)
            recipe = shop.manager.recipe(first.job_id)
            again = shop.manager.submit(recipe.request)
            jobs = shop.ended(first.job_id, again.job_id)
            assert [job.state for job in jobs] == [JobState.COMPLETE] * 2
            films = [list(decode_video(shop.manager.video_path(job.job_id))) for job in jobs]
            assert np.array_equal(np.stack(films[0]), np.stack(films[1]))


def test_a_live_world_is_steered_seen_and_recorded_as_the_job_that_replays_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = tmp_path / "outputs"
    with RealtimeServer() as server:
        monkeypatch.setenv("WORKBENCH_OUTPUTS", str(outputs))
        monkeypatch.setenv("WORKBENCH_REMOTE_BASE_URL", server.url)
        try:
            with wb.Studio(
                wb.Settings(outputs=outputs, remote_base_url=server.url, remote_worlds=True)
            ) as studio:
                seen: list[int] = []
                with wb.live("a wet road", using=studio, **_SIZE) as world:
                    with pytest.raises(InvalidRequest, match="No frame has been shown yet"):
                        world.recorded()
                    for frame in world.frames():
                        seen.append(round(float(frame.mean())))
                        if len(seen) == 3:
                            world.hold("w")
                        elif seen[-1] == 43 and 83 not in seen and len(seen) % 8 == 0:
                            world.hold("jw")
                        elif seen.count(83) == 5:
                            break
                assert "num_frames" not in server.inits[0], "it goes on until it is left"
                assert re.fullmatch(r"none-\d+,w-\d+,jw-5", world.keys)
                assert {43, 83} <= set(seen)
                video = world.recorded().wait(300)
                lights = [round(float(one.mean())) for one in decode_video(video.path)]
        finally:
            end_supervisor(outputs)
    np.testing.assert_allclose(lights, seen, atol=2)
    assert [event["kind"] for event in server.events][:2] == ["camera_actions"] * 2


def test_a_live_world_is_no_plan() -> None:
    studio = wb.Studio(wb.Settings(remote_base_url="http://127.0.0.1:1/v1", remote_worlds=True))
    with studio:
        with pytest.raises(InvalidRequest, match="steered by hold"):
            wb.live("a road", using=studio, camera="w-8")
        with pytest.raises(InvalidRequest, match=r"at most 90"):
            wb.live("a road", using=studio, seconds=91)
        with pytest.raises(InvalidRequest, match="no live world"):
            wb.live("a road", using=studio, engine="diffusers")
        assert wb.live("a road", using=studio).engine == "realtime"
        assert wb.live("a road", using=studio, engine="animatic").engine == "animatic"


def test_an_answer_to_keys_that_were_never_held_ends_the_world_with_a_sentence() -> None:
    with RealtimeServer(_sending(_header(event_id=9))) as server:
        studio = wb.Studio(wb.Settings(remote_base_url=server.url, remote_worlds=True))
        with studio, wb.live("a road", using=studio, **_SIZE) as world:
            with pytest.raises(RenderError, match="event 9, which was never sent"):
                list(world.frames())
            assert world.keys == "none-8", "what came before it can be kept"


def test_a_prompts_own_camera_movement_is_left_out_live_and_replayed(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    with RealtimeServer() as server:
        studio = wb.Studio(
            wb.Settings(outputs=outputs, remote_base_url=server.url, remote_worlds=True)
        )
        try:
            with studio, wb.live("a dog runs, slow push in", using=studio, **_SIZE) as world:
                next(world.frames())
                request = world.recorded().wait(300).job.request
                assert "recording" in request.options, "the frames that were seen are its video"
                again = {k: v for k, v in request.options.items() if k != "recording"}
                replay = studio.jobs.submit(request.model_copy(update={"options": again}))
                studio.jobs.wait([replay.job_id], 300)
        finally:
            end_supervisor(outputs)
    live, replayed = server.inits
    assert live["prompt"] == replayed["prompt"] == "a dog runs"


def _leave(socket: Any, chunk: int) -> bool:
    if chunk == 5:
        socket.socket.close()
    return False


def test_a_world_whose_connection_is_lost_is_recorded_with_the_frames_that_were_seen(
    tmp_path: Path,
) -> None:
    outputs = tmp_path / "outputs"
    seen: list[Any] = []
    with RealtimeServer(_leave) as server:
        settings = wb.Settings(outputs=outputs, remote_base_url=server.url, remote_worlds=True)
        with wb.Studio(settings) as studio, wb.live("a dog runs", using=studio, **_SIZE) as world:
            world.hold("w")
            frames = world.frames()
            with pytest.raises(RenderError, match="closed the connection"):
                seen.extend(frame.copy() for frame in frames)
    try:
        with wb.Studio(settings) as studio:
            (job,) = studio.jobs.jobs().jobs
            (done,) = studio.jobs.wait([job.job_id], PATIENCE_S)
            assert done.state == "complete", done.error
            assert done.request.num_frames == len(seen) == 40
            video = JobPaths(outputs).job(job.job_id).video
            for one, other in zip(decode_video(video), seen, strict=True):
                assert np.abs(one.astype(int) - other.astype(int)).mean() < 4
            assert [files.frames.is_file() for files in JobPaths(outputs).walks()] == [True]
            studio.live_worlds.record_left()
            assert JobPaths(outputs).walks() == [], "its frames are no longer needed"
    finally:
        end_supervisor(outputs)
    assert len(server.inits) == 1, "the server was not asked again"


def test_a_recording_that_is_full_ends_the_walk_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.live_journal._MOST_BYTES", 20_000)
    with RealtimeServer() as server:
        studio = wb.Studio(
            wb.Settings(
                outputs=tmp_path / "outputs", remote_base_url=server.url, remote_worlds=True
            )
        )
        with studio:
            worlds = studio.live_worlds
            walk = worlds.walk(worlds.idea("a road"), RenderParameters(**_SIZE))
            frames = list(walk.frames())
            assert "size limit" in walk.told
            assert 1 < len(frames) < walk.most_frames
            written = walk.journal.files.frames.stat().st_size
            assert 20_000 <= written < 20_000 + 2 * written / len(frames)
            worlds.drop(walk)


def test_without_an_endpoint_it_is_said_before_anything_is_queued() -> None:
    with pytest.raises(InvalidRequest, match="WORKBENCH_REMOTE_BASE_URL"):
        Completion(Settings(remote_base_url="")).complete(
            RenderRequest(prompt="a road", engine="realtime")
        )


def test_the_websocket_is_below_the_base_url() -> None:
    assert realtime_url("https://host:1/v1/") == "wss://host:1/v1/realtime_video/generate"
