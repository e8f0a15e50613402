"""The live view's commands, asked as the page asks them."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import workbench
from tests.engines.realtime.server import RealtimeServer
from tests.live_server import end_supervisor
from tests.widgets.talk import Talk
from workbench.engines.animatic.studio import film_of
from workbench.engines.pixels import to_rgb
from workbench.settings import Settings
from workbench.studio import Studio

IDEA = "a red car on a coast road"


class Page:
    """The live view of one page: takes pictures and tells that it has drawn them, if it ``draws``."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.draws = True
        self.frames: list[dict[str, Any]] = []
        self.over: dict[str, Any] | None = None
        self.world: dict[str, Any] = {}
        self.recorded: list[dict[str, Any]] = []
        send = talk.bench.send

        def heard(content: dict[str, Any], buffers: Any = None) -> None:
            send(content, buffers)
            if content["kind"] == "live_recorded":
                self.recorded.append(content)
            if content["kind"] != "live":
                return
            if content.get("over"):
                self.over = content
                return
            self.frames.append({**content, "data": buffers[0]})
            if self.draws:
                self.tell("live_seen", frame=content["frame"])

        talk.bench.send = heard

    def begin(self, **given: Any) -> None:
        """Open a world and take its first picture."""
        self.frames, self.over = [], None
        answer = self.talk.ask("live_begin", **{"settings": {}, "idea": IDEA, **given})
        assert "value" in answer, answer
        self.world = answer["value"]

    def tell(self, name: str, **given: Any) -> None:
        """Send a message that gets no answer."""
        given = {"world": self.world["world"], **given} if self.world else given
        self.talk.bench._handle_custom_msg({"do": name, "with": given}, [])

    def ask(self, name: str, **given: Any) -> dict[str, Any]:
        """Ask, and return the kernel's answer."""
        return self.talk.ask(name, world=self.world["world"], **given)

    def wait_for_frame(self, number: int) -> dict[str, Any]:
        """Wait until picture ``number`` or a later one has come, and return the newest."""
        self.talk.wait_until(lambda: self.frames and self.frames[-1]["frame"] >= number)
        return self.frames[-1]


