"""Cells: the single renders of an experiment or a run, all known before any is queued.

Knows how a prompt, its scene and its values become a complete request; knows no files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from workbench.engines.completion import CompleteRequest, Completion
from workbench.errors import EngineUnavailable, FieldProblem, InvalidRequest
from workbench.jobs.model import Batch, Priority
from workbench.prompts.markers import strip_marker
from workbench.rendering import RenderParameters, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings
from workbench.studio import Studio

__all__ = ["Cell", "Requests", "checked", "raise_problems", "submit"]


_NAMING: Final = ("camera", "control", "actions")
"""The parameters that may name an upload or a job."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One render: its prompt and values, and its position in the experiment."""

    prompt: str
    scene: Scene
    values: Mapping[str, Any]
    """Render parameters by their names in ``RenderRequest``, the seed among them."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Axis → value: how it differs from its neighbours."""
    changes: tuple[str, ...] = ()
    """The changes from its parent prompt, as text."""
    parent_prompt: str = ""
    session_id: str | None = None


class Requests:
    """Makes complete requests, as Studio does, from cells without a session."""

    def __init__(
        self,
        settings: Settings,
        find: Callable[[RenderParameters], RenderParameters] | None = None,
    ) -> None:
        """``find`` returns parameters with what their camera, control and actions name by an id."""
        self._settings = settings
        self._completion = Completion(settings)
        self._find = find

    def of(self, cell: Cell) -> CompleteRequest:
        """Return the cell's request with every default of its engine filled in.

        Raises ``InvalidRequest`` with every problem found in it.
        """
        settings = self._settings
        values = {k: v for k, v in cell.values.items() if v is not None and v != ""}
        engine = str(values.get("engine") or settings.engine)
        if engine != "animatic":
            values.setdefault("model", settings.model)
        named = RenderParameters.of({name: values.pop(name) for name in _NAMING if name in values})
        if self._find is not None:
            named = self._find(named)
        if named.control is not None:
            values["options"] = {**values.get("options", {}), "control": named.control}
        if named.actions is not None:
            values["actions"] = named.actions
        if named.camera is not None:
            values["camera"] = named.camera
        values |= {"engine": engine}
        values.setdefault("negative_prompt", cell.scene.negative_prompt)
        try:
            request = RenderRequest(prompt=strip_marker(cell.prompt), scene=cell.scene, **values)
        except ValidationError as error:
            raise InvalidRequest("The render is not valid.", _problems(error)) from error
        most = settings.max_prompt_chars
        if len(request.prompt) > most:
            problem = f"must have at most {most:,} characters"
            raise InvalidRequest(f"The prompt {problem}.", (FieldProblem("prompt", problem),))
        return self._completion.complete(request)


def submit(
    studio: Studio,
    cells: Sequence[Cell],
    requests: Sequence[CompleteRequest],
    *,
    name: str = "",
    priority: int = Priority.BATCH,
    idempotency_key: str | None = None,
) -> Batch:
    """Queue the cells, with the requests that :func:`checked` made of them, as one batch.

    All are queued or none. Raises ``Busy`` when the queue is full.
    """
    sessions = {cell.session_id for cell in cells}
    return studio.jobs.submit_batch(
        requests,
        name=name,
        session_id=sessions.pop() if len(sessions) == 1 else None,
        parent_prompts=[strip_marker(cell.parent_prompt) for cell in cells],
        priority=priority,
        idempotency_key=idempotency_key,
    )


def checked(used: Studio, cells: Iterable[Cell]) -> list[CompleteRequest]:
    """Return the cells' complete requests.

    Raises ``InvalidRequest`` with each distinct problem, and the axis values that have it if the
    other values of that axis do not.
    """
    maker = Requests(used.settings, used.found_inputs)
    requests: list[CompleteRequest] = []
    found: dict[FieldProblem, list[Cell]] = {}
    known = list(cells)
    for cell in known:
        try:
            requests.append(maker.of(cell))
        except InvalidRequest as error:
            for problem in error.problems or (FieldProblem("prompts", str(error)),):
                found.setdefault(problem, []).append(cell)
        except EngineUnavailable as error:
            found.setdefault(FieldProblem("engine", str(error)), []).append(cell)
    raise_problems(
        replace(one, problem=f"{one.problem}{_where(refused, known)}")
        for one, refused in found.items()
    )
    return requests


def _where(refused: Sequence[Cell], cells: Sequence[Cell]) -> str:
    """Return the axis and its values that tell ``refused`` from the other cells; empty for none."""
    axes = dict.fromkeys(axis for cell in refused for axis in cell.labels)
    for axis in axes:
        values = dict.fromkeys(cell.labels.get(axis, "") for cell in refused)
        others = [cell for cell in cells if cell.labels.get(axis, "") not in values]
        among = [cell for cell in cells if cell.labels.get(axis, "") in values]
        if others and len(among) == len(refused):
            return f" ({axis} {', '.join(values)})"
    return ""


def raise_problems(problems: Iterable[FieldProblem]) -> None:
    """Raise ``InvalidRequest`` with every distinct problem, if there is any."""
    distinct = tuple(dict.fromkeys(problems))
    if distinct:
        lines = "".join(f"\n  {p.field}: {p.problem}" for p in distinct)
        count = "1 problem" if len(distinct) == 1 else f"{len(distinct)} problems"
        raise InvalidRequest(f"Nothing was queued: {count}.{lines}", distinct)


def _problems(error: ValidationError) -> tuple[FieldProblem, ...]:
    return tuple(
        FieldProblem(".".join(str(part) for part in e["loc"]), e["msg"]) for e in error.errors()
    )
