"""A channel of a finished video: its file, its values, and its use as control of a render."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workbench import control
from workbench.control.control_request import FOLLOWED_CHANNELS
from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.rendering import Control

if TYPE_CHECKING:
    from workbench.control import ActionSequence, CameraPath

__all__ = ["Channel"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel beside a video; see docs/worlds.md for what each holds."""

    name: str
    path: Path
    job_id: str

    @property
    def facts(self) -> dict[str, Any]:
        """The content of ``channels.json``: size, rate, names and colours, the scale of depth."""
        from workbench.engines.channels import channel_facts  # noqa: PLC0415  loads the decoder

        return channel_facts(self.path.parent)

    def frames(self) -> Iterator[Any]:
        """Yield the values of each frame.

        ``depth``: distances (H×W, ``float32``, ``inf`` for the sky), in units of the distance to
        the subject. ``flow``: motion in pixels and its validity (H×W×2 and H×W). ``segments``:
        colours (H×W×3, ``uint8``). ``edges``, ``gray``: H×W, ``uint8``. Raises ``NotFound`` for a channel
        without frames.
        """
        from workbench.engines import channels  # noqa: PLC0415

        if self.path.suffix != ".mkv":
            raise NotFound("file", self.job_id, f"{self.name} has no frames.")
        near = self.facts["depth"]["near"] if self.name == "depth" else 1.0
        for stored in channels.read_channel(self.path):
            if self.name == "depth":
                yield channels.decode_depth(stored, near)
            elif self.name == "flow":
                yield channels.decode_flow(stored)
            else:
                yield stored

    def camera_path(self) -> CameraPath:
        """Return the camera as filmed; raises ``InvalidRequest`` for another channel."""
        return control.read_path(self.path).value

    def document(self) -> Any:
        """Return the JSON of ``boxes`` or ``camera``."""
        return json.loads(self.path.read_text("utf-8"))

    def actions(self) -> ActionSequence:
        """Return the actions that a model found; raises ``NotFound`` for another channel."""
        if self.name != "actions":
            raise NotFound("file", self.job_id, f"{self.name} contains no actions.")
        facts = self.facts
        return control.read_actions(self.path, facts["actions"]["embodiment"], fps=facts["fps"])

    def _repr_html_(self) -> str | None:
        """Return a plot of the actions; None for another channel."""
        from workbench.journey.action_plots import action_plot  # noqa: PLC0415

        return action_plot(self.actions()) if self.name == "actions" else None

    def as_input(self, field: str) -> Control | CameraPath | ActionSequence:
        """Return it as the parameter ``field`` of a render: ``camera``, ``actions`` or ``control``.

        Raises ``InvalidRequest`` for a channel that the parameter does not take.
        """
        if field == "control":
            return self.as_control()
        if field == self.name == "camera":
            return self.camera_path()
        if field == self.name == "actions":
            return self.actions()
        problem = f"The channel {self.name} is not {field}."
        raise InvalidRequest(problem, (FieldProblem(field, problem),))

    def as_control(self) -> Control:
        """Return it as a control; raises ``InvalidRequest`` for a channel that no model follows."""
        given = {"kind": self.name, "video": self.job_id, "channel": True}
        try:
            return Control.model_validate(given)
        except ValidationError as error:
            followed = ", ".join(FOLLOWED_CHANNELS)
            problem = f"No model follows {self.name}, only {followed}."
            raise InvalidRequest(problem, (FieldProblem("control", problem),)) from error