def picture(frame: dict[str, Any]) -> Any:
    """Return a picture as it came, RGB."""
    return np.array(Image.open(io.BytesIO(frame["data"])).convert("RGB"))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open pages on one outputs/ folder."""
    outputs = tmp_path / "outputs"
    made: list[tuple[workbench.Workbench, Studio]] = []

    def open_page(**settings: Any) -> Page:
        studio = Studio(Settings(outputs=outputs, **settings))
        bench = workbench.Workbench(using=studio)
        made.append((bench, studio))
        return Page(Talk(bench))

    yield open_page
    for bench, studio in made:
        bench.close()
        studio.close()
    end_supervisor(outputs)


def _threads() -> int:
    return sum(one.name == "workbench-live" for one in threading.enumerate())


def test_a_world_waits_at_its_first_picture_until_time_is_let_go_on(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    page.begin()
    assert page.world["engine"] == "animatic"
    assert page.talk.bench.config["live_engines"] == ["animatic"]
    assert (page.world["fps"], page.world["limit_s"], page.world["rests"]) == (16, 30, True)
    first = page.wait_for_frame(0)
    assert picture(first).shape == (page.world["height"], page.world["width"], 3)
    page.tell("live_hold", keys="jw")
    assert page.ask("live_keys")["value"] == "none-1"
    page.tell("live_run", on=True)
    last = page.wait_for_frame(6)
    right, forward, turn = last["at"]
    assert forward > 0.2
    assert right < 0
    assert turn == pytest.approx(-np.radians(1.2) * last["frame"], abs=1e-3)
    page.tell("live_run", on=False)
    page.ask("live_keys")
    seen = page.wait_for_frame(6)["frame"]
    answer = page.talk.ask("camera", settings={}, edit={"do": "say", "said": "orbit left"})
    assert answer["value"]["label"] == "orbit left", "other commands are answered meanwhile"
    assert page.frames[-1]["frame"] - seen <= 1


def test_other_commands_are_answered_while_time_goes_on(opened: Callable[..., Page]) -> None:
    page = opened()
    page.begin()
    page.tell("live_run", on=True)
    page.wait_for_frame(2)
    for said in ("orbit left", "push in", "crane up"):
        answer = page.talk.ask("camera", settings={}, edit={"do": "say", "said": said})
        assert answer["value"]["label"] == said
    here = page.frames[-1]["frame"]
    page.wait_for_frame(here + 2)


def test_a_page_that_draws_nothing_gets_two_pictures_and_the_newest_once_it_draws_again(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    page.begin()
    page.wait_for_frame(0)
    page.draws = False
    page.tell("live_run", on=True)

    def frames_so_far() -> int:
        said = page.ask("live_keys")["value"]
        return sum(int(run.rpartition("-")[2]) for run in said.split(","))

    page.talk.wait_until(lambda: frames_so_far() >= 12)
    under_way = [frame["frame"] for frame in page.frames[1:]]
    assert len(under_way) == 2, "nothing piles up"
    page.draws = True
    page.tell("live_seen", frame=under_way[-1])
    newest = page.wait_for_frame(under_way[-1] + 1)["frame"]
    assert newest >= 12, "what came between is left out"


def test_what_was_walked_is_kept_as_a_video_whose_frames_are_those_that_were_seen(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    talk = page.talk
    index = talk.ask("enhance", text="dog running", settings={"aspect": "9:16", "seed": 7})
    index = index["value"]["index"]
    page.begin(settings=talk.entries[index]["settings"], index=index, idea="")
    assert page.world["height"] > page.world["width"], "in the format of the session"
    page.tell("live_hold", keys="d")
    page.tell("live_run", on=True)
    page.wait_for_frame(8)
    answer = page.ask("live_keep")
    assert answer["value"]["index"] == index
    job = answer["value"]["job"]
    talk.wait_until(lambda: talk.bench.jobs_state[job]["state"] == "complete")
    request = talk.bench._studio.jobs.job(job).request
    steps = (request.num_frames or 0) - 1
    assert request.camera is not None
    assert request.camera.said == f"d-{steps}"
    assert (request.fps, request.seed) == (16, 7)
    assert answer["value"]["seconds"] == steps / 16
    film = film_of(request)
    for frame in page.frames:
        drawn = to_rgb(film.frame(frame["frame"]).planes)
        off = np.abs(drawn.astype(int) - picture(frame).astype(int)).mean()
        assert off < 4, "JPEG alone comes between"
    view = talk.ask("job_camera", job=job)["value"]
    assert view["curve"][-1][1] > 0.3, "its path can be laid over it"
    assert talk.entries[index]["index"] == index


def test_what_was_walked_is_recorded_when_it_is_left_and_the_page_is_told_where(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    talk = page.talk
    index = talk.ask("enhance", text="dog running", settings={"seed": 7})["value"]["index"]
    page.begin(settings=talk.entries[index]["settings"], index=index, idea="")
    page.tell("live_hold", keys="d")
    page.tell("live_run", on=True)
    page.wait_for_frame(20)
    page.tell("live_end")
    talk.wait_until(lambda: page.recorded)
    (told,) = page.recorded
    assert (told["world"], told["index"]) == (page.world["world"], index)
    assert told["job"] in talk.bench.jobs_state
    request = talk.bench._studio.jobs.job(told["job"]).request
    assert request.camera is not None
    assert request.camera.said == f"d-{round(told['seconds'] * 16)}"
    page.begin(settings=talk.entries[index]["settings"], index=index, idea="")
    page.wait_for_frame(0)
    page.tell("live_end")
    assert talk.ask("live_left")["value"] == []
    assert len(page.recorded) == 1, "nothing was walked"


def test_a_walk_that_was_cut_off_is_recorded_when_the_page_is_opened_again(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    talk = page.talk
    index = talk.ask("enhance", text="dog running", settings={})["value"]["index"]
    page.begin(index=index, idea="")
    page.tell("live_hold", keys="d")
    page.tell("live_run", on=True)
    page.wait_for_frame(20)
    show = talk.bench._live._show
    assert show is not None
    talk.bench._live._show = None
    show.close()  # as the end of its process would leave it
    (told,) = talk.ask("live_left")["value"]
    assert told["index"] == index
    assert told["job"] in talk.bench.jobs_state
    assert talk.ask("live_left")["value"] == []


def test_an_idea_that_is_kept_begins_a_session(opened: Callable[..., Page]) -> None:
    page = opened()
    page.begin(settings={"seed": 5})
    page.tell("live_run", on=True)
    page.wait_for_frame(3)
    kept = page.ask("live_keep")["value"]
    talk = page.talk
    assert talk.entries[kept["index"]]["prompt"] == IDEA
    assert talk.entries[kept["index"]]["settings"]["seed"] == 5
    assert kept["job"] in talk.bench.jobs_state
    assert talk.bench._studio.jobs.job(kept["job"]).request.seed == 5


def test_a_world_that_ends_at_its_limit_is_recorded_by_itself(
    opened: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.live_worlds._STORYBOARD_S", 1.5)
    page = opened()
    page.begin(settings={"seed": 5})
    page.tell("live_hold", keys="w")
    page.tell("live_run", on=True)
    page.talk.wait_until(lambda: page.recorded)
    (told,) = page.recorded
    assert told["seconds"] == 1.5
    assert page.talk.entries[told["index"]]["prompt"] == IDEA, "it begins a session"
    assert page.talk.entries[told["index"]]["settings"]["seed"] == 5
    assert page.ask("live_keep")["value"]["job"] == told["job"], "once"


def test_a_world_ends_at_its_limit_and_can_still_be_kept(
    opened: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.live_worlds._STORYBOARD_S", 0.5)
    page = opened()
    page.begin()
    assert page.world["limit_s"] == 0.5
    page.tell("live_run", on=True)
    page.talk.wait_until(lambda: page.over)
    assert page.over is not None
    assert (page.over["limit"], page.over["error"]) == (True, "")
    job = page.ask("live_keep")["value"]["job"]
    assert page.talk.bench._studio.jobs.job(job).request.num_frames == 9


def test_closing_ends_the_world(opened: Callable[..., Page]) -> None:
    page = opened()
    page.begin()
    page.tell("live_run", on=True)
    page.wait_for_frame(1)
    first = page.world["world"]
    page.begin()
    assert "has ended" in page.talk.ask("live_keep", world=first)["error"]["message"]
    page.talk.wait_until(lambda: _threads() == 1)
    page.tell("live_end")
    page.talk.wait_until(lambda: _threads() == 0)
    page.begin()
    page.tell("live_run", on=True)
    page.wait_for_frame(1)
    page.talk.bench.close()
    page.talk.wait_until(lambda: _threads() == 0)


def test_a_page_that_has_gone_ends_the_world(
    opened: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.widgets.live_show._GONE_S", 0.2)
    monkeypatch.setattr("workbench.widgets.live_show._LOOK_S", 0.1)
    page = opened()
    page.begin()
    page.wait_for_frame(0)
    page.draws = False
    page.tell("live_run", on=True)
    page.talk.wait_until(lambda: _threads() == 0)
    assert page.over is not None
    assert "nobody was there" in page.over["error"]


def test_what_cannot_be_is_answered_with_a_reason(opened: Callable[..., Page]) -> None:
    page = opened()
    talk = page.talk
    for given, told in (
        ({"idea": " "}, "describe your idea"),
        ({"engine": "diffusers"}, "no live world"),
        ({"engine": "realtime"}, "WORKBENCH_REMOTE_BASE_URL"),
        ({"index": 4}, "no prompt 4"),
    ):
        answer = talk.ask("live_begin", **{"settings": {}, "idea": IDEA, **given})
        assert told in answer["error"]["message"]
    page.begin()
    assert "unknown keys" in page.ask("live_hold", keys="x")["error"]["message"]
    page.tell("live_hold", keys="x")
    assert "has ended" in talk.ask("live_run", world="none", on=True)["error"]["message"]


def _drop(socket: Any, chunk: int) -> bool:
    if chunk == 3:
        socket.socket.close()
    return False


def test_a_servers_world_is_shown_and_what_came_before_it_broke_off_can_be_kept(
    opened: Callable[..., Page],
) -> None:
    with RealtimeServer(_drop) as server:
        page = opened(remote_base_url=server.url, remote_worlds=True)
        page.begin(settings={"width": 64, "height": 64, "seed": 3})
        assert page.world["engine"] == "realtime"
        assert page.talk.bench.config["live_engines"] == ["realtime", "animatic"]
        assert page.world["rests"] is False
        page.talk.wait_until(lambda: page.over)
        assert page.over is not None
        assert "closed the connection" in page.over["error"]
        job = page.ask("live_keep")["value"]["job"]
        page.talk.wait_until(lambda: page.talk.bench.jobs_state[job]["state"] == "complete")
        request = page.talk.bench._studio.jobs.job(job).request
        assert request.num_frames == 24
        assert request.camera is not None
        assert request.camera.said == "none-24"


def test_an_endpoint_of_videos_alone_does_not_replace_the_storyboards_world(
    opened: Callable[..., Page],
) -> None:
    with RealtimeServer(_drop) as server:
        page = opened(remote_base_url=server.url)
        assert page.talk.bench.config["live_engines"] == ["animatic", "realtime"]
        page.begin(settings={"width": 64, "height": 64, "seed": 3})
        assert page.world["engine"] == "animatic"


def test_a_server_that_is_silent_does_not_hold_up_the_kernel(opened: Callable[..., Page]) -> None:
    leave = threading.Event()
    with RealtimeServer(lambda _, chunk: chunk == 1 and leave.wait(60)) as server:
        page = opened(remote_base_url=server.url, remote_worlds=True)
        page.begin(settings={"width": 64, "height": 64, "seed": 3})
        page.wait_for_frame(0)
        began = time.monotonic()
        assert page.talk.ask("camera_moves")["value"]
        page.tell("live_hold", keys="w")
        page.tell("live_end")
        page.talk.wait_until(lambda: _threads() == 0)
        leave.set()
        assert time.monotonic() - began < 60
