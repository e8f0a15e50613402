"""A live world: keys are held, what they lead to is seen, and a job records it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from workbench.errors import FieldProblem, InvalidRequest
from workbench.journey.videos import Video, named_inputs
from workbench.live_journal import WalkPlace
from workbench.rendering import RenderParameters

if TYPE_CHECKING:
    from workbench.journey.prompts import Prompt
    from workbench.studio import Studio

__all__ = ["LiveWorld"]

_OF_A_RECORDING: Final = frozenset({"camera", "num_frames"})


class LiveWorld:
    """The storyboard, or a session at a realtime server, as a world; a context manager.

    Iterate over :meth:`frames` and call :meth:`hold` meanwhile. The session is recorded as a job when
    it is closed, and later if its process is killed; :meth:`recorded` is that job. Parameters are those of :func:`workbench.render`; ``seconds`` is how long
    the world lasts at most. The world of a :class:`Prompt` has its scene and render settings, and
    the job belongs to it.
    """

    def __init__(
        self,
        prompt: str | Prompt,
        *,
        using: Studio,
        seconds: float | None = None,
        **parameters: Any,
    ) -> None:
        if own := sorted(_OF_A_RECORDING & parameters.keys()):
            told = (
                f"{', '.join(own)}: a live world is steered by hold() and ends when you leave it."
            )
            raise InvalidRequest(told, tuple(FieldProblem(name, told) for name in own))
        self._studio = using
        self._video: Video | None = None
        self._kept_frames = 0
        using.live_worlds.record_left()
        asked = RenderParameters.of(named_inputs(parameters))
        worlds, place = using.live_worlds, None
        if isinstance(prompt, str):
            placed = worlds.idea(prompt)
        else:
            placed = worlds.idea(prompt.text, prompt.settings, prompt.scene)
            place = WalkPlace(session_id=prompt.session.session_id, entry_index=prompt.index)
        self._walk = worlds.walk(placed, asked, seconds=seconds, place=place)

    @property
    def engine(self) -> str:
        """Whose world it is: ``animatic``, the storyboard, or ``realtime``."""
        return self._walk.request.engine

    @property
    def keys(self) -> str:
        """The keys that led to the frames so far, such as ``w-12,none-4``; empty before the first."""
        return self._walk.keys

    @property
    def limit_s(self) -> float:
        """How long it may last, in seconds."""
        return self._walk.limit_s

    def hold(self, keys: str) -> Self:
        """Hold these keys, such as ``jw``, from now on; empty releases all.

        A storyboard shows them in its next frame, a server some frames later. Raises
        ``InvalidRequest`` for other keys than w a s d i j k l.
        """
        self._walk.hold(keys)
        return self

    def frames(self) -> Iterator[Any]:
        """Yield each frame (RGB, H×W×3, ``uint8``) as it arrives; leave the loop to end the world.

        A storyboard stands still while no frame is taken, and stays within its stage. Raises
        ``RenderError`` where a server stalls, breaks off or sends what is no frame.
        """
        for frame in self._walk.frames():
            yield frame.picture

    def recorded(self) -> Video:
        """Return the job that records the session so far, queued if it is not yet.

        Raises ``InvalidRequest`` before the first frame.
        """
        frames = len(self._walk.led_by)
        if self._video is None or frames != self._kept_frames:
            job = self._studio.live_worlds.keep(self._walk)
            self._kept_frames = frames
            self._video = Video(job.job_id, using=self._studio)
        return self._video

    def close(self) -> None:
        """End the world, and record it unless it was shorter than a second or no key was held.

        Raises ``WorkbenchError`` if it cannot be recorded now; it is then recorded later.
        """
        worlds, frames = self._studio.live_worlds, len(self._walk.led_by)
        if self._kept_frames == frames:
            worlds.drop(self._walk)
        elif (found := worlds.record(self._walk)) is not None:
            self._kept_frames = frames
            self._video = Video(found.job.job_id, using=self._studio)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
