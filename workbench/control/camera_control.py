"""The camera of a request: as given, then resolved to poses.

It is given as words, keys, a JSON document or the id of an upload. Only a complete request has the
length of its video, from which :meth:`CameraControl.resolved` makes the path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from workbench import control
from workbench.control.conversion import MAX_FRAMES, Converted, invalid
from workbench.errors import InvalidRequest

if TYPE_CHECKING:
    from workbench.control import CameraPath, Intrinsics

__all__ = ["CameraControl", "GivenCamera"]

_KEYS: Final = re.compile(r"\s*[A-Za-z]+-\d+(?:\s*[,\uff0c]\s*[A-Za-z]+-\d+)*\s*")
_LONGEST_TEXT: Final = 100_000
_OWN: Final = frozenset({"said", "path", "words", "notes", "way"})
_SAME_S: Final = 0.05


class CameraControl(BaseModel):
    """Where the camera goes in a video."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    said: str = Field("", max_length=_LONGEST_TEXT)
    """The words or keys as they were given; empty for a path that came as poses."""
    path: Mapping[str, Any] | None = None
    """A ``CameraPath`` as its JSON document; None until the request is complete."""
    words: str = ""
    """The path in words, for models that read nothing else."""
    notes: tuple[str, ...] = ()
    """What was assumed, rounded or not read."""
    way: Literal["", "poses", "words"] = ""
    """How the engine is told: it follows the poses, or the words are added to its prompt."""

    @classmethod
    def of(cls, given: Any) -> Self:
        """Return the control for a text, a ``CameraPath``, its document, or a dump of this class.

        Raises ``ValueError`` with a message.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            if not given.strip():
                raise ValueError("is empty: describe a movement, such as 'orbit left'")
            return cls(said=given.strip())
        if isinstance(given, control.CameraPath):
            return cls(path=given.model_dump(mode="json", exclude_none=True))
        if not isinstance(given, Mapping):
            raise ValueError(  # noqa: TRY004  pydantic tells it as a problem of the field
                "must be words, keys such as w-80,jw-40, or a camera path as JSON"
            )
        if given and given.keys() <= _OWN and given.keys() & {"said", "path"}:
            return cls.model_validate(dict(given))
        try:
            control.path_from_document(given, "camera")
        except InvalidRequest as error:
            raise ValueError(str(error)) from error
        return cls(path=given)

    def resolved(
        self, *, width: int, height: int, num_frames: int, fps: float, seed: int = 0
    ) -> Self:
        """Return the control with its path, for a video of this size in pixels, length and rate.

        Words fill the whole video; keys and files keep their own times, and the last pose holds.
        Raises ``InvalidRequest``.
        """
        lens = control.Intrinsics.of_view(max(16, width), max(16, height))
        try:
            made = self._read(lens, num_frames, fps, seed)
        except InvalidRequest as error:
            told = " ".join(problem.problem for problem in error.problems) or str(error)
            raise invalid("camera", told) from error
        path, notes = made.value, list(made.notes)
        if len(path.keyframes) > max(2, num_frames):
            path = path.resampled(num_frames, fps)
        whole_s, own_s = (num_frames - 1) / fps, made.value.duration_s
        if own_s < whole_s - _SAME_S and len(path.keyframes) > 1:
            notes.append(
                f"The path lasts {own_s:.2g} s of {whole_s:.2g} s; then the camera stands still."
            )
        elif own_s > whole_s + _SAME_S:
            notes.append(f"The path lasts {own_s:.2g} s; the video ends after {whole_s:.2g} s.")
        words = "" if self.is_keys else self.said or self.words
        return self.model_copy(
            update={
                "path": path.model_dump(mode="json", exclude_none=True),
                "words": words or control.path_to_words(path).value,
                "notes": tuple(dict.fromkeys(notes)),
            }
        )

    @property
    def as_given(self) -> Self:
        """The control as given, without the results of completion."""
        return type(self)(said=self.said) if self.said else type(self)(path=self.path)

    def camera_path(self) -> CameraPath:
        """Return the path of a complete request; raises ``InvalidRequest`` if it is damaged."""
        if self.path is None:
            raise InvalidRequest("The camera path is not complete: it has no poses yet.")
        return control.path_from_document(self.path, "camera").value

    @property
    def label(self) -> str:
        """Its label on the screen: as given, or in words."""
        return self.said or self.words or _in_words(control.control_json(self.camera_path()))

    @property
    def is_keys(self) -> bool:
        """Whether it was given as keys."""
        return _KEYS.fullmatch(self.said) is not None

    def _read(
        self, lens: Intrinsics, num_frames: int, fps: float, seed: int
    ) -> Converted[CameraPath]:
        if self.is_keys:
            return control.path_from_keys(self.said, intrinsics=lens)
        if self.said:
            seconds = max(1, num_frames - 1) / fps
            rate = min(fps, (MAX_FRAMES - 1) / seconds)
            return control.path_from_words(
                self.said, seconds=seconds, fps=rate, intrinsics=lens, seed=seed
            )
        return control.path_from_document(self.path or {}, "camera", fps=fps, intrinsics=lens)


@lru_cache(maxsize=64)
def _in_words(document: str) -> str:
    return control.path_to_words(control.CameraPath.model_validate_json(document)).value


GivenCamera = Annotated[
    CameraControl,
    BeforeValidator(CameraControl.of),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": _LONGEST_TEXT},
                {"type": "object", "additionalProperties": True},
            ]
        }
    ),
]
"""A request's ``camera``: words, keys, the id of an upload, or a path as a JSON document."""
