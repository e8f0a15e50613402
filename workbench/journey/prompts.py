"""Prompts and their sessions as objects: a thin layer over Studio, which stores them durably."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from workbench.actions.model import Action, Render, actions_from
from workbench.actions.render_settings import RenderSettings
from workbench.jobs.model import Priority
from workbench.journey.showing import Shown, prompt_html
from workbench.journey.tables import data_frame, session_rows
from workbench.journey.videos import Video
from workbench.prompts.model import Entry, Revision, Turn
from workbench.scene import Change, Scene
from workbench.studio import RenderParameters, Studio

__all__ = ["Prompt", "Session"]

_VARIATIONS: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class Prompt(Shown):
    """One prompt of a session: its text, its scene and its origin.

    ``str(prompt)`` is the text. ``index`` is its position in the session's history, ``parent`` the
    position of the prompt it was made from, ``changes`` the differences from that prompt.
    """

    session: Session
    index: int
    text: str
    scene: Scene
    changes: tuple[Change, ...]
    parent: int | None
    is_fallback: bool = False
    message: str = ""
    actions: tuple[Action, ...] = ()
    """The actions that led to it; for a tuned prompt, every action of the request."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Render settings for its renders, unless a render sets its own."""
    starred: bool = False

    @property
    def videos(self) -> tuple[Video, ...]:
        """The videos queued by its actions, as for "render it"."""
        ids = (
            one
            for action in self.actions
            for one in (action.job_ids if isinstance(action, Render) else ())
        )
        return tuple(Video(one, using=self.session.studio) for one in ids)

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
    """One journey: a tree of prompts, stored durably under ``session_id``."""

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
        """Carry out a request in plain words, and return the resulting prompt.

        Besides changes of the scene ("make it night", "a dog runs past") it accepts render settings
        ("16:9", "twice as long"), renders ("render it", then ``prompt.videos``), versions, stars,
        locks and going back. ``prompt.actions`` lists what was done. A request that is not
        understood changes nothing: the prompt is the previous one, and its ``message`` says which
        words were not understood and what can be asked; in a session without a language model, the
        first such message also says what one would add.
        """
        return self._after(*self.studio.run(self.studio.update(self.session_id, request)))

    def act(self, *actions: Action | Mapping[str, Any]) -> Prompt:
        """Carry out actions, such as ``{"kind": "set_render", "values": {"aspect": "9:16"}}``.

        Accepts those of another prompt, to replay a change, and a proposal, to confirm it. Raises
        ``InvalidRequest`` for an action that does not fit.
        """
        given = [a if isinstance(a, Mapping) else a.model_dump(mode="json") for a in actions]
        done = self.studio.act(self.session_id, actions_from(given))
        return self._after(*self.studio.run(done))

    @property
    def settings(self) -> RenderSettings:
        """Render settings for the session's next renders, unless a render sets its own."""
        return self.studio.settings_of(self.session_id)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The requests of the session and their results, oldest first."""
        return self.studio.sessions.turns(self.session_id)

    def _after(self, revision: Revision, entry: Entry | None) -> Prompt:
        here = entry or self.studio.sessions.current(self.session_id)
        message = f"{revision.message} {revision.hint}".strip()
        made = self.prompt if here is None else self._prompt(here, message)
        changes = made.changes if entry is not None else ()
        return replace(made, message=message, actions=revision.actions, changes=changes)

    def edit(self, lock: Sequence[str] = (), unlock: Sequence[str] = (), **values: Any) -> Prompt:
        """Set, lock or unlock scene fields by hand, and return the rewritten prompt.

        Raises ``InvalidRequest`` for a field that a scene does not have.
        """
        used = self.studio
        entry = used.sessions.set_scene(self.session_id, None, values, lock=lock, unlock=unlock)
        return self._prompt(entry)

    def render(self, **parameters: Any) -> Video:
        """Queue one render of the newest prompt and return at once."""
        return self.prompt.render(**parameters)

    def delete(self, *, starred: bool = False) -> None:
        """Delete the session with its videos; :meth:`undelete` can restore it for a while.

        Raises ``Conflict`` while one is being rendered, or if one is starred and ``starred`` is
        false.
        """
        self.studio.delete_session(self.session_id, starred=starred)

    def undelete(self) -> Self:
        """Restore it; raises ``NotFound`` once it is permanently deleted."""
        self.studio.undelete_session(self.session_id)
        return self

    def label(
        self,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        archived: bool | None = None,
    ) -> Self:
        """Name, tag or archive it; None leaves a value unchanged."""
        self.studio.sessions.label(self.session_id, name=name, tags=tags, archived=archived)
        return self

    def to_table(self) -> list[dict[str, Any]]:
        """Return one row per prompt, oldest first, with every scene field as a column."""
        return session_rows(self.studio.sessions.history(self.session_id))

    def to_dataframe(self) -> Any:
        """Return :meth:`to_table` as a ``pandas.DataFrame`` by the prompt's index.

        Raises ``Unavailable`` if pandas is not installed.
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
            entry.actions,
            entry.settings,
            entry.starred,
        )

    def __repr__(self) -> str:
        return f"<Session {self.session_id}: {len(self.history)} prompts>"

    def _repr_html_(self) -> str:
        return (
            f"<p>{html.escape(repr(self))}</p>{self.prompt._repr_html_() if self.history else ''}"
        )
