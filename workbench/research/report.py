"""The results of a run: a table, charts, the ZIP, JSON and Parquet."""

from __future__ import annotations

import html
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from workbench.errors import Conflict
from workbench.jobs.model import JobState
from workbench.research.charts import bar_chart, dot_chart
from workbench.research.runs import Run
from workbench.scene import SCENE_FIELDS

__all__ = ["Html", "Report"]

_TABLE: Final = ("prompt", "changes", "seed", "device", "render_s", "state")
_TITLES: Final = {"render_s": "seconds", "state": "status"}
_SHOWN_CHARS: Final = 90
_ONE_EACH: Final = "each value has one video, so no difference can be distinguished from chance; ask for more seeds."
_HEAD_STYLE: Final = 'style="text-align:left;vertical-align:bottom"'
_SCORES: Final = ("motion", "smoothness", "flicker", "sharpness", "colourfulness", "consistency")


@dataclass(frozen=True, slots=True, repr=False)
class Html:
    """A part of a report, shown by a notebook."""

    text: str

    def __repr__(self) -> str:
        return f"<Html of {len(self.text):,} characters>"

    def _repr_html_(self) -> str:
        return self.text


class Report:
    """The results of a run whose jobs have ended. Scores are measured on first use."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """One row per job: its parameters, labels, device, time and scores."""
        videos = {job.job_id: job for job in self.run.jobs}
        model = self.run.parameters.agreement_model
        agreed = self.run.batch.agreement(model) if model else {}
        agreement = {video.job_id: value for video, value in agreed.items()}
        rows = []
        for row, cell in zip(self.run.batch.to_table(scores=True), self.run.cells, strict=True):
            job = videos[row["job_id"]]
            done = job.state is JobState.COMPLETE
            path = str(self.run.studio.jobs.video_path(job.job_id)) if done else None
            labels = {f"label_{name}": value for name, value in cell.labels.items()}
            if model:
                row["agreement"] = agreement.get(job.job_id)
            rows.append({**row, "changes": list(cell.changes), "video": path, **labels})
        return rows

    def sheet(self) -> Html:
        """Return the contact sheet: every video's poster, without external files."""
        return Html(self.run.batch._repr_html_())

    def table(self) -> Html:
        """Return every job with its prompt, changes, seed, device, time, state, scores and link."""
        names = [*_SCORES]
        names += ["agreement"] * any(row["agreement"] is not None for row in self.rows)
        titles = [_TITLES.get(name, name) for name in (*_TABLE, "video", *names)]
        head = "".join(f"<th {_HEAD_STYLE}>{html.escape(title)}</th>" for title in titles)
        body = "".join(
            f"<tr>{_cells(row, _TABLE)}<td {_style('')}>{_link(row)}</td>{_cells(row, names)}</tr>"
            for row in self.rows
        )
        return Html(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")

    def plots(self, *scores: str) -> Html:
        """Return seconds by device, and each of ``scores`` by the values of every varied axis."""
        charts = [bar_chart("Mean render time by device", self._time_by_device(), "s")]
        for score in scores or ("motion", "sharpness"):
            groups = self._score_by_axis(score)
            if any(len(values) > 1 for values in groups.values()):
                charts.append(dot_chart(f"{score} by axis", groups))
            elif groups:
                charts.append(f"<p>{score} by axis: {_ONE_EACH}</p>")
        return Html("<br>".join(charts))

    def zip(self) -> Path | None:
        """Write the finished videos as ``videos.zip`` and return its path, or None."""
        try:
            return self.run.batch.zip(self.run.folder / "videos.zip")
        except Conflict:
            return None

    def write(self) -> list[Path]:
        """Write ``results.json``, and ``results.parquet`` where pyarrow is installed; return both."""
        run = self.run
        document = {
            "name": run.parameters.name,
            "batch_id": run.batch.batch_id,
            "parameters": run.parameters.model_dump(mode="json"),
            "failed": [job.job_id for job in run.failed],
            "near_duplicates": [
                [video.job_id for video in group] for group in run.batch.near_duplicates()
            ],
            "jobs": self.rows,
        }
        target = run.folder / "results.json"
        target.write_text(
            json.dumps(document, indent=1, ensure_ascii=False, default=_told), "utf-8"
        )
        parquet = _write_parquet(self.rows, run.folder / "results.parquet")
        return [target, parquet] if parquet else [target]

    def _time_by_device(self) -> dict[str, list[float]]:
        times: dict[str, list[float]] = {}
        for row in self.rows:
            if row["device"] and row["render_s"] is not None:
                times.setdefault(row["device"], []).append(row["render_s"])
        return dict(sorted(times.items()))

    def _score_by_axis(self, score: str) -> dict[str, list[float]]:
        groups: dict[str, list[float]] = {}
        for row, cell in zip(self.rows, self.run.cells, strict=True):
            if row.get(score) is None:
                continue
            named = [f"{k}: {v or 'none'}" for k, v in cell.labels.items() if k in SCENE_FIELDS]
            for name in named or ["as enhanced"]:
                groups.setdefault(name.replace("_", " "), []).append(row[score])
        order = sorted(groups, key=lambda name: (": " in name, name))  # an axis's values together
        return {name: groups[name] for name in order}


def _write_parquet(rows: Sequence[Mapping[str, Any]], target: Path) -> Path | None:
    try:
        import pyarrow as pa  # noqa: PLC0415  optional, and large
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        return None
    names = list(dict.fromkeys(name for row in rows for name in row))
    pq.write_table(pa.table({n: [row.get(n) for row in rows] for n in names}), str(target))
    return target


def _cells(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return "".join(f"<td {_style(row.get(name))}>{_cell(row.get(name))}</td>" for name in names)


def _cell(value: Any) -> str:
    """Return a value as HTML; a long text opens on click."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return "<br>".join(html.escape(str(item)) for item in value)
    text = html.escape(str(value))
    if len(str(value)) <= _SHOWN_CHARS:
        return text
    start = html.escape(textwrap.shorten(str(value), _SHOWN_CHARS, placeholder=" …"))
    return f"<details><summary>{start}</summary>{text}</details>"


def _style(value: Any) -> str:
    """Return a cell's alignment: numbers right, text left with a minimum width."""
    if isinstance(value, int | float):
        return 'style="text-align:right;vertical-align:top;font-variant-numeric:tabular-nums"'
    long = isinstance(value, list) or len(str(value)) > _SHOWN_CHARS // 3
    width = ";min-width:14em" if long else ""
    return f'style="text-align:left;vertical-align:top{width}"'


def _link(row: Mapping[str, Any]) -> str:
    if row["video"] is None:
        return html.escape(row["error"] or "")
    address, name = html.escape(Path(row["video"]).as_uri()), html.escape(row["job_id"])
    return f'<a href="{address}" title="{name}">watch</a>'


def _told(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
