"""The data of the prompt side: drafts, variations, revisions, and the entries of a session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from workbench.actions.model import Action
from workbench.actions.render_settings import RenderSettings
from workbench.errors import LanguageModelError
from workbench.scene import Change, Scene

__all__ = [
    "ChatFailure",
    "Draft",
    "Entry",
    "EntryKind",
    "Exchange",
    "OnText",
    "PromptSession",
    "Revision",
    "SessionSummary",
    "Source",
    "Turn",
    "Variation",
]


OnText = Callable[[str], object]
"""Called with the whole text so far while it is written."""


class Source(StrEnum):
    """Who wrote a prompt, if not the provider."""

    PROVIDER = "provider"
    FALLBACK = "fallback"
    """The composer, because the language model failed."""
    SUBSTITUTE = "substitute"
    """The composer, in place of a duplicate or an invalid answer."""
    EMERGENCY = "emergency"
    """Nobody: the original is repeated."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to a language model and its answer, for research.

    Token counts are those of the endpoint, or None; never contains a key.
    """

    model: str
    request: str
    """The messages, as JSON."""
    answer: str
    """The text of the answer; empty without one."""
    error: str = ""
    """Why the answer is unusable; empty if it is usable."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_s: float = 0.0
    finish_reason: str = ""
    """Why the endpoint says that the answer ended: ``stop``, ``tool_calls``; empty if it does not."""


class ChatFailure(LanguageModelError):
    """No usable answer came; carries the exchanges so far."""

    def __init__(self, message: str, exchanges: Sequence[Exchange] = ()) -> None:
        super().__init__(message)
        self.exchanges = tuple(exchanges)


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt and the scene behind it."""

    prompt: str
    scene: Scene
    provider: str
    is_fallback: bool = False
    message: str = ""
    """What the user should know, such as why the composer wrote it; may be empty."""
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Variation:
    """A prompt made from ``parent`` (an index into the given prompts) by known changes.

    The text carries a trailing marker, such as ``(fallback …)``, when ``source`` is not the
    provider; :func:`workbench.prompts.markers.strip_marker` takes it off.
    """

    prompt: str
    scene: Scene
    parent: int
    changes: tuple[Change, ...]
    provider: str
    source: Source = Source.PROVIDER
    exchanges: tuple[Exchange, ...] = ()
    name: str = ""
    """The idea's name: "From the child's height"; may be empty."""
    message: str = ""
    """Why a requested axis could not vary; empty if all could."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The answer to a tuning request."""

    prompt: str
    scene: Scene
    changes: tuple[Change, ...]
    understood: bool
    message: str
    """What was done, or what can be requested."""
    provider: str
    is_fallback: bool = False
    exchanges: tuple[Exchange, ...] = ()
    actions: tuple[Action, ...] = ()
    """The request as actions; session actions are listed before they are carried out."""
    hint: str = ""
    """What a language model would add, and how to connect one: given once per session, with the
    first request that the rules did not fully understand."""


class EntryKind(StrEnum):
    """How a prompt entered a session."""

    ROUGH = "rough"
    ENHANCED = "enhanced"
    GIVEN = "given"
    VARIATION = "variation"
    TUNED = "tuned"


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt of a session; ``index`` counts from 0, ``parent`` is the index it came from."""

    index: int
    kind: EntryKind
    prompt: str
    scene: Scene
    parent: int | None
    changes: tuple[Change, ...]
    provider: str
    created_at: datetime
    request: str = ""
    """The origin: the tuning request, the rough prompt, or the name of a variation's idea."""
    is_fallback: bool = False
    source: Source = Source.PROVIDER
    message: str = ""
    job_ids: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    """The actions that lead here from the parent."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Default render settings from here on."""
    starred: bool = False
    """Whether the user marked it as a favourite."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request in a session's dialogue, and its result."""

    request: str
    actions: tuple[Action, ...]
    message: str = ""
    """The answer."""
    entry: int | None = None
    """The entry that it made, if any."""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class PromptSession:
    """One session: its prompts, in order, with parents."""

    session_id: str
    created_at: datetime
    entries: tuple[Entry, ...] = field(default=())

    @property
    def latest(self) -> Entry | None:
        """The entry added last; None in a session without prompts."""
        return self.entries[-1] if self.entries else None


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session in a list: when it was used, its length, and its first prompt."""

    session_id: str
    created_at: datetime
    updated_at: datetime
    entry_count: int
    title: str
    name: str = ""
    """The name given by the user; may be empty."""
    tags: tuple[str, ...] = ()
    archived: bool = False
