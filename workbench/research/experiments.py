"""Controlled experiments: one scene with some fields or render parameters varied.

Every combination is rendered with the same seeds, to distinguish an axis's effect from chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, Self

from workbench.control import (
    ActionControl,
    ActionSequence,
    CameraControl,
    CameraPath,
)
from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.jobs.model import Priority
from workbench.journey import Batch, Prompt, Video, studio
from workbench.journey.channels import Channel
from workbench.journey.control_files import with_control_files
from workbench.journey.tables import data_frame
from workbench.prompts.forms import Form, text_for_model
from workbench.prompts.markers import strip_marker
from workbench.prompts.writer import rewrite_prompt, scene_of
from workbench.rendering import RenderParameters
from workbench.research.designs import Design, Span, combinations
from workbench.research.dynamic import expand
from workbench.research.matrix import Layout, matrix_page, write_matrix_video
from workbench.research.planning import Cell, checked, submit
from workbench.research.prompt_files import COLUMNS
from workbench.research.weight_axes import WEIGHTS, lora_axis, weights_label
from workbench.scene import LIST_FIELDS, SCENE_FIELDS, Origin, Scene, canonical_term
from workbench.studio import Studio

__all__ = ["Grid", "grid"]

_PROMPT = "prompt"
_VALUES = {*COLUMNS, *WEIGHTS, "actions", "options", "revision"} - {"negative_prompt", "seed"}


def grid(
    base: Scene | Prompt | str,
    *,
    design: Design = "factorial",
    seeds: int | Sequence[int] = 1,
    samples: int | None = None,
    name: str = "grid",
    priority: int = Priority.BATCH,
    wildcards: Path | None = None,
    using: Studio | None = None,
    **axes: Any,
) -> Grid:
    """Render variants of ``base`` that differ only in the given axes, and return at once.

    ``axes`` are scene fields or render parameters: a list gives values to try, a
    :class:`~workbench.research.designs.Span` a range (for the design ``latin``), anything else one
    value for all. ``loras`` may be one LoRA with a list as its ``weight``, or a list whose items are
    None, a LoRA or several. ``seeds`` is the number of seeds for each combination, or the seeds themselves. A
    text may be a dynamic prompt (``a {red|blue} kite``): its prompts then form an axis, ``prompt``.
    A scene is written as a plain prompt; a prompt is kept except for what an axis changes.

    Raises ``InvalidRequest`` naming every problem before anything is queued, ``Busy`` when the
    queue is full.
    """
    used = using or (base.session.studio if isinstance(base, Prompt) else studio())
    varied, fixed = _sorted_axes(axes)
    texts = _texts(base, wildcards)
    if len(texts) > 1:
        varied = {_PROMPT: list(texts), **varied}
    chosen = combinations(varied, design, samples=samples)
    numbers = _seeds(seeds)
    session_id = base.session.session_id if isinstance(base, Prompt) else None
    cells = []
    for combination in chosen:
        text = combination.get(_PROMPT, next(iter(texts)))
        prompt, scene = _written(text, texts[text], {**fixed, **combination})
        values = {k: v for k, v in {**fixed, **combination}.items() if k in _VALUES}
        values = {k: _as_input(k, v) for k, v in with_control_files(values).items()}
        labels = {axis: _told(axis, value) for axis, value in combination.items()}
        changes = tuple(change.sentence for change in texts[text].changes_to(scene))
        cells += [
            Cell(prompt, scene, {**values, "seed": s}, labels, changes, text, session_id)
            for s in numbers
        ]
    batch = submit(used, cells, checked(used, cells), name=name, priority=priority)
    return Grid(cells, Batch(batch.batch_id, using=used), design=design, using=used)


class Grid:
    """A queued experiment: its cells, its batch and its results.

    ``len(grid)`` counts renders; iterating yields each video as it ends.
    """

    def __init__(
        self, cells: Sequence[Cell], batch: Batch, *, design: Design, using: Studio
    ) -> None:
        self.cells = tuple(cells)
        """What each job renders, in the batch's order."""
        self.batch = batch
        self.design = design
        self._studio = using

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """The varied axes, each with its values in order."""
        found: dict[str, dict[str, None]] = {}
        for cell in self.cells:
            for axis, value in cell.labels.items():
                found.setdefault(axis, {})[value] = None
        return {axis: tuple(values) for axis, values in found.items()}

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every combination is rendered with."""
        return tuple(dict.fromkeys(cell.values["seed"] for cell in self.cells))

    def wait(self, timeout_s: float | None = None, *, progress: bool | None = None) -> Self:
        """Wait until every job has ended, as :meth:`workbench.Batch.wait` does.

        Raises ``TimeoutError`` after ``timeout_s`` seconds.
        """
        self.batch.wait(timeout_s, progress=progress)
        return self

    def video(self, *, seed: int | None = None, **values: Any) -> Video:
        """Return the first video with these axis values; raises ``NotFound`` when there is none."""
        wanted = {axis: _told(axis, value) for axis, value in values.items()}
        for cell, video in zip(self.cells, self.batch.videos, strict=True):
            fits = all(cell.labels.get(axis) == value for axis, value in wanted.items())
            if fits and seed in {None, cell.values["seed"]}:
                return video
        told = ", ".join(f"{axis} {value}" for axis, value in wanted.items())
        raise NotFound("cell", told, f"The grid has no cell with {told or f'seed {seed}'}.")

    def to_table(self, *, scores: bool = True) -> list[dict[str, Any]]:
        """Return one row per job: the axis values first, then as :meth:`Batch.to_table`."""
        rows = self.batch.to_table(scores=scores)
        return [
            {**cell.labels, **row, "changes": list(cell.changes)}
            for cell, row in zip(self.cells, rows, strict=True)
        ]

    def to_dataframe(self, *, scores: bool = True) -> Any:
        """Return :meth:`to_table` as a ``pandas.DataFrame``; ``Unavailable`` without pandas."""
        return data_frame(self.to_table(scores=scores), "job_id")

    def effects(self, score: str) -> list[dict[str, Any]]:
        """Return the effect of each value of each axis on a score, and the noise.

        ``effect`` is the mean score with that value minus the mean of all (a main effect);
        ``noise`` the standard deviation between seeds within a combination, averaged. Raises
        ``InvalidRequest`` for an unknown score.
        """
        rows = self.to_table()
        if rows and score not in rows[0]:
            raise InvalidRequest(f"There is no score {score!r}.")
        known = [
            (c, r[score]) for c, r in zip(self.cells, rows, strict=True) if r[score] is not None
        ]
        if not known:
            return []
        overall = fmean(value for _, value in known)
        alike: dict[tuple[str, ...], list[float]] = {}
        for cell, value in known:
            alike.setdefault(tuple(cell.labels.values()), []).append(value)
        noise = fmean(pstdev(values) for values in alike.values())
        found = []
        for axis, values in self.axes.items():
            for value in values:
                own = [v for cell, v in known if cell.labels[axis] == value]
                if own:
                    effect = fmean(own) - overall
                    found.append({"axis": axis, "value": value, "videos": len(own)})
                    found[-1] |= {"mean": fmean(own), "effect": effect, "noise": noise}
        return found

    def layout(self, columns: str | None = None) -> Layout:
        """Return the matrix: ``columns`` (an axis or ``seed``) across, everything else down.

        By default the last axis is across; for a design that is not factorial, the seeds.
        """
        chosen = columns or (list(self.axes)[-1] if self._crossed else "seed")
        places = [{**cell.labels, "seed": str(cell.values["seed"])} for cell in self.cells]
        if chosen not in places[0]:
            raise InvalidRequest(
                f"There is no axis {chosen!r}; choose one of {', '.join(places[0])}."
            )
        if len(self.seeds) == 1 and chosen != "seed":
            for place in places:
                place.pop("seed")
        return Layout.of(places, chosen)

    def save_html(self, path: str | Path, *, columns: str | None = None, width: int = 320) -> Path:
        """Write one page with every video embedded, playing in sync; return its path.

        ``width`` is that of each video, in pixels.
        """
        target = Path(path)
        target.write_text(self._page(columns, width), "utf-8")
        return target

    def save_video(self, path: str | Path, *, columns: str | None = None, width: int = 320) -> Path:
        """Write the matrix as one mp4 with the axis values as headers; return it.

        ``width`` is that of each cell, in pixels; shorter videos hold their last frame.
        """
        return write_matrix_video(Path(path), self.layout(columns), self._files(), width)

    @property
    def _crossed(self) -> bool:
        return self.design == "factorial" and bool(self.axes)

    def _page(self, columns: str | None, width: int) -> str:
        title = f"{self.batch.record.name} · {len(self)} videos"
        return matrix_page(title, self.layout(columns), self._files(), width)

    def _files(self) -> list[Path | None]:
        files: list[Path | None] = []
        for job in self.batch.record.jobs:
            try:
                files.append(self._studio.jobs.video_path(job.job_id))
            except NotFound:
                files.append(None)
        return files

    def __len__(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Any:
        return iter(self.batch)

    def __repr__(self) -> str:
        axes = " × ".join(f"{len(v)} {a}" for a, v in self.axes.items()) or "1 cell"
        seeds = len(self.seeds)
        return f"<Grid {axes}, {seeds} seed{'s' * (seeds > 1)}: {self.batch.state}>"

    def _repr_html_(self) -> str:
        from html import escape  # noqa: PLC0415

        page = escape(self._page(None, 240), quote=True)
        height = 140 + 190 * len(self.layout().rows)
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="grid" '
            f'style="width:100%;height:{min(height, 900)}px;border:0"></iframe>'
        )


def _sorted_axes(axes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the varied and the fixed values; raises ``InvalidRequest`` for unknown names."""
    unknown = [name for name in axes if name not in {*SCENE_FIELDS, *_VALUES}]
    if unknown:
        known = (
            f"is neither a scene field nor a render parameter; there are {', '.join(SCENE_FIELDS)}"
        )
        problems = tuple(FieldProblem(name, known) for name in unknown)
        raise InvalidRequest(f"{', '.join(unknown)} {known}.", problems)
    varied: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    for name, value in axes.items():
        if name == "loras":
            loras = lora_axis(value)
            (varied if isinstance(loras, list) else fixed)[name] = loras
            continue
        target = varied if isinstance(value, list | tuple | Span) else fixed
        target[name] = value
    return varied, fixed


