"""Every error that the workbench raises on purpose, as one tree.

WorkbenchError
├── InvalidRequest           the request does not validate; carries the fields and their problems
│   └── DamagedFile          an uploaded video or recipe cannot be read
├── InvalidSettings          a setting has a bad value; says which and what it may be
├── NotFound                 no such job, batch, session or file
├── Conflict                 the thing exists, but not in a state that allows this
├── Busy                     a limit is reached for now; carries when to try again
├── Unavailable              a required part does not respond
│   ├── SupervisorUnavailable
│   ├── DiskFull             the disk has no room for another render
│   └── LanguageModelError   the language model timed out, refused or answered nonsense
└── RenderError              a render ended without a video
    ├── RenderCancelled      because it was cancelled
    ├── RenderTimeout        because it took longer than allowed
    ├── OutOfMemory          because the device had too little memory; carries advice
    ├── DeviceLost           because the device itself failed; the worker must be replaced
    └── EngineUnavailable    the engine or its model cannot be used here; says what to install

Which HTTP status each becomes is decided in ``server_extension/errors.py`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Busy",
    "Conflict",
    "DamagedFile",
    "DeviceLost",
    "DiskFull",
    "EngineUnavailable",
    "FieldProblem",
    "InvalidRequest",
    "InvalidSettings",
    "LanguageModelError",
    "NotFinite",
    "NotFound",
    "OutOfMemory",
    "RenderCancelled",
    "RenderError",
    "RenderTimeout",
    "ScorerError",
    "SupervisorUnavailable",
    "Unavailable",
    "WorkbenchError",
]


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of a request, by its dotted path, and what is wrong with it."""

    field: str
    problem: str


class WorkbenchError(Exception):
    """Base of every error raised on purpose; its message says what to do."""


class InvalidRequest(WorkbenchError):
    """The request does not validate."""

    def __init__(self, message: str, problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class DamagedFile(InvalidRequest):
    """An uploaded video or recipe cannot be read."""


class InvalidSettings(WorkbenchError, ValueError):
    """A setting has a bad value."""


class NotFound(WorkbenchError):
    """No ``kind`` (job, batch, session, file) has the id ``identifier``."""

    def __init__(self, kind: str, identifier: str, message: str = "") -> None:
        super().__init__(message or f"There is no {kind} {identifier!r}.")
        self.kind = kind
        self.identifier = identifier


class Conflict(WorkbenchError):
    """The thing exists, but its state does not allow the request."""


class Busy(WorkbenchError):
    """A limit is reached for now; try again after ``retry_after_s`` seconds."""

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(WorkbenchError):
    """A required part does not respond."""


class SupervisorUnavailable(Unavailable):
    """No supervisor holds this outputs/ folder and none could be started."""


class DiskFull(Unavailable):
    """The disk of outputs/ has no room for another render; the message says how much is missing."""


class LanguageModelError(Unavailable):
    """The language model timed out, refused, or answered something unusable."""


class RenderError(WorkbenchError):
    """A render ended without a video."""


class RenderCancelled(RenderError):
    """The render stopped because it was cancelled."""


class RenderTimeout(RenderError):
    """The render took longer than the limit allows."""


class OutOfMemory(RenderError):
    """The device had too little memory for this request; the message says what would fit."""


class DeviceLost(RenderError):
    """The device failed in a way that only a new process can recover from."""


class NotFinite(RenderError):
    """The model's values became NaN or infinite: there is no image."""


class ScorerError(WorkbenchError):
    """A third-party scorer failed on a video."""


class EngineUnavailable(RenderError):
    """The engine or its model cannot be used here; the message says what to install."""
