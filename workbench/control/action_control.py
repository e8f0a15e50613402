"""A robot's actions in a request: given to a model, or to be predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from workbench import control
from workbench.control.conversion import MAX_FRAMES, Finite
from workbench.control.embodiment import embodiments
from workbench.identifiers import Kind, id_pattern

if TYPE_CHECKING:
    from workbench.control import ActionSequence

__all__ = ["ActionControl", "GivenActions"]

_Rows = Annotated[tuple[tuple[Finite, ...], ...], Field(min_length=1, max_length=MAX_FRAMES)]
_Name = Annotated[str, Field(pattern=id_pattern(Kind.INPUT, Kind.JOB))]


class ActionControl(BaseModel):
    """What a robot does in a video, or what is asked about it; the terms are Cosmos 3's.

    ``forward_dynamics`` shows what ``values`` lead to, from a first frame; ``inverse_dynamics``
    finds the actions in a video; ``policy`` finds actions and video from a first frame and the prompt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["forward_dynamics", "inverse_dynamics", "policy"] = "forward_dynamics"
    embodiment: str = Field("", max_length=64, description="The robot; see docs/worlds.md.")
    values: _Rows | _Name | None = Field(
        None,
        description="Rows of numbers, one for each step, or the id of an upload or of a job with "
        "predicted actions; only for forward_dynamics.",
    )
    fps: Finite | None = Field(None, gt=0, le=1_000, description="Steps per second.")
    view_point: Literal["ego_view", "third_person_view", "wrist_view", "concat_view"] = "ego_view"
    resolution_tier: Literal[256, 480, 704, 720] = 480
    notes: tuple[str, ...] = ()
    """What was cut or repeated to fit the video; the engine sets it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.embodiment not in embodiments() and not (
            self.embodiment == "" and isinstance(self.values, str)
        ):
            raise ValueError(
                f"{self.embodiment[:40]!r} is not an embodiment; known: {', '.join(embodiments())}"
            )
        if self.mode == "forward_dynamics" and self.values is None:
            raise ValueError("forward_dynamics needs values: the actions of the robot")
        if self.mode != "forward_dynamics" and self.values is not None:
            raise ValueError(f"{self.mode} predicts the actions itself; leave values out")
        if isinstance(self.values, tuple):
            control.ActionSequence(embodiment=self.embodiment, values=self.values)
        return self

    @classmethod
    def of(cls, given: Any) -> Any:
        """Return an ``ActionSequence`` or its document as given actions; other values unchanged."""
        if isinstance(given, BaseModel) and not isinstance(given, cls):
            given = given.model_dump()
        if isinstance(given, Mapping) and given.get("type") == "actions":
            return {name: value for name, value in given.items() if name != "type"}
        return given

    @property
    def label(self) -> str:
        """Its label on the screen."""
        if isinstance(self.values, tuple):
            digest = control.control_digest(self.sequence())[:6]
            return f"{len(self.values)} actions of {self.embodiment}, {digest}"
        return f"{self.mode.replace('_', ' ')} of {self.embodiment}"

    @property
    def predicts(self) -> bool:
        """Whether the model predicts the actions."""
        return self.mode != "forward_dynamics"

    @property
    def width(self) -> int:
        """Numbers in one action."""
        return embodiments()[self.embodiment].width

    def sequence(self) -> ActionSequence:
        """Return the given actions; raises ``ValueError`` unless ``values`` are rows of numbers."""
        if not isinstance(self.values, tuple):
            raise ValueError("values is the id of an upload or a job: it contains no rows itself")  # noqa: TRY004  a value, not its type
        return control.ActionSequence(embodiment=self.embodiment, values=self.values, fps=self.fps)

    def with_sequence(self, found: ActionSequence) -> Self:
        """Return it with the actions of the named file; raises ``ValueError`` for another body."""
        if self.embodiment not in {"", found.embodiment}:
            raise ValueError(f"the actions are those of {found.embodiment}, not {self.embodiment}")
        update = {"embodiment": found.embodiment, "values": found.values}
        return self.model_copy(update={**update, "fps": self.fps or found.fps})

    def fitted(self, steps: int) -> Self:
        """Return it with exactly ``steps`` actions, as the model requires, and a note."""
        if self.predicts:
            return self
        made = self.sequence().fitted(steps)
        notes = tuple(dict.fromkeys((*self.notes, *made.notes)))
        return self.model_copy(update={"values": made.value.values, "notes": notes})


GivenActions = Annotated[ActionControl, BeforeValidator(ActionControl.of)]
"""A request's ``actions``: an ``ActionControl``, an ``ActionSequence`` or its document."""
