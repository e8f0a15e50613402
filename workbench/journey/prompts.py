"""Prompts and the sessions they belong to, as objects: thin over Studio, which keeps them durably."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.jobs.model import Priority
from workbench.journey.showing import Shown, prompt_html
from workbench.journey.tables import data_frame, session_rows
from workbench.journey.videos import Video
from workbench.prompts.model import Entry
from workbench.scene import Change, Scene
from workbench.studio import RenderParameters, Studio

__all__ = ["Prompt", "Session"]

_VARIATIONS: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class Prompt(Shown):
    """One prompt of a session: its text, the scene behind it, and how it came to be.

    ``str(prompt)`` is the text. ``index`` is its place in the session's history, ``parent`` that of
    the prompt it was made from, ``changes`` what differs from that.
    """

    session: Session
    index: int
    text: str
    scene: Scene
    changes: tuple[Change, ...]
    parent: int | None
    is_fallback: bool = False
    message: str = ""

    def __str__(self) -> str:
        return self.text

    def render(self, **parameters: Any) -> Video:
        """Queue one render of this prompt, ahead of batches, and return at once.

        ``parameters`` are those of :class:`workbench.rendering.RenderParameters`. Raises
        ``InvalidRequest`` for a value that the engine cannot render, ``Busy`` when the queue is
        full.
        """
        used = self.session.studio
        job = used.run(
            used.render(
                self.text,
                session_id=self.session.session_id,
                priority=Priority.INTERACTIVE,
                parameters=RenderParameters.of(parameters),
            )
        )
        return Video(job.job_id, using=used)

    def __repr__(self) -> str:
        short = self.text if len(self.text) <= 60 else f"{self.text[:59].rstrip()}…"
        return f"<Prompt {self.index}: {short}>"

    def _repr_html_(self) -> str:
        return prompt_html(self.text, self.scene, self.changes, self.message)


class Session(Shown):
    """One journey: a tree of prompts, kept durably under ``session_id``."""

    def __init__(self, session_id: str, *, using: Studio) -> None:
        self.session_id = session_id
        self.studio = using

    @property
    def history(self) -> tuple[Prompt, ...]:
        """Every prompt of the session, oldest first."""
        return tuple(self._prompt(e) for e in self.studio.sessions.history(self.session_id))

    @property
    def prompt(self) -> Prompt:
        """The newest prompt."""
        return self.history[-1]

    @property
    def scene(self) -> Scene:
        """The scene behind the newest prompt."""
        return self.prompt.scene

    def variations(
        self,
        total: int = _VARIATIONS,
        *,
        of: Prompt | Sequence[Prompt] | None = None,
        axes: Sequence[str] = (),
        hold: Sequence[str] = (),
        seed: int | None = None,
    ) -> tuple[Prompt, ...]:
        """Return ``total`` distinct prompts: the newest (or ``of``) first, then variations of it.

        ``axes`` are the scene fields to vary, or axes by name (camera, light, time, mood, style,
        pace, setting), and ``hold`` the fields to keep; the same seed gives the same set. Raises
        ``InvalidRequest`` for one that does not exist.
        """
        chosen = of or self.prompt
        parents = [chosen] if isinstance(chosen, Prompt) else list(chosen)
        entries = self.studio.run(
            self.studio.variations(
                self.session_id,
                [parent.index for parent in parents],
                total,
                axes=axes,
                hold=hold,
                seed=seed,
            )
        )
        return tuple(self._prompt(entry) for entry in entries)

    def tune(self, request: str) -> Prompt:
        """Change the newest prompt as the request says, and return the prompt that then stands.

        A request that is not understood changes nothing: the prompt returned is the one before,
        and its ``message`` says what can be asked.
        """
        revision, entry = self.studio.run(self.studio.update(self.session_id, request))
        if entry is not None:
            return self._prompt(entry, revision.message)
        latest = self.prompt
        return Prompt(
            latest.session,
            latest.index,
            latest.text,
            latest.scene,
            (),
            latest.parent,
            latest.is_fallback,
            revision.message,
        )

    def edit(self, lock: Sequence[str] = (), unlock: Sequence[str] = (), **values: Any) -> Prompt:
        """Set scene fields by hand, lock or free them; returns the prompt written anew.

        Raises ``InvalidRequest`` for a field that a scene does not have.
        """
        used = self.studio
        entry = used.run(used.set_parameters(self.session_id, values, lock=lock, unlock=unlock))
        return self._prompt(entry)

    def render(self, **parameters: Any) -> Video:
        """Queue one render of the newest prompt and return at once."""
        return self.prompt.render(**parameters)

    def to_table(self) -> list[dict[str, Any]]:
        """Return one row per prompt, oldest first, with every scene field as a column."""
        return session_rows(self.studio.sessions.history(self.session_id))

    def to_dataframe(self) -> Any:
        """Return :meth:`to_table` as a ``pandas.DataFrame`` by the prompt's index.

        Raises ``Unavailable`` where pandas is not installed.
        """
        return data_frame(self.to_table(), "index")

    def _prompt(self, entry: Entry, message: str = "") -> Prompt:
        return Prompt(
            self,
            entry.index,
            entry.prompt,
            entry.scene,
            entry.changes,
            entry.parent,
            entry.is_fallback,
            message or entry.message,
        )

    def __repr__(self) -> str:
        return f"<Session {self.session_id}: {len(self.history)} prompts>"

    def _repr_html_(self) -> str:
        return (
            f"<p>{html.escape(repr(self))}</p>{self.prompt._repr_html_() if self.history else ''}"
        )
