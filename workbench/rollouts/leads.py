"""The control video that a model follows through its world, cut into each segment's part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from workbench.errors import DamagedFile, InvalidRequest
from workbench.rendering import Control
from workbench.rollouts.model import Origin, RolloutParameters, segment_of
from workbench.rollouts.paths import refused

__all__ = ["Lead"]

_SAME_MOMENT = 1e-6


@dataclass(frozen=True, slots=True)
class Lead:
    """A control in the time of a world."""

    control: Control
    """Names a file, or waits for the world's own storyboard; its ``start_s`` is what the world begins
    with, if that is in the control."""
    offset: int
    """The frame of the control that the world begins with."""
    num_frames: int
    """Frames of the world that it lasts."""
    fps: float

    @classmethod
    def of(cls, origin: Origin, asked: RolloutParameters, fps: float) -> Self | None:
        """Return the control that is asked for, or that of what the segments go on from.

        The storyboard of a world is drawn anew for each branch, as long as it is planned to be.
        Raises ``InvalidRequest`` for a video that does not open.
        """
        from workbench.engines.control_frames import control_facts  # noqa: PLC0415  the decoder

        given = origin.base.options.get("control")
        if asked.control is None and given is None:
            return None
        control = asked.control or Control.model_validate(given)
        if control.waits or (asked.control is None and origin.storyboard is not None):
            own = control.model_copy(update={"video": "", "channel": False, "start_s": 0.0})
            return cls(own, 0, origin.led_frames(asked, fps), fps)
        offset = round(control.start_s * fps)
        if asked.control is None:
            segment = segment_of(origin.base)
            offset -= segment.start - segment.overlap
        path = Path(control.video)
        try:
            facts = control_facts(path)
        except (DamagedFile, OSError) as error:
            if asked.control is None:
                return None
            raise refused("control", f"Its video does not open: {error}".rstrip(".")) from error
        count = facts.num_frames
        in_time = facts.is_channel or not control.ready
        if in_time and facts.fps != fps:  # it is read at the model's rate
            count = int((count - 1) / facts.fps * fps + _SAME_MOMENT) + 1
        return cls(control, offset, count - offset, fps)

    def part(self, first: int) -> Control:
        """Return the control from frame ``first`` of the world on."""
        start_s = (self.offset + first) / self.fps
        return self.control.model_copy(update={"start_s": start_s})

    def ends_before(self, end: int) -> InvalidRequest:
        """Return the error of a world that is to last until frame ``end``."""
        if self.control.waits:
            return refused(
                "seconds",
                f"would make the world {end / self.fps:g} s long, but its storyboard is planned for "
                f"{self.num_frames / self.fps:g} s: roll it out with a larger planned_s",
            )
        return refused(
            "control",
            f"lasts {self.num_frames / self.fps:g} s of the world, which would be "
            f"{end / self.fps:g} s long: go on for less, or give a longer one",
        )
