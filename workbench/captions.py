"""Short captions of videos shown together, by what distinguishes each from its origin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from workbench.jobs.model import Job
from workbench.rendering import INPUTS, RenderRequest
from workbench.scene import SCENE_FIELDS

__all__ = ["ORIGINAL", "Captions"]

ORIGINAL: Final = "original"
"""Caption of a video that others of the set were derived from."""

_MOST_PARTS: Final = 5
_SUBJECT_WORDS: Final = 3
_NEW_WORDS: Final = 6
_ARTICLE: Final = re.compile(r"^(?:an?|the|one|some)\s+", re.IGNORECASE)
_SMALL: Final = re.compile(r"\s+(?:in|on|at|with|of|and|by|from|to|under|over)$", re.IGNORECASE)
_WORD: Final = re.compile(r"[\w'’-]+")
_SHOWN_BY_SUBJECT: Final = frozenset({"subject", "subject_details"})


class Captions:
    """Captions such as "lighthouse · night · crane up" for the videos of one session or batch.

    A video's origin is the nearest ancestor, going back from prompt to parent prompt, that is among
    ``jobs``. A caption is the subject, then the values that differ from the origin's: of the scene,
    the model, the format and the length. Renders of the same prompt are distinguished by their
    seeds, segments of a rollout by their place.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        ordered = sorted(jobs, key=lambda job: (job.created_at, job.position))
        self._first: dict[str, Job] = {}
        self._parents: set[str] = set()
        for job in ordered:
            self._first.setdefault(job.request.prompt, job)
            self._parents.add(job.parent_prompt)

    def of(self, job: Job) -> str:
        """Return the caption of ``job``, at most about 80 characters."""
        origin = self._origin(job)
        new = _differences(job.request, origin.request)
        is_original = origin.request.prompt == job.request.prompt
        if not new and is_original and job.request.prompt in self._parents:
            new = [ORIGINAL]
        first = self._first.get(job.request.prompt, job)
        if first.job_id != job.job_id and first.request.seed != job.request.seed:
            new = [*new[: _MOST_PARTS - 1], f"seed {job.request.seed}"]
        if place := _place(job.request):
            new = [*new[: _MOST_PARTS - 1], place]
        subject = _head(job.request.scene.subject) or _words(job.request.prompt, _SUBJECT_WORDS)
        return " · ".join(dict.fromkeys((subject, *new[:_MOST_PARTS])))

    def _origin(self, job: Job) -> Job:
        seen = {job.request.prompt}
        origin = self._first.get(job.request.prompt, job)
        while (parent := self._first.get(origin.parent_prompt)) is not None:
            if parent.request.prompt in seen:
                break
            seen.add(parent.request.prompt)
            origin = parent
        return origin


def _differences(request: RenderRequest, origin: RenderRequest) -> list[str]:
    """Return the values of ``request`` that ``origin`` lacks, in the order of the scene."""
    new = []
    for name in SCENE_FIELDS:
        if name in _SHOWN_BY_SUBJECT:
            continue
        value, before = getattr(request.scene, name), getattr(origin.scene, name)
        if isinstance(value, tuple):
            new += [one for one in value if one not in before]
        elif value and value != before:
            new.append(value)
    if request.camera is not None and request.camera != origin.camera:
        new.append(request.camera.label)
    if not new and request.prompt != origin.prompt:
        new.append(_new_words(request.prompt, origin.prompt))
    if (request.engine, request.model) != (origin.engine, origin.model):
        new.append(request.model.rsplit("/", 1)[-1] or request.engine)
    given, before = request.options, origin.options
    new += [
        f"with {name.replace('_', ' ')}" for name in INPUTS if given.get(name) != before.get(name)
    ]
    if (request.width, request.height) != (origin.width, origin.height) and request.width:
        new.append(f"{request.width}×{request.height}")
    if request.num_frames != origin.num_frames and request.num_frames:
        new.append(f"{request.num_frames} frames")
    return [one for one in new if one]


def _place(request: RenderRequest) -> str:
    """Return where a segment of a rollout begins in its world; empty for any other video."""
    segment = request.options.get("rollout") or {}
    if segment.get("of"):
        return "made again"
    start = segment.get("start", 0)
    return f"from {start / float(request.fps or 24):.1f} s" if start else ""


def _head(subject: str) -> str:
    """Return the first words of a subject, without its article."""
    return _words(_ARTICLE.sub("", subject.strip()), _SUBJECT_WORDS)


def _words(text: str, count: int) -> str:
    """Return the first words of a text, without a trailing function word."""
    return _SMALL.sub("", " ".join(_WORD.findall(text)[:count]))


def _new_words(text: str, before: str) -> str:
    """Return the first words in which ``text`` differs from ``before``."""
    known = set(pairwise(("", *_WORD.findall(before.lower()))))
    words = _WORD.findall(text)
    pairs = list(pairwise(("", *(word.lower() for word in words))))
    at = next((place for place, pair in enumerate(pairs) if pair not in known), 0)
    return _words(" ".join(words[at:]), _NEW_WORDS)
