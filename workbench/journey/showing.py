"""HTML of prompts, scenes, videos and batches for notebooks; works offline.

Text is escaped; images are data URIs; colours are inherited, for dark themes.
"""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from workbench.errors import NotFound
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job, JobState
from workbench.scene import Change, Scene

__all__ = [
    "Shown",
    "batch_html",
    "changes_html",
    "job_html",
    "prompt_html",
    "scene_html",
    "table_html",
    "thumbnail",
    "video_html",
]

_THUMBNAIL_WIDTH: Final = 320
_THUMBNAIL_QUALITY: Final = 72
_MOST_PLAYING: Final = 24
_CAPTION_CHARS: Final = 140
_FRAME: Final = "margin:0;border:1px solid rgba(128,128,128,.35);border-radius:6px;overflow:hidden"


class Shown:
    """An object shown by ``_repr_html_`` in a notebook and by ``repr`` in a terminal."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, str]:
        """Return both forms; a frontend uses the richest one that it supports."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def prompt_html(text: str, scene: Scene, changes: Sequence[Change], message: str = "") -> str:
    """Return a prompt with its changes, and its scene folded below."""
    note = f"<p><em>{html.escape(message)}</em></p>" if message else ""
    return (
        f"<blockquote>{html.escape(text)}</blockquote>{changes_html(changes)}{note}"
        f"<details><summary>Scene</summary>{scene_html(scene)}</details>"
    )


def changes_html(changes: Sequence[Change]) -> str:
    """Return the changes as a list; empty if there are none."""
    items = "".join(f"<li>{html.escape(change.sentence)}</li>" for change in changes)
    return f"<ul>{items}</ul>" if items else ""


def scene_html(scene: Scene) -> str:
    """Return the scene's fields, each with the origin of its value."""
    rows = [
        {
            "field": name.replace("_", " "),
            "value": ", ".join(value) if isinstance(value, tuple) else value,
            "origin": str(scene.origin(name) or ""),
        }
        for name, value in scene.stated().items()
    ]
    return table_html(rows) if rows else "<p><em>an empty scene</em></p>"


def table_html(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as a table, numbers with four digits, everything escaped."""
    listed = list(rows)
    if not listed:
        return "<p><em>nothing</em></p>"
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in listed[0])
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:left;vertical-align:top">{_cell(value)}</td>'
            for value in row.values()
        )
        + "</tr>"
        for row in listed
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="overflow-x:auto;max-width:100%">{table}</div>'


def video_html(job: Job, jobs: JobManager, *, width: int = 416) -> str:
    """Return the player of a finished render with its poster, or its progress."""
    caption = f"<figcaption>{html.escape(job.request.prompt)}</figcaption>"
    if job.state is not JobState.COMPLETE:
        return f'<figure style="margin:0">{_standing(job)}{caption}</figure>'
    poster = thumbnail(job, jobs) or ""
    return (
        f'<figure style="margin:0"><video src="{_source(job)}" poster="{poster}" controls '
        f'muted loop playsinline preload="none" width="{width}"></video>{caption}</figure>'
    )


def job_html(job: Job, jobs: JobManager) -> str:
    """Return a render's video or progress, and its facts."""
    request = job.request
    took = job.finished_at - job.started_at if job.started_at and job.finished_at else None
    facts = {
        "job": job.job_id,
        "state": str(job.state),
        "engine": " ".join(filter(None, (request.engine, request.model))),
        "seed": request.seed,
        "size": f"{request.width} × {request.height}, {request.num_frames} frames, {request.fps} fps",
        "device": job.device,
        "attempt": job.attempt,
        "seconds": took and took.total_seconds(),
        "error": job.error,
        "note": job.note,
    }
    rows = [{"": name, "value": value} for name, value in facts.items() if value not in (None, "")]
    return video_html(job, jobs) + table_html(rows)


def batch_html(jobs: Sequence[Job], manager: JobManager, title: str) -> str:
    """Return a contact sheet: each job's video, which plays, or its progress bar.

    An embedded poster stands in for a video that cannot be reached, and for every video of a sheet
    of more than 24.
    """
    cells = []
    plays = len(jobs) <= _MOST_PLAYING
    for job in jobs:
        picture = thumbnail(job, manager) if job.state is JobState.COMPLETE else None
        if picture is None:
            shown = f'<div style="padding:8px">{_standing(job)}</div>'
        elif plays:
            shown = (
                f'<video src="{_source(job)}" poster="{picture}" autoplay muted loop playsinline '
                'style="width:100%;display:block"></video>'
            )
        else:
            shown = f'<img src="{picture}" alt="" style="width:100%;display:block">'
        said = html.escape(_shortened(job.request.prompt))
        cells.append(
            f'<figure style="{_FRAME}">{shown}<figcaption style="padding:6px 8px;font-size:12px;'
            f'line-height:1.35"><b>{job.position + 1}</b> · seed {job.request.seed}<br>{said}'
            "</figcaption></figure>"
        )
    return (
        f'<div><p style="margin:4px 0">{html.escape(title)}</p><div style="display:grid;gap:8px;'
        'grid-template-columns:repeat(auto-fill,minmax(220px,1fr))">'
        + "".join(cells)
        + "</div></div>"
    )


def thumbnail(job: Job, jobs: JobManager) -> str | None:
    """Return the poster of a finished render as a data URI, at most 320 pixels wide, or None."""
    import cv2  # noqa: PLC0415  heavy, and needed for pictures alone

    try:
        data = Path(jobs.poster_path(job.job_id)).read_bytes()
    except (NotFound, OSError):
        return None
    import numpy as np  # noqa: PLC0415

    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    if picture.shape[1] > _THUMBNAIL_WIDTH:
        height = max(1, round(picture.shape[0] * _THUMBNAIL_WIDTH / picture.shape[1]))
        picture = cv2.resize(picture, (_THUMBNAIL_WIDTH, height), interpolation=cv2.INTER_AREA)
    _, small = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(small.tobytes()).decode()


def _source(job: Job) -> str:
    """Return the address of a finished video on the server of this notebook."""
    base = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/").rstrip("/")
    folder = f"{job.batch_id}/{job.job_id}" if job.batch_id else job.job_id
    return html.escape(f"{base}/static/videos/{folder}/video.mp4")


def _standing(job: Job) -> str:
    told = html.escape(job.error or job.message or str(job.state))
    return f'<progress max="100" value="{job.progress:.0f}" style="width:100%"></progress> {told}'


def _shortened(text: str) -> str:
    return text if len(text) <= _CAPTION_CHARS else f"{text[: _CAPTION_CHARS - 1].rstrip()}…"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "<br>".join(html.escape(str(item)) for item in value)
    return html.escape(str(value))
