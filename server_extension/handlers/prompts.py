"""Prompts: enhance, initialize, vary, tune, edit, history."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from server_extension.event_stream import StreamingHandler, Tell
from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, operation
from server_extension.presentation import history_entry, variation_object
from server_extension.schemas.prompts import (
    EnhanceAnswer,
    EnhanceRequest,
    ExportRequest,
    HistoryAnswer,
    HistoryEntry,
    HistoryRequest,
    ImportAnswer,
    ImportRequest,
    InitializeAnswer,
    InitializeRequest,
    ParametersRequest,
    TextSoFar,
    UpdateAnswer,
    UpdateRequest,
    VariationObject,
    VariationsAnswer,
    VariationsRequest,
    change_objects,
)
from workbench.actions.model import actions_from, as_json
from workbench.presentation import StepObject, step_object
from workbench.prompts.model import Entry, Revision

__all__ = [
    "EnhanceHandler",
    "ExportHandler",
    "HistoryHandler",
    "ImportHandler",
    "InitializeHandler",
    "ParametersHandler",
    "UpdateHandler",
    "VariationsHandler",
]


class EnhanceHandler(StreamingHandler):
    """POST /api/enhance."""

    @operation(
        Operation(
            "Make a rough idea a full prompt",
            EnhanceRequest,
            EnhanceAnswer,
            errors=(503,),
            events={"text": TextSoFar},
        )
    )
    async def post(self) -> None:
        """Enhance; an unknown session starts a new one."""
        asked = self.parse(EnhanceRequest)

        async def enhance(tell: Tell | None) -> EnhanceAnswer:
            _, (session_id, entry) = await asyncio.gather(
                self.studio.warm_up(),  # a render is likely to follow
                self.on_studio(
                    self.studio.enhance(
                        asked.rough_prompt,
                        asked.session_id,
                        seed=asked.seed,
                        on_text=tell and (lambda text: tell("text", TextSoFar(text=text))),
                        image=asked.image,
                    )
                ),
            )
            return EnhanceAnswer(
                session_id=session_id,
                enhanced_prompt=entry.prompt,
                is_fallback=entry.is_fallback,
                provider=entry.provider,
                parameters=entry.scene,
                index=entry.index,
                message=entry.message,
            )

        await self.answer_growing(enhance)


class InitializeHandler(ApiHandler):
    """POST /api/initialize."""

    @operation(
        Operation(
            "Start from a given prompt, unchanged, and get its parameters",
            InitializeRequest,
            InitializeAnswer,
            errors=(404, 503),
        )
    )
    async def post(self) -> None:
        """Extract the prompt's parameters."""
        asked = self.parse(InitializeRequest)
        _, (session_id, entry) = await asyncio.gather(
            self.studio.warm_up(),
            self.on_studio(
                self.studio.sessions.initialize(asked.prompt, asked.session_id, parent=asked.parent)
            ),
        )
        self.answer(
            InitializeAnswer(
                session_id=session_id,
                prompt=entry.prompt,
                parameters=entry.scene,
                index=entry.index,
                parent=entry.parent,
                changes=[change.sentence for change in entry.changes],
                differences=change_objects(entry.changes),
                message=entry.message,
            )
        )


class VariationsHandler(StreamingHandler):
    """POST /api/generate-variations."""

    @operation(
        Operation(
            "Vary prompts of the history",
            VariationsRequest,
            VariationsAnswer,
            errors=(404, 503),
            events={"variation": VariationObject},
        )
    )
    async def post(self) -> None:
        """Return the selected prompts, then variations of them."""
        asked = self.parse(VariationsRequest)

        async def vary(tell: Tell | None) -> VariationsAnswer:
            entries = await self.on_studio(
                self.studio.variations(
                    asked.session_id,
                    asked.selected_indices,
                    asked.total_count,
                    axes=asked.axes,
                    hold=asked.hold,
                    seed=asked.seed,
                    on_entry=tell and (lambda entry: tell("variation", variation_object(entry))),
                    image=asked.image,
                )
            )
            return VariationsAnswer(
                session_id=asked.session_id,
                prompts=[entry.prompt for entry in entries],
                variations=[variation_object(entry) for entry in entries],
            )

        await self.answer_growing(vary)


