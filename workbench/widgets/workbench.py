"""The Workbench widget: the four steps in a notebook cell or a dashboard.

Holds the state that the browser sees as synced traits, and passes the browser's commands to the
controllers. All work is done on Studio's loop, so that neither the kernel nor the screen waits for
the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

from workbench import journey
from workbench.measures.scorers import better_when_lower
from workbench.studio import Studio
from workbench.widgets.best_of_controller import BestOfController
from workbench.widgets.bundle import bundle_module, bundle_styles
from workbench.widgets.camera_controller import CameraController
from workbench.widgets.commands import answer_command, commands_of
from workbench.widgets.direction_controller import DirectionController
from workbench.widgets.intake import Intake
from workbench.widgets.language_chooser import LanguageChooser
from workbench.widgets.live_controller import LiveController
from workbench.widgets.loop import WidgetTasks
from workbench.widgets.machines import Machines
from workbench.widgets.presentation import View, field_views
from workbench.widgets.queue_controller import QueueController
from workbench.widgets.renders import Renders
from workbench.widgets.rollout_controller import RolloutController
from workbench.widgets.session_controller import SessionController
from workbench.widgets.session_library import SessionLibrary
from workbench.widgets.tuning import Tuning

__all__ = ["Workbench"]

_STATIC: Final = Path(__file__).resolve().parent / "static"


class Workbench(anywidget.AnyWidget):
    """The workbench: prompt, variations, tuning, results.

    ``session`` is the id of a session to continue; without it the browser reopens the session that
    it last had open in this notebook. ``private`` shows a visitor only the sessions of their own
    browser; it is the default in a dashboard.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    session_state = traitlets.Dict().tag(sync=True)
    """The open session with all its prompts; empty if none is open."""
    jobs_state = traitlets.Dict().tag(sync=True)
    """Job id → job. Updated in place and sent as patches; sent in full only to a loading page."""
    devices_state = traitlets.List(traitlets.Dict()).tag(sync=True)
    queue_state = traitlets.Dict().tag(sync=True)
    """Whether the whole queue is paused."""
    board_state = traitlets.Dict().tag(sync=True)
    """The variation grid: entry indices in order, the pinned ones, the batch."""
    config = traitlets.Dict().tag(sync=True)
    """Constant while the widget lives."""
    selected_ids = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        session: str | None = None,
        *,
        using: Studio | None = None,
        private: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._studio = using or journey.studio()
        in_dashboard = "VOILA_REQUEST_URL" in os.environ
        self._private = in_dashboard if private is None else private
        super().__init__(config=self._config(session), **kwargs)
        _hear_where_asked(self.comm)
        self._tasks = WidgetTasks(self._studio.loop)
        self._renders = Renders(self._studio, self._tasks, self, private=self._private)
        self._controller = SessionController(
            self._studio, self._renders, self, private=self._private
        )
        self._machines = Machines(
            self._studio, self._tasks, self, self._renders, private=self._private
        )
        library = SessionLibrary(self._studio, self._controller, private=self._private)
        language = LanguageChooser(self._studio, self._controller, private=self._private)
        tuning = Tuning(self._studio, self._controller, self._renders, self)
        queue = QueueController(self._studio, private=self._private)
        rollouts = RolloutController(self._studio, self._renders)
        direction = DirectionController(self._studio, self._controller, self._renders)
        camera = CameraController(self._studio, self._controller, self._renders)
        self._live = LiveController(
            self._studio, self._tasks, self._controller, self._renders, self._tell_with_data
        )
        intake = Intake(self._studio, self._controller, self._renders, private=self._private)
        self._best_of = BestOfController(self._studio, self._controller)
        owners = (
            self._renders, self._controller, tuning, library, language, queue, intake, self._best_of,
            self._machines, camera, rollouts, direction, self._live,
        )  # fmt: skip
        self._commands = {k: v for owner in owners for k, v in commands_of(owner).items()}
        self.on_msg(self._heard)
        if session is not None:
            self._studio.sessions.session(
                session
            )  # an unknown session fails here, not in the browser
            self._tasks.start(self._controller.take_up(session))

    # for use in a notebook

    @property
    def session(self) -> journey.Session | None:
        """The open session, or None before the first prompt."""
        session_id = self.session_state.get("id")
        return journey.Session(session_id, using=self._studio) if session_id else None

    @property
    def batch(self) -> journey.Batch | None:
        """The newest batch of this session, or None."""
        batch_id = self.board_state.get("batch")
        return journey.Batch(batch_id, using=self._studio) if batch_id else None

    @property
    def selected(self) -> journey.VideoList:
        """The videos selected in the results, in order of selection."""
        return journey.VideoList(
            journey.Video(job_id, using=self._studio) for job_id in self.selected_ids
        )

    def close(self) -> None:
        """Close the widget; renders continue, best-of-N runs stop until they are resumed."""
        if hasattr(self, "_renders"):  # missing if the constructor failed
            self._live.close()
            self._renders.close()
            self._tasks.close()
        if hasattr(self, "_best_of"):
            self._best_of.close()
        super().close()

    # what the page shows; called only on the loop

    def show(self, name: str, value: Any) -> None:
        """Set the state that the browser sees under ``name``."""
        self.set_trait(name, value)

    def replace_jobs(self, views: Iterable[View]) -> None:
        """Replace all jobs that the browser knows with these.

        Sent as a message instead of the trait: the browser's copy of the trait dates from when the
        page loaded, so setting the trait to an equal value would change nothing there.
        """
        self.jobs_state.clear()
        self.jobs_state.update({view["job_id"]: view for view in views})
        self.tell_all_jobs()

    def patch_jobs(self, views: Iterable[View]) -> None:
        """Send the browser only these jobs."""
        changed = {view["job_id"]: view for view in views}
        self.jobs_state.update(changed)
        self.send({"kind": "jobs", "jobs": list(changed.values())})

    def tell_all_jobs(self) -> None:
        """Send the browser every job."""
        self.send({"kind": "jobs", "jobs": list(self.jobs_state.values()), "all": True})

    def move_jobs(self, places: Mapping[str, View]) -> None:
        """Send the browser the queue positions of waiting jobs."""
        for job_id, place in places.items():
            if job_id in self.jobs_state:
                self.jobs_state[job_id].update(place)
        self.send({"kind": "places", "places": dict(places)})

    def forget_job(self, job_id: str) -> None:
        """Remove a job from the browser."""
        self.jobs_state.pop(job_id, None)
        self.send({"kind": "gone", "job": job_id})

    def tell(self, message: View) -> None:
        """Send a message to the open pages."""
        self.send(message)

    def _tell_with_data(self, message: View, data: bytes | None) -> None:
        self.send(message, buffers=None if data is None else [data])

    # commands from the browser

    def _heard(self, _widget: object, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        if isinstance(content.get("id"), str):
            self._tasks.start(self._answer(content, buffers))
        elif "id" not in content:  # many a second, and nobody waits for an answer
            self._tasks.start(self._carry_out(content))

    async def _carry_out(self, content: dict[str, Any]) -> None:
        await answer_command(self._commands, content.get("do"), content.get("with", {}))

    async def _answer(self, content: dict[str, Any], buffers: Any) -> None:
        request_id = content["id"]
        self.send({"kind": "heard", "id": request_id})
        answer = await answer_command(
            self._commands, content.get("do"), _arguments(content, buffers)
        )
        value = answer.get("value")
        if isinstance(value, bytes):
            self.send({"kind": "answer", "id": request_id, "value": None}, buffers=[value])
        else:
            self.send({"kind": "answer", "id": request_id, **answer})

    def _config(self, session: str | None) -> View:
        settings = self._studio.settings
        return {
            "groups": field_views(),
            "engine": settings.engine,
            "engines": self._engines(),
            "live_engines": list(self._studio.live_worlds.engines),
            "provider": self._studio.language.choice().provider,
            "session": session,
            "private": self._private,
            "place": os.environ.get("JPY_SESSION_NAME") or os.environ.get("SCRIPT_NAME") or "",
            "max_prompt_chars": settings.max_prompt_chars,
            "max_batch": settings.max_batch_prompts,
            "lower_scores": sorted(better_when_lower(settings)),
            "version": metadata.version("world-model-workbench"),
        }

    def _engines(self) -> list[str]:
        """Return the engines that can render here: the remote one only if it has an endpoint."""
        settings = self._studio.settings
        names = self._studio.engine_names()
        return [name for name in names if name != "remote" or settings.remote_base_url]

    @traitlets.default("_esm")
    def _default_esm(self) -> str:
        return _module()

    @traitlets.default("_css")
    def _default_css(self) -> str:
        return bundle_styles(_STATIC)


def _arguments(content: dict[str, Any], buffers: Any) -> Any:
    """Return a command's arguments, with an attached file as ``data``."""
    arguments = content.get("with", {})
    if buffers and isinstance(arguments, dict):
        return {**arguments, "data": bytes(buffers[0])}
    return arguments


@cache
def _module() -> str:
    return bundle_module(_STATIC / "main.js")


def _hear_where_asked(comm: Any) -> None:
    """Receive the browser's messages on the subshell on which it sends them.

    ipykernel 7.4 would use the shell on which the widget last sent, usually the main one, where a
    message waits for the running cell. The answer comes from our own loop either way.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _, asked: asked  # noqa: SLF001  there is no public way