def _texts(base: Scene | Prompt | str, wildcards: Path | None) -> dict[str, Scene]:
    """Return the prompts to start from, each with its scene."""
    if isinstance(base, Scene):
        return {"": base}
    if isinstance(base, Prompt):
        return {strip_marker(base.text): base.scene}
    if not base.strip():
        raise InvalidRequest("The prompt is empty.", (FieldProblem(_PROMPT, "must not be empty"),))
    return {text: scene_of(text) for text in expand(base, wildcards=wildcards)}


def _written(text: str, base: Scene, values: Mapping[str, Any]) -> tuple[str, Scene]:
    edits: dict[str, Any] = {}
    for name, value in values.items():
        if name in LIST_FIELDS:
            edits[name] = (value,) if isinstance(value, str) else tuple(value)
        elif name in SCENE_FIELDS:
            edits[name] = canonical_term(name, str(value)) or str(value)
    scene = base.edit(edits, origin=Origin.EDITED, force=True)
    if text:
        return (rewrite_prompt(text, base, scene) if scene != base else text), scene
    plain = text_for_model("", scene, Form.LTX)
    prompt = plain or ", ".join(_told(name, value) for name, value in scene.stated().items())
    return prompt, scene


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    numbers = list(range(1, seeds + 1)) if isinstance(seeds, int) else list(seeds)
    if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 0:
        problem = "must be a positive count, or distinct seeds that are not negative"
        raise InvalidRequest(f"seeds {problem}.", (FieldProblem("seeds", problem),))
    return numbers


def _as_input(name: str, value: Any) -> Any:
    """Return a channel as what it is for the parameter ``name``; all else unchanged."""
    return value.as_input(name) if isinstance(value, Channel) else value


def _told(axis: str, value: Any) -> str:
    if axis in WEIGHTS:
        return weights_label(axis, value)
    value = _as_input(axis, value)
    if axis == "control" and value:
        found = RenderParameters.of({axis: value}).control
        return "" if found is None else found.label
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, CameraPath):
        return CameraControl.of(value).label
    if isinstance(value, ActionSequence | ActionControl):
        return ActionControl.model_validate(ActionControl.of(value)).label
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)
