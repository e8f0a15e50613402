"""Best-of-N runs: many drafts, the best rendered whole."""

from __future__ import annotations

import asyncio
from typing import Final

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, operation
from server_extension.schemas.best_of import BestOfObject, BestOfRequest, VoteRequest
from workbench.errors import FieldProblem, InvalidRequest
from workbench.research.best_of import BestOf, best_of
from workbench.research.best_of_process import RunProcesses

__all__ = ["BestOfCancelHandler", "BestOfHandler", "BestOfRunHandler", "BestOfVoteHandler"]

_PROCESSES: Final = "workbench_best_of"


class BestOfHandler(ApiHandler):
    """POST /api/best-of."""

    @operation(
        Operation(
            "Begin a best-of-N run, or go on with it",
            BestOfRequest,
            BestOfObject,
            status=201,
            errors=(404, 429, 503),
        )
    )
    async def post(self) -> None:
        """Carry the run out beside this server."""
        asked = self.parse(BestOfRequest)
        self.answer(await asyncio.to_thread(self._begun, asked), 201)

    def _begun(self, asked: BestOfRequest) -> BestOfObject:
        parameters = dict(asked.parameters.given)
        if "seed" in parameters:
            text = "give seed beside them"
            raise InvalidRequest(text, (FieldProblem("parameters.seed", text),))
        run = best_of(
            asked.prompts,
            n=asked.n,
            keep=asked.keep,
            budget=asked.budget,
            draft=None if asked.draft is None else asked.draft.given,
            critics=asked.critics,
            stop_early=asked.stop_early,
            revise=asked.revise,
            seed=asked.seed,
            name=asked.name,
            session_id=asked.session_id,
            using=self.studio,
            **parameters,
        )
        self._processes.start(run)
        return BestOfObject.of(run)

    @property
    def _processes(self) -> RunProcesses:
        """The runs that this server carries out."""
        found: RunProcesses = self.settings.setdefault(_PROCESSES, RunProcesses())
        return found


class BestOfRunHandler(ApiHandler):
    """GET /api/best-of/{name}."""

    @operation(
        Operation(
            "Read a best-of-N run: how far it is, what was dropped and why",
            answer=BestOfObject,
            errors=(404,),
        )
    )
    async def get(self, name: str) -> None:
        """Return the run as it is now."""

        def read() -> BestOfObject:
            return BestOfObject.of(BestOf.open(name, using=self.studio))

        self.answer(await asyncio.to_thread(read))


class BestOfCancelHandler(ApiHandler):
    """POST /api/best-of/{name}/cancel."""

    @operation(
        Operation(
            "End a best-of-N run; what is finished is kept", answer=BestOfObject, errors=(404,)
        )
    )
    async def post(self, name: str) -> None:
        """Cancel its renders that have not ended, and begin no others."""

        def cancel() -> BestOfObject:
            return BestOfObject.of(BestOf.open(name, using=self.studio).cancel())

        self.answer(await asyncio.to_thread(cancel))


class BestOfVoteHandler(ApiHandler):
    """POST /api/best-of/{name}/votes."""

    @operation(
        Operation(
            "Say which of two candidates is better; later rounds weigh the critics by it",
            VoteRequest,
            BestOfObject,
            errors=(404,),
        )
    )
    async def post(self, name: str) -> None:
        """Keep the vote."""
        asked = self.parse(VoteRequest)

        def vote() -> BestOfObject:
            run = BestOf.open(name, using=self.studio)
            run.prefer(asked.better, asked.worse, is_tie=asked.undecided)
            return BestOfObject.of(run)

        self.answer(await asyncio.to_thread(vote))
