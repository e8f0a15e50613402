"""A live world shown at one page: drawn in a thread of its own, sent as fast as the page takes it.

Knows nothing of sessions and jobs; every frame is on disk before it is sent. At most two pictures are under way to the page; of those drawn
meanwhile the newest waits, and the others are only recorded.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from workbench.control.keys import KeyWalk
from workbench.errors import RenderError, WorkbenchError
from workbench.live_worlds import LiveFrame, LiveWalk
from workbench.widgets.loop import WidgetTasks
from workbench.widgets.presentation import View

__all__ = ["LiveShow"]

_log = logging.getLogger(__name__)

_MOST_UNDER_WAY: Final = 2
_QUALITY: Final = 80
_LOOK_S: Final = 2.0
_GONE_S: Final = 30.0
"""A page that takes no picture for this long, while there are some, is closed."""
_LEFT_S: Final = 900.0
"""A world that nobody asks anything of for this long is ended."""

_SILENT: Final = "The live world was ended because nobody was there."

Send = Callable[[View, bytes | None], None]


class LiveShow:
    """One walk at one page. Every method runs on the loop; it rests until :meth:`run`."""

    def __init__(
        self,
        world: str,
        walk: LiveWalk,
        tasks: WidgetTasks,
        send: Send,
        ended: Callable[[LiveShow], None],
    ) -> None:
        """``ended`` is called on the loop when the world has ended by itself."""
        self.world = world
        self.walk = walk
        self.recorded: View | None = None
        """What the page is told of its job."""
        self.recording = asyncio.Lock()
        """Held while it is recorded."""
        self._tasks = tasks
        self._send = send
        self._ended = ended
        self._going = threading.Event()
        self._closed = False
        self._over = False
        self._newest: tuple[View, LiveFrame] | None = None
        self._under_way: list[int] = []
        self._stirred = asyncio.Event()
        self._heard_at_s = time.monotonic()

    def start(self) -> None:
        """Begin to draw; a world that rests shows its first picture and waits."""
        if not self.walk.feed.rests:
            self._going.set()
        threading.Thread(target=self._draw, name="workbench-live", daemon=True).start()
        self._tasks.start(self._show())

    def run(self, *, on: bool) -> None:
        """Let time go on, or stand still; a server's never stands still."""
        self._heard_at_s = time.monotonic()
        if on:
            self._going.set()
        elif self.walk.feed.rests:
            self._going.clear()

    def hold(self, keys: str) -> None:
        """Hold these keys from now on; raises ``InvalidRequest`` for unknown ones."""
        self._heard_at_s = time.monotonic()
        with suppress(RenderError):  # a lost server is told by the pictures' thread
            self.walk.hold(keys)

    def seen(self, frame: int) -> None:
        """Take note that the page has drawn a picture."""
        self._heard_at_s = time.monotonic()
        self._under_way = [number for number in self._under_way if number > frame]
        self._stirred.set()

    def close(self) -> None:
        """End the world; what was seen is on disk."""
        self._closed = True
        self.walk.close()
        self._going.set()
        self._stirred.set()

    def _draw(self) -> None:
        """Draw every frame of the walk; in a thread of its own."""
        camera, told = KeyWalk(), ""
        try:
            for number, frame in enumerate(self.walk.frames()):
                camera.step(frame.led_by)
                turn, _, right, forward = camera.state.round(4).tolist()
                view = {"frame": number, "note": frame.note, "at": [right, forward, turn]}
                self._tasks.call(self._offer, view, frame)
                self._going.wait()
                if self._closed:
                    break
        except WorkbenchError as error:
            told = str(error)
        except Exception as error:  # noqa: BLE001  the page must not wait for ever, whatever went wrong
            _log.exception("The live world failed.")
            told = f"Unexpected error ({type(error).__name__}: {error})."
        self._tasks.call(self._end, told or self.walk.told)

    def _offer(self, view: View, frame: LiveFrame) -> None:
        self._newest = (view, frame)
        self._stirred.set()

    def _end(self, told: str) -> None:
        if self._over or self._closed:
            return
        self._over = True
        limit = len(self.walk.led_by) >= self.walk.most_frames
        self._send(
            {"kind": "live", "world": self.world, "over": True, "error": told, "limit": limit}, None
        )
        self._ended(self)

    async def _show(self) -> None:
        """Send the newest picture whenever the page has room for it."""
        while not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), _LOOK_S)
            self._stirred.clear()
            if self._newest is not None and len(self._under_way) < _MOST_UNDER_WAY:
                (view, frame), self._newest = self._newest, None
                self._under_way.append(view["frame"])
                data = await asyncio.to_thread(frame.jpeg, _QUALITY)
                self._send({"kind": "live", "world": self.world, **view}, data)
                self._stirred.set()  # another may have come meanwhile
            silent_s = time.monotonic() - self._heard_at_s
            waits = bool(self._under_way) and self._going.is_set() and not self._over
            if silent_s > (_GONE_S if waits else _LEFT_S):
                self._end(_SILENT)
                self.close()
