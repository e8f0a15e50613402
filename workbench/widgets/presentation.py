"""Sessions, jobs and devices as JSON for the browser.

URLs are relative: the page knows its base URL, the kernel does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from workbench.captions import Captions
from workbench.jobs.cluster.status import ClusterStatus
from workbench.jobs.model import Device, Job
from workbench.presentation import job_object
from workbench.prompts.markers import strip_marker
from workbench.prompts.model import Entry, PromptSession, SessionSummary, Source, Turn
from workbench.scene import LIST_FIELDS, SCENE_FIELDS, Scene, terms

__all__ = [
    "FIELD_GROUPS",
    "device_view",
    "entry_view",
    "field_views",
    "job_view",
    "result_view",
    "session_line",
    "session_view",
]

View = dict[str, Any]

FIELD_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Subject": ("subject", "subject_details", "action"),
    "Place": ("setting", "time_of_day", "weather", "details", "on_screen_text"),
    "Light": ("lighting", "color_palette"),
    "Camera": ("viewpoint", "shot_size", "camera_angle", "camera_movement", "lens"),
    "Style": ("style", "mood", "pace", "negative_prompt"),
}
"""The scene's fields in groups, as a film crew divides the work; each field is in one group."""

_LABELS: Final[Mapping[str, str]] = {
    "subject_details": "Looks",
    "time_of_day": "Time",
    "color_palette": "Palette",
    "shot_size": "Shot",
    "camera_angle": "Angle",
    "camera_movement": "Movement",
    "negative_prompt": "Avoid",
}
_GIGABYTE: Final = 1e9


def field_views() -> list[View]:
    """Return the groups of fields, each field with its label and established terms."""
    return [
        {
            "name": group,
            "fields": [
                {
                    "name": field,
                    "label": _LABELS.get(field, field.replace("_", " ").capitalize()),
                    "terms": list(terms(field)),
                    "several": field in LIST_FIELDS,
                }
                for field in fields
            ],
        }
        for group, fields in FIELD_GROUPS.items()
    ]


def session_view(session: PromptSession, turns: Sequence[Turn]) -> View:
    """Return a session with all its entries, and the answers to the requests of ``turns``."""
    return {
        "id": session.session_id,
        "created": session.created_at.timestamp(),
        "entries": [entry_view(entry) for entry in session.entries],
        "turns": [
            {"entry": turn.entry, "request": turn.request, "message": turn.message}
            for turn in turns
            if turn.entry is not None
        ],
    }


def entry_view(entry: Entry) -> View:
    """Return one prompt; its text omits the marker, which ``source`` already gives."""
    return {
        "index": entry.index,
        "kind": str(entry.kind),
        "prompt": strip_marker(entry.prompt),
        "parent": entry.parent,
        "scene": _scene_view(entry.scene),
        "changes": [
            {
                "field": change.field,
                "before": _plain(change.before),
                "after": _plain(change.after),
                "sentence": change.sentence,
            }
            for change in entry.changes
        ],
        "settings": entry.settings.as_json(),
        "request": entry.request,
        "provider": entry.provider,
        "fallback": entry.is_fallback or entry.source is not Source.PROVIDER,
        "source": str(entry.source),
        "message": entry.message,
        "created": entry.created_at.timestamp(),
    }


def job_view(job: Job) -> View:
    """Return the public JSON of a job without its scene, which the session's entries hold."""
    return job_object(job).model_dump(mode="json", exclude={"parameters"})


def result_view(job: Job, captions: Captions, *, sketch: bool = False) -> View:
    """Return a job of the open session, with what distinguishes it from the others.

    A ``sketch`` shows an idea whose prompt is still being written; it is not a result.
    """
    return {**job_view(job), "caption": captions.of(job), "sketch": sketch}


def device_view(device: Device) -> View:
    """Return one device; unknown readings are null."""
    return {
        "name": device.name,
        "kind": device.kind,
        "gpu": device.gpu_id,
        "label": device.label,
        "host": device.host,
        "state": device.state,
        "paused": device.paused,
        "detail": device.detail,
        "load": device.utilization_percent,
        "temperature": device.temperature_c,
        "memory_used": _gigabytes(device.memory_used_bytes),
        "memory_total": _gigabytes(device.memory_total_bytes),
        "job": device.job_id,
    }


def cluster_view(status: ClusterStatus) -> View:
    """Return an unreachable cluster as a single device, in place of its devices."""
    readings = dict.fromkeys(("gpu", "load", "temperature", "memory_used", "memory_total", "job"))
    return {
        "name": "cluster",
        "kind": "cluster",
        "label": status.address,
        "host": "",
        "state": str(status.state),
        "paused": False,
        "detail": status.detail,
        **readings,
    }


def _scene_view(scene: Scene) -> View:
    return {
        name: {
            "value": _plain(getattr(scene, name)),
            "origin": str(scene.origin(name) or ""),
        }
        for name in SCENE_FIELDS
    }


def _plain(value: str | tuple[str, ...]) -> str | list[str]:
    return list(value) if isinstance(value, tuple) else value


def _gigabytes(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else round(size_bytes / _GIGABYTE, 1)


def session_line(summary: SessionSummary, videos: int, video_bytes: int) -> View:
    """Return a session's row in the list of sessions."""
    return {
        "id": summary.session_id,
        "title": summary.name or strip_marker(summary.title),
        "tags": list(summary.tags),
        "archived": summary.archived,
        "used": summary.updated_at.timestamp(),
        "prompts": summary.entry_count,
        "videos": videos,
        "bytes": video_bytes,
    }
