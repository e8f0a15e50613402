"""Best-of-N runs: many drafts, of which the best are rendered whole."""

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
            "Start a best-of-N run, or resume it",
            BestOfRequest,
            BestOfObject,
            status=201,
            errors=(404, 429, 503),
        )
    )
    async def post(self) -> None:
        """Start the run in a process of its own."""
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
        """The processes of the runs that this server started."""
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
        """Return the current state of the run."""

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
        """Cancel the run's unfinished renders, and start no others."""

        def cancel() -> BestOfObject:
            return BestOfObject.of(BestOf.open(name, using=self.studio).cancel())

        self.answer(await asyncio.to_thread(cancel))


class BestOfVoteHandler(ApiHandler):
    """POST /api/best-of/{name}/votes."""

    @operation(
        Operation(
            "Vote for the better of two candidates; later rounds weight the critics by the votes",
            VoteRequest,
            BestOfObject,
            errors=(404,),
        )
    )
    async def post(self, name: str) -> None:
        """Record the vote."""
        asked = self.parse(VoteRequest)

        def vote() -> BestOfObject:
            run = BestOf.open(name, using=self.studio)
            run.prefer(asked.better, asked.worse, is_tie=asked.undecided)
            return BestOfObject.of(run)

        self.answer(await asyncio.to_thread(vote))
