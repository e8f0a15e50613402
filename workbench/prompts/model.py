"""What the prompt side hands out: drafts, variations, revisions, and the entries of a session."""

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
"""What is told of a text as it grows: all of it so far."""


class Source(StrEnum):
    """Who wrote a prompt when it was not the provider that was asked."""

    PROVIDER = "provider"
    FALLBACK = "fallback"
    """The composer, because the language model failed."""
    SUBSTITUTE = "substitute"
    """The composer, in place of a duplicate or an invalid answer."""
    EMERGENCY = "emergency"
    """Nobody: the original had to stand."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went to a language model and what came back, for a researcher to read.

    Token counts are as the endpoint told them, None where it did not; no key is ever part of it.
    """

    model: str
    request: str
    """The messages, as JSON."""
    answer: str
    """The text that came back; empty when none did."""
    error: str = ""
    """Why the answer could not be used; empty when it could."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_s: float = 0.0


class ChatFailure(LanguageModelError):
    """No usable answer came; carries what was said on the way there."""

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
    """What the user should know, such as why the composer stepped in; empty when nothing."""
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Variation:
    """A prompt made from ``parent`` (an index into the prompts handed in) by known changes.

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
    """The idea's name: "From the child's height"; empty where nobody named it."""
    message: str = ""
    """Why an axis that was asked for could not vary; empty when all could."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The answer to a tuning request."""

    prompt: str
    scene: Scene
    changes: tuple[Change, ...]
    understood: bool
    message: str
    """What was done, or what can be asked."""
    provider: str
    is_fallback: bool = False
    exchanges: tuple[Exchange, ...] = ()
    actions: tuple[Action, ...] = ()
    """What was asked, as actions; those on the session are listed before they are carried out."""
    hint: str = ""
    """What a language model would add, and how to connect one: said once a session, with the first
    request that the rules did not wholly understand."""


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
    """What led here: the tuning request, the rough prompt, or the name of a variation's idea."""
    is_fallback: bool = False
    source: Source = Source.PROVIDER
    message: str = ""
    job_ids: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    """What was done to arrive here from the parent."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """How renders are made from here on, unless they are told otherwise."""
    starred: bool = False
    """Whether the user marked it as a favourite."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request in a session's dialogue, and what came of it."""

    request: str
    actions: tuple[Action, ...]
    message: str = ""
    """What was answered."""
    entry: int | None = None
    """The entry that it made, if any."""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class PromptSession:
    """One journey: its prompts, in order, with parents."""

    session_id: str
    created_at: datetime
    entries: tuple[Entry, ...] = field(default=())

    @property
    def latest(self) -> Entry | None:
        """The entry added last; None in a session without prompts."""
        return self.entries[-1] if self.entries else None


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session in a list: when it was used, how long it is, and the prompt it began with."""

    session_id: str
    created_at: datetime
    updated_at: datetime
    entry_count: int
    title: str
    name: str = ""
    """What somebody called it."""
    tags: tuple[str, ...] = ()
    archived: bool = False