class UpdateHandler(StreamingHandler):
    """POST /api/update."""

    @operation(
        Operation(
            "Tune a prompt in plain language",
            UpdateRequest,
            UpdateAnswer,
            errors=(404, 503),
            events={"step": StepObject, "text": TextSoFar},
        )
    )
    async def post(self) -> None:
        """Carry out the request or the actions."""
        asked = self.parse(UpdateRequest)

        async def update(tell: Tell | None) -> UpdateAnswer:
            revision, entry = await self.on_studio(self._acting(asked, tell))
            return UpdateAnswer(
                session_id=asked.session_id,
                prompt=revision.prompt,
                parameters=revision.scene,
                changes=[change.sentence for change in revision.changes],
                differences=change_objects(revision.changes),
                understood=revision.understood,
                message=revision.message,
                hint=revision.hint,
                index=entry.index if entry else None,
                is_fallback=revision.is_fallback,
                provider=revision.provider,
                actions=as_json(revision.actions),
                settings=self.studio.settings_of(asked.session_id, entry).stated(),
            )

        await self.answer_growing(update)

    def _acting(
        self, asked: UpdateRequest, tell: Tell | None
    ) -> Coroutine[Any, Any, tuple[Revision, Entry | None]]:
        if asked.take_back is not None:
            return asyncio.to_thread(
                self.studio.sessions.take_back, asked.session_id, asked.take_back
            )
        if asked.actions is not None:
            actions = actions_from(asked.actions)
            return self.studio.act(asked.session_id, actions, asked.prompt)
        return self.studio.update(
            asked.session_id,
            asked.user_request or "",
            asked.prompt,
            on_step=tell and (lambda step: tell("step", step_object(step))),
            on_text=tell and (lambda text: tell("text", TextSoFar(text=text))),
            image=asked.image,
            cards=asked.cards,
        )


class ParametersHandler(ApiHandler):
    """POST /api/parameters."""

    @operation(
        Operation(
            "Set, lock or free parameters by hand", ParametersRequest, HistoryEntry, errors=(404,)
        )
    )
    async def post(self) -> None:
        """Edit the scene behind a prompt."""
        asked = self.parse(ParametersRequest)
        entry = await asyncio.to_thread(
            self.studio.sessions.set_scene,
            asked.session_id,
            asked.index,
            {str(name): value for name, value in asked.values.items()},
            lock=asked.lock,
            unlock=asked.unlock,
        )
        self.answer(history_entry(entry))


class HistoryHandler(ApiHandler):
    """POST /api/history."""

    @operation(Operation("Read a session's prompts", HistoryRequest, HistoryAnswer, errors=(404,)))
    async def post(self) -> None:
        """Return the prompts, oldest first."""
        asked = self.parse(HistoryRequest)
        self.answer(await asyncio.to_thread(self._history, asked))

    def _history(self, asked: HistoryRequest) -> HistoryAnswer:
        sessions = self.studio.sessions
        entries = sessions.history(asked.session_id, limit=asked.limit, after=asked.after)
        told = [
            sessions.transcript(asked.session_id, entry.index) if asked.transcripts else None
            for entry in entries
        ]
        history = [history_entry(entry, said) for entry, said in zip(entries, told, strict=True)]
        return HistoryAnswer(session_id=asked.session_id, history=history)


class ExportHandler(ApiHandler):
    """POST /api/session/export."""

    @operation(Operation("Export a session as one JSON document", ExportRequest, errors=(404,)))
    async def post(self) -> None:
        """Return the document, which ``/api/session/import`` accepts as it is."""
        asked = self.parse(ExportRequest)
        self.write_json(await asyncio.to_thread(self.studio.sessions.export, asked.session_id))


class ImportHandler(ApiHandler):
    """POST /api/session/import."""

    @operation(Operation("Import an exported session", ImportRequest, ImportAnswer))
    async def post(self) -> None:
        """Add the session under a new id."""
        asked = self.parse(ImportRequest)
        session_id = await asyncio.to_thread(self.studio.sessions.import_, asked.document)
        self.answer(ImportAnswer(session_id=session_id))
