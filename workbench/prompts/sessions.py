"""Sessions: prompts and their history, stored as trees. Knows the writer and the store."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from workbench.actions.model import (
    Action,
    EditField,
    Explain,
    Lock,
    NotUnderstood,
    Propose,
    Unlock,
    Vary,
)
from workbench.actions.render_settings import changed_settings
from workbench.errors import FieldProblem, InvalidRequest, LanguageModelError, NotFound
from workbench.prompts.conversation import Conversation, Host, proposed
from workbench.prompts.entries import (
    check_axes,
    check_fields,
    entry,
    given,
    shaped,
    varied,
)
from workbench.prompts.language_models.session_language import SessionLanguage
from workbench.prompts.model import (
    Draft,
    Entry,
    EntryKind,
    Exchange,
    OnText,
    PromptSession,
    Revision,
    SessionSummary,
    Turn,
    Variation,
)
from workbench.prompts.session_files import read_session, write_session
from workbench.prompts.store import PromptStore
from workbench.prompts.trees import Trees
from workbench.prompts.writer import is_about_session, rewrite_prompt
from workbench.scene import Origin, Scene
from workbench.settings import Settings

__all__ = ["Sessions"]

_PLAIN_WORDS: Final = 8
"""Maximum words of a request that the rules carry out although a language model is available."""


class Sessions:
    """Every session of one index. Cheap to create; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._store = PromptStore(settings.index_path)
        self.language = SessionLanguage(settings, self._store)
        self._trees = Trees(self._store, self.language)
        self._conversation = Conversation(self._store, self._trees, self.language)

    def begin(self) -> str:
        """Start a session without a prompt, for example to choose its language model first."""
        return self._trees.begin()

    async def enhance(
        self,
        rough_prompt: str,
        session_id: str | None = None,
        *,
        seed: int = 0,
        on_text: OnText | None = None,
        picture: str = "",
    ) -> tuple[str, Entry]:
        """Enhance ``rough_prompt`` into the session; a null or unknown id starts a new one.

        ``on_text`` is called by the event loop with the prompt so far, where a language model can
        stream; the entry's text replaces it.
        """
        writer = self.language.writer(session_id)
        draft = await writer.enhance(rough_prompt, seed=seed, on_text=on_text, picture=picture)
        held = self._trees.locked_values(session_id)
        if held:
            draft = await self._with_locks(draft, held)
        if session_id is None or self._store.created_at(session_id) is None:
            session_id = self._trees.begin()
        made = entry(
            EntryKind.ENHANCED,
            draft.prompt,
            draft.scene,
            provider=draft.provider,
            request=rough_prompt.strip(),
            is_fallback=draft.is_fallback,
            message=draft.message,
        )
        return session_id, self._trees.append(session_id, made, draft.exchanges)

    async def initialize(
        self, prompt: str, session_id: str | None = None, *, parent: int | None = None
    ) -> tuple[str, Entry]:
        """Add ``prompt`` unchanged, with the scene found in it.

        ``parent`` is the index of the entry that it was edited from: what the edit does not touch
        stays as in that entry's scene, locks included. A prompt that the session already has is not
        added again. Raises ``NotFound``, and ``InvalidRequest`` for an unknown parent.
        """
        if session_id is None:
            if parent is not None:
                problem = "needs the session that it is in"
                raise InvalidRequest(f"A parent {problem}.", (FieldProblem("parent", problem),))
            draft = await self.language.writer().extract(prompt)
            session_id = self._trees.begin()
            return session_id, self._trees.append(session_id, given(draft), draft.exchanges)
        self._trees.check(session_id)
        origin = None if parent is None else self._trees.entry_at(session_id, parent, "parent")
        known = self._store.find(session_id, prompt.strip())
        if known is not None:
            return session_id, known
        return session_id, self._trees.append(
            session_id, *await self._trees.read(session_id, prompt, origin)
        )

    async def place(self, session_id: str, prompt: str) -> Entry:
        """Return the entry of ``prompt``, added if the session does not have it.

        A new entry is an edit of the recent entry with which it shares the most words, at least
        half, and otherwise a new root. Raises ``NotFound``.
        """
        self._trees.check(session_id)
        found, said = await self._trees.at(session_id, prompt)
        return self._trees.kept(session_id, found, said)

    def restore(
        self, prompt: str, scene: Scene, session_id: str | None = None
    ) -> tuple[str, Entry]:
        """Add a prompt with a known scene, such as a recipe's, to a new session or to this one.

        A prompt that the session already has is not added again. Raises ``NotFound``.
        """
        if session_id is None:
            session_id = self._trees.begin()
        elif self._trees.check(session_id) and (
            known := self._store.find(session_id, prompt.strip())
        ):
            return session_id, known
        return session_id, self._trees.append(
            session_id,
            entry(EntryKind.GIVEN, prompt, scene, provider=self.language.choice().provider),
        )

    async def variations(
        self,
        session_id: str,
        selected: Sequence[int],
        total: int = 8,
        *,
        axes: Sequence[str] = (),
        hold: Sequence[str] = (),
        seed: int = 0,
        on_entry: Callable[[Entry], object] | None = None,
        picture: str = "",
    ) -> tuple[Entry, ...]:
        """Return ``total`` distinct prompts: the ``selected`` entries, then variations of them.

        ``on_entry`` is called by the event loop with each new one as soon as it is stored: with a
        language model, the first come well before the last. After cancellation, the stored ones
        stay in the history.

        Raises ``NotFound``, and ``InvalidRequest`` for an index, axis or field that does not exist.
        """
        self._trees.check(session_id)
        chosen = self._trees.selected(session_id, selected)
        check_axes(axes)
        check_fields("hold", hold)
        parents = [(one.prompt, one.scene) for one in chosen]
        kept: dict[str, Entry] = {}
        told_with: dict[str, bool] = {}
        loop = asyncio.get_running_loop()

        def keep(made: Sequence[Variation]) -> None:
            entries = [varied(v, chosen[v.parent]) for v in made]
            stored = self._store.append(session_id, entries, [v.exchanges for v in made])
            kept.update((v.prompt, one) for v, one in zip(made, stored, strict=True))
            told_with.update((v.prompt, bool(v.exchanges)) for v in made)
            if on_entry is not None:
                for one in stored:
                    loop.call_soon(on_entry, one)

        made = await self.language.writer(session_id).vary(
            parents,
            max(0, total - len(chosen)),
            axes=axes,
            hold=hold,
            seed=seed,
            avoid=tuple(self._store.prompts(session_id)),
            on_variations=keep,
            picture=picture,
        )
        for one in made:  # the exchanges are complete at the end
            if one.exchanges and not told_with[one.prompt]:
                self._store.add_exchanges(session_id, kept[one.prompt].index, one.exchanges)
        await asyncio.sleep(0)  # let the loop call on_entry for all before returning
        return (*chosen, *(kept[v.prompt] for v in made))[:total]

    async def update(
        self,
        session_id: str,
        user_request: str,
        prompt: str | None = None,
        *,
        host: Host | None = None,
        failure: LanguageModelError | None = None,
    ) -> tuple[Revision, Entry | None]:
        """Tune the current prompt of the session, or ``prompt``, as the request says.

        The revision holds the request as actions: scene changes, render settings, locks, stars and
        going back are carried out, variations are made, and renders are left to the caller. The
        entry is None if nothing changed. ``failure`` is why a language model did not do it. Raises
        ``NotFound``.
        """
        self._trees.check(session_id)
        base, said = await self._base(session_id, prompt)
        if base is None:
            raise InvalidRequest(
                "The session has no prompt to tune yet.", (FieldProblem("prompt", "is missing"),)
            )
        host = host or Host()
        confirmed = self._conversation.confirmed(session_id, user_request)
        if confirmed:
            return await self.act(session_id, confirmed, prompt, host=host)
        context = self._conversation.context(session_id, base, host)
        revision = self.language.writer(session_id).revise(user_request, context, failure)
        revision = self._conversation.with_hint(session_id, revision)
        return await self._done(session_id, base, said, revision, user_request, host)

    async def is_about_session(
        self, session_id: str, user_request: str, prompt: str | None, host: Host
    ) -> bool:
        """Tell whether the rules fully understand a request and it does not change the scene.

        A request for only render settings, going back or stars needs no language model. A long
        request may say more than the rules recognise.
        """
        self._trees.check(session_id)
        base, _ = await self._base(session_id, prompt)
        if base is None:
            return True
        if len(user_request.split()) > _PLAIN_WORDS:
            return False
        context = self._conversation.context(session_id, base, host)
        return is_about_session(self.language.writer(session_id).revise(user_request, context))

    async def act(
        self,
        session_id: str,
        actions: Sequence[Action],
        prompt: str | None = None,
        *,
        host: Host | None = None,
        request: str = "",
        is_turn: bool = True,
    ) -> tuple[Revision, Entry | None]:
        """Carry ``actions`` out on the current prompt of the session, or on ``prompt``.

        Like :meth:`update`, but without asking for confirmation. ``request`` holds the user's words
        that led here; unless ``is_turn``, the step is not recorded in the dialogue. Raises
        ``NotFound``, and ``InvalidRequest`` for an action that does not fit the scene or the
        session.
        """
        self._trees.check(session_id)
        base, said = await self._base(session_id, prompt)
        if base is None:
            raise InvalidRequest(
                "The session has no prompt to act on yet.", (FieldProblem("prompt", "is missing"),)
            )
        flat = tuple(
            one for a in actions for one in (a.actions if isinstance(a, Propose) else (a,))
        )
        revision = self._conversation.revised(session_id, base, flat)
        return await self._done(
            session_id, base, said, revision, request, host or Host(),
            confirmed=True, is_turn=is_turn,
        )  # fmt: skip

    def take_back(
        self, session_id: str, index: int, at: int | None = None
    ) -> tuple[Revision, Entry]:
        """Take back what one entry changed, and keep all later changes up to ``at``.

        Makes a new entry. ``at`` is the index of the entry to start from, by default the current
        one. Raises ``NotFound``, and ``InvalidRequest`` for an entry that did not lead there.
        """
        self._trees.check(session_id)
        return self._conversation.taken_back(session_id, index, at)

    async def _base(
        self, session_id: str, prompt: str | None
    ) -> tuple[Entry | None, Sequence[Exchange]]:
        if prompt is not None and prompt.strip():
            return await self._trees.at(session_id, prompt)
        return self.current(session_id), ()

    async def _done(
        self,
        session_id: str,
        base: Entry,
        said: Sequence[Exchange],
        revision: Revision,
        request: str,
        host: Host,
        *,
        confirmed: bool = False,
        is_turn: bool = True,
    ) -> tuple[Revision, Entry | None]:
        if not confirmed:
            revision = proposed(revision, base, host)
        if any(not isinstance(a, Explain | NotUnderstood) for a in revision.actions):
            base = self._trees.kept(session_id, base, said)
        revision, made = self._conversation.carried_out(session_id, base, revision, request, host)
        here = made or base
        actions = list(revision.actions)
        for at, action in enumerate(actions):
            if isinstance(action, Vary):
                varied = await self.variations(
                    session_id, [here.index], action.count + 1, axes=action.axes,
                    seed=secrets.randbits(31),
                )  # fmt: skip
                indices = tuple(one.index for one in varied if one.index != here.index)
                actions[at] = action.model_copy(update={"entries": indices})
        revision = replace(revision, actions=tuple(actions))
        if is_turn:
            self._conversation.note(session_id, request, revision, made)
        return revision, made

    def note_turn(
        self, session_id: str, request: str, revision: Revision, entry: Entry | None
    ) -> None:
        """Store a request as one turn of the dialogue, with its language-model exchanges."""
        self._conversation.note(session_id, request, revision, entry)
        if entry is not None:
            self._store.add_exchanges(session_id, entry.index, revision.exchanges)

    def turns(self, session_id: str, *, limit: int = 100) -> tuple[Turn, ...]:
        """Return the last requests of the session and their results; raises ``NotFound``."""
        self._trees.check(session_id)
        return self._store.turns(session_id, limit)

    def session(self, session_id: str) -> PromptSession:
        """Return the session with all its entries; raises ``NotFound``."""
        created_at = self._trees.check(session_id)
        return PromptSession(session_id, created_at, self._store.entries(session_id))

    def history(
        self, session_id: str, *, limit: int | None = None, after: int | None = None
    ) -> tuple[Entry, ...]:
        """Return at most ``limit`` entries after index ``after``, in order; raises ``NotFound``."""
        self._trees.check(session_id)
        return self._store.entries(session_id, limit=limit, after=after)

    def current(self, session_id: str) -> Entry | None:
        """Return the entry that tuning acts on: the newest that is not just a variation."""
        self._trees.check(session_id)
        return self._trees.current(session_id)

    def prompt_at(self, session_id: str, index: int) -> str:
        """Return the text of the entry at ``index``; raises ``NotFound``, ``InvalidRequest``."""
        return self._trees.entry_at(session_id, index, "entries").prompt

    def parent_of(self, session_id: str, entry: Entry) -> Entry | None:
        """Return the entry that ``entry`` was made from; None for a root."""
        return None if entry.parent is None else self._store.entry(session_id, entry.parent)

    def set_scene(
        self,
        session_id: str,
        index: int | None,
        values: Mapping[str, str | Sequence[str]],
        *,
        lock: Sequence[str] = (),
        unlock: Sequence[str] = (),
    ) -> Entry:
        """Set, lock and unlock fields of an entry's scene by hand; returns a new entry.

        Without an ``index`` the latest entry is changed. Raises ``NotFound``, and
        ``InvalidRequest`` for an unknown index or field or a value of the wrong type.
        """
        self._trees.check(session_id)
        if index is None:
            latest = self.session(session_id).latest
            index = latest.index if latest else 0
        base = self._trees.entry_at(session_id, index, "index")
        for name, fields in (("values", tuple(values)), ("lock", lock), ("unlock", unlock)):
            check_fields(name, fields)
        scene = base.scene.unlock(*unlock) if unlock else base.scene
        scene = scene.edit(shaped(values), origin=Origin.EDITED, force=True)
        relocked = [f for f in base.scene.provenance if base.scene.is_locked(f) and f not in unlock]
        scene = scene.lock(*dict.fromkeys((*relocked, *lock)))
        text = rewrite_prompt(base.prompt, base.scene, scene)
        edits = [EditField(field=name, value=value) for name, value in shaped(values).items()]
        actions = (
            *((Unlock(fields=tuple(unlock)),) if unlock else ()),
            *edits,
            *((Lock(fields=tuple(lock)),) if lock else ()),
        )
        made = entry(
            EntryKind.TUNED,
            text,
            scene,
            provider=base.provider,
            parent=base.index,
            changes=base.scene.changes_to(scene),
            is_fallback=base.is_fallback,
            actions=actions,
            settings=base.settings,
        )
        return self._trees.append(session_id, made)

    def set_render(
        self,
        session_id: str,
        values: Mapping[str, Any],
        *,
        index: int | None = None,
        host: Host | None = None,
    ) -> None:
        """Set the render settings of the prompt at ``index``, or of all prompts of the session.

        Null resets a setting. Raises ``NotFound``, and ``InvalidRequest`` for an unknown setting or
        if the engine cannot render the current prompt with them.
        """
        entries = self.session(session_id).entries
        if index is not None:
            entries = (self._trees.entry_at(session_id, index, "index"),)
        current = self.current(session_id)
        if current is not None and host is not None:
            host.standing(changed_settings(current.settings, values))
        self._store.keep_settings(
            session_id, {one.index: changed_settings(one.settings, values) for one in entries}
        )

    def link_jobs(self, session_id: str, index: int, job_ids: Sequence[str]) -> None:
        """Note that ``job_ids`` were rendered from the entry at ``index``; raises ``NotFound``."""
        self._trees.check(session_id)
        self._trees.entry_at(session_id, index, "index")
        self._store.link_jobs(session_id, index, job_ids)

    def transcript(self, session_id: str, index: int) -> tuple[Exchange, ...]:
        """Return the language-model exchanges for the entry; raises ``NotFound``."""
        self._trees.check(session_id)
        self._trees.entry_at(session_id, index, "index")
        return self._store.exchanges(session_id, index)

    def sessions(
        self,
        *,
        limit: int = 20,
        query: str = "",
        archived: bool | None = None,
        among: Sequence[str] | None = None,
    ) -> tuple[SessionSummary, ...]:
        """Return the last used sessions, newest first, of all or ``among`` some.

        ``query`` is part of a name, a tag or a prompt; ``archived`` filters by the archive mark.
        """
        return self._store.summaries(limit, query=query, archived=archived, among=among)

    def label(
        self,
        session_id: str,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        archived: bool | None = None,
    ) -> None:
        """Name, tag or archive the session; None changes nothing. Raises ``NotFound``."""
        self._trees.check(session_id)
        clean = None if tags is None else [tag.strip() for tag in tags if tag.strip()]
        self._store.label(
            session_id, name=None if name is None else name.strip(), tags=clean, archived=archived
        )

    def delete(self, session_id: str, deleted_at: float) -> None:
        """Delete the session, its prompts and its dialogue, but not its renders.

        Raises ``NotFound``.
        """
        self._trees.check(session_id)
        self._store.delete(session_id, deleted_at)

    def undelete(self, session_id: str) -> float:
        """Restore a deleted session and return when it was deleted; raises ``NotFound``."""
        deleted_at = self._store.undelete(session_id)
        if deleted_at is None:
            raise NotFound("session", session_id)
        return deleted_at

    def forget_deleted(self, before: float) -> None:
        """Permanently remove sessions deleted before this time."""
        self._store.forget(before)

    def export(self, session_id: str) -> dict[str, Any]:
        """Return the session as one JSON document; raises ``NotFound``."""
        session = self.session(session_id)
        said = [self._store.exchanges(session_id, e.index) for e in session.entries]
        copies = self._store.restorations(session_id)
        return write_session(session, said, copies, self._store.pointer(session_id))

    def import_(self, document: dict[str, Any]) -> str:
        """Add the session of an exported document under a new id, and return that id.

        Raises ``InvalidRequest`` if the document is not an exported session.
        """
        read = read_session(document)
        session_id = self._trees.begin()
        self._store.append(
            session_id, read.entries, read.exchanges, pointer=read.pointer, restores=read.restores
        )
        return session_id

    def close(self) -> None:
        """Close the index."""
        self._store.close()

    async def _with_locks(self, draft: Draft, held: Mapping[str, Any]) -> Draft:
        scene = draft.scene.edit(held, origin=Origin.LOCKED, force=True)
        text = rewrite_prompt(draft.prompt, draft.scene, scene)
        return Draft(text, scene, draft.provider, draft.is_fallback, draft.message, draft.exchanges)
