"""Starts, continues and forks worlds. Queues jobs; renders nothing.

Segments of a storyboard are later parts of one film. A model continues from the lossless frames or
the latents of the previous segment, never from its H.264.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.engines.completion import CompleteRequest
from workbench.errors import NotFound, WorkbenchError
from workbench.identifiers import Kind, is_identifier
from workbench.jobs.client.leading import waiting_control
from workbench.jobs.model import Batch, Job, JobState
from workbench.rendering import RenderRequest
from workbench.rollouts.model import Branch, Origin, Outlook, RolloutParameters, segment_of
from workbench.rollouts.paths import MOST_FRAMES, Way, refused, size_of
from workbench.rollouts.segments import Segments

if TYPE_CHECKING:
    from workbench.jobs.client.manager import JobManager
    from workbench.render_requests import RenderRequests

__all__ = ["Rollouts"]

_STORYBOARD: Final = "animatic"
_NAME: Final = "rollout"
_GONE: Final = (
    "The lossless frames of this segment were removed (WORKBENCH_FRAMES_DAYS after it was made): it "
    "cannot be left any more. Star a segment to keep its frames."
)
_PAGE: Final = 500
_MOST_PAGES: Final = 20


class Rollouts:
    """Starts, continues and forks the worlds of one ``outputs/``."""

    def __init__(self, jobs: JobManager, requests: RenderRequests) -> None:
        self._jobs = jobs
        self._requests = requests
        self._segments = Segments(jobs, requests)

    def branch(self, name: str) -> Branch:
        """Return a branch by its batch, or the world that one video begins by its job.

        Raises ``NotFound``, also for a batch that is no rollout.
        """
        if is_identifier(name, Kind.JOB):
            job = self._jobs.job(name)
            return Branch(Batch(name, _NAME, job.session_id, job.created_at, (job,)))
        batch = self._jobs.batch(name)
        if not batch.jobs or "rollout" not in batch.jobs[0].request.options:
            raise NotFound("batch", name, f"The batch {name} is not a rollout.")
        return Branch(batch)

    def outlook(self, job: Job) -> Outlook:
        """Return whether and where a finished video can be left, and at what cost."""
        request = job.request
        segment = segment_of(request)
        if job.state is not JobState.COMPLETE:
            return Outlook(why_not="It can go on once it is complete.")
        if request.engine == _STORYBOARD:
            if "rollout" not in request.options:
                told = "A storyboard is forked along its camera path; video.rollout rolls it out."
                return Outlook(why_not=told)
            return Outlook(needs_actions=True)
        how = self._jobs.continuation(request)
        if how.why_not:
            return Outlook(why_not=how.why_not)
        if segment.start and not self._is_kept(job):
            return Outlook(why_not=_GONE)
        count = request.num_frames or 1
        least, reason = max(how.least, segment.overlap + 1), how.reason
        if segment.overlap + 1 > how.least:
            reason = f"Its first {segment.overlap} frames repeat the segment before it."
        return Outlook(
            least=least,
            every=how.every,
            most=how.most or count,
            reason=reason,
            overlap=segment.overlap,
            again=not self._is_kept(job) and self._made_again(job) is None,
        )

    def start(
        self, job_id: str, asked: RolloutParameters, *, idempotency_key: str | None = None
    ) -> Branch:
        """Queue the world of a video from its start, with the settings of the video.

        A storyboard's camera starts where the scene's shot places it. Raises ``InvalidRequest``,
        ``NotFound``.
        """
        job = self._jobs.job(job_id)
        base = job.request
        if segment_of(base).start:
            raise refused("job_id", "This is a segment of a world: fork it, or go on from it")
        planned = MOST_FRAMES
        if base.engine == _STORYBOARD:
            planned = round(asked.planned_s * float(base.fps or 24))
            if not 2 <= planned <= MOST_FRAMES:
                raise refused("planned_s", f"must be 2 to {MOST_FRAMES} frames")
        origin = Origin(base, planned=planned, near=job)
        return self._queue(origin, asked, idempotency_key)

    def leave(
        self,
        job_id: str,
        at_s: float | None,
        asked: RolloutParameters,
        *,
        idempotency_key: str | None = None,
    ) -> Branch:
        """Queue a branch that leaves a finished video at ``at_s`` of its seconds, or at its end.

        A model's video whose lossless frames were not kept is made again first, once: every further
        branch leaves that one. Raises ``InvalidRequest`` for a second at which the model cannot
        continue, ``NotFound``.
        """
        job = self._jobs.job(job_id)
        outlook = self.outlook(job)
        if outlook.why_not:
            raise refused("job_id", outlook.why_not.rstrip("."))
        count, fps = job.request.num_frames or 1, float(job.request.fps or 24)
        kept = count if at_s is None else round(at_s * fps)
        if not 1 <= kept <= count:
            raise refused(
                "at_s", f"must be within the video: above 0 and at most {count / fps:g} s"
            )
        if problem := outlook.problem(kept):
            raise refused("at_s", problem.rstrip("."))
        segment = segment_of(job.request)
        if "rollout" in job.request.options and (segment.start or self._is_kept(job)):
            world = self.branch(job.batch_id or job_id)
            return self._fork(world, segment.start - segment.overlap + kept, asked, idempotency_key)
        if self._is_kept(job):
            return self._fork(self.branch(job_id), kept, asked, idempotency_key)
        if (remade := self._made_again(job)) is not None:
            return self._fork(remade, kept, asked, idempotency_key)
        way = self._way(self.branch(job_id)).cut(kept)
        further = Origin(job.request, kept, 1, way, near=job)
        self._segments.made(further, self._found(asked))  # refused before the video is made again
        first = Origin(job.request, remakes=job_id, near=job)
        root = self._queue(first, RolloutParameters(most_retakes=0))
        try:
            return self._fork(root, kept, asked, idempotency_key)
        except WorkbenchError:
            self._jobs.cancel_batch(root.batch.batch_id)
            raise

    def fork(
        self,
        batch_id: str,
        at_s: float | None,
        asked: RolloutParameters,
        *,
        idempotency_key: str | None = None,
    ) -> Branch:
        """Queue a branch that leaves a world at ``at_s`` seconds, or at its end if None.

        Raises ``InvalidRequest`` for a time outside this world, or at which its model cannot
        continue; ``NotFound``.
        """
        branch = self.branch(batch_id)
        frame = branch.num_frames if at_s is None else round(at_s * branch.fps)
        return self._fork(branch, frame, asked, idempotency_key)

    def _fork(
        self, branch: Branch, frame: int, asked: RolloutParameters, idempotency_key: str | None
    ) -> Branch:
        """Queue a branch that shares the first ``frame`` frames of a world."""
        if not 1 <= frame <= branch.num_frames:
            longest_s = branch.num_frames / branch.fps
            raise refused("at_s", f"must be within the world: above 0 and at most {longest_s:g} s")
        way, name = self._way(branch).cut(frame), branch.batch.batch_id
        near = branch.batch.jobs[0]
        if branch.first.engine == _STORYBOARD:
            origin = Origin(
                branch.first, frame, way=way, parent=name, planned=branch.place.planned,
                near=near,
            )  # fmt: skip
            return self._queue(origin, asked, idempotency_key)
        line = self._line(branch)
        index = next(i for i, (_, start, end) in enumerate(line) if start < frame <= end)
        job, start, _ = line[index]
        if job.state is JobState.COMPLETE and not self._is_kept(job):
            raise refused("at_s", _GONE.rstrip("."))
        segment, count = segment_of(job.request), job.request.num_frames or 0
        kept = segment.overlap + frame - start
        how = self._jobs.continuation(job.request)
        if how.every > 1:
            places = self._places(line, how.every)
            if frame not in places:
                found = ", ".join(f"{place / branch.fps:g}" for place in places)
                raise refused("at_s", f"must be where this model can go on: {found} s")
        elif kept < how.least:
            raise refused("at_s", how.reason.rstrip("."))
        cut = 0 if kept == count else kept
        origin = Origin(
            job.request, frame, index + 1, way, name, job.job_id, cut,
            storyboard=self._storyboard(branch), near=near,
        )  # fmt: skip
        return self._queue(origin, asked, idempotency_key)

    def _storyboard(self, branch: Branch) -> RenderRequest | None:
        """Return the storyboard that a model's world follows, if it was drawn for the world."""
        found = branch.batch.jobs[0].preview_job_id
        request = self._jobs.job(found).request if found else None
        return request if request is not None and "planned" in request.options else None

    def poses(self, branch: Branch) -> Any:
        """Return the camera of every frame from the start of the world, N×4×4.

        The camera of an unsteered segment stands still.
        """
        return self._way(branch).poses

    def _way(self, branch: Branch) -> Way:
        size = size_of(branch.first)
        if branch.first.engine == _STORYBOARD:
            camera = branch.spans[-1][0].request.camera
            if camera is not None:
                return Way.of(camera.camera_path(), branch.num_frames, branch.fps, size)
        found = Way.nowhere()
        for job, _, _ in self._line(branch):
            count = job.request.num_frames or 0
            overlap = segment_of(job.request).overlap
            if job.request.camera is not None:
                path = job.request.camera.camera_path()
                own = Way.of(path, count, branch.fps, size)
                found = found.then(Way(own.poses[overlap:], own.lenses[overlap:]))
            else:
                found = found.then(found.held(count - overlap, size))
        return found

    def _line(self, branch: Branch) -> list[tuple[Job, int, int]]:
        """Return every segment from the start of the world, each up to its fork."""
        before: list[tuple[Job, int, int]] = []
        if branch.place.parent:
            for job, start, end in self._line(self.branch(branch.place.parent)):
                if start < branch.place.fork:
                    before.append((job, start, min(end, branch.place.fork)))
        return [*before, *branch.spans]

    def _places(self, line: Sequence[tuple[Job, int, int]], every: int) -> list[int]:
        """Return the frames of a world after which its model can go on."""
        found = []
        for job, start, end in line:
            most = self._jobs.continuation(job.request).most
            found += [one for one in range(start + every, start + most + 1, every) if one <= end]
        return found

    def _is_usable(self, job: Job) -> bool:
        """Return whether a model can go on from a job, now or once it is made."""
        if job.state is JobState.COMPLETE:
            return self._is_kept(job)
        return job.state not in {JobState.FAILED, JobState.CANCELLED}

    def _is_kept(self, job: Job) -> bool:
        """Return whether what a model goes on from lies beside the video."""
        needed = self._jobs.continuation(job.request).channels
        try:
            return all(self._jobs.channel_path(job.job_id, name) for name in needed)
        except NotFound:
            return False

    def _made_again(self, job: Job) -> Branch | None:
        """Return the world that begins with ``job`` made again, if one is there or coming."""
        cursor = None
        for _ in range(_MOST_PAGES):
            page = self._jobs.jobs(session_id=job.session_id, limit=_PAGE, cursor=cursor)
            for one in page.jobs:
                if one.batch_id and _remakes(one.request, job) and self._is_usable(one):
                    return self.branch(one.batch_id)
            is_older = bool(page.jobs) and page.jobs[-1].created_at < job.created_at
            if (cursor := page.cursor) is None or is_older:
                break
        return None

    def _found(self, asked: RolloutParameters) -> RolloutParameters:
        """Return ``asked`` with the camera path and the control's file that ids name."""
        found: dict[str, Any] = {}
        if asked.actions is not None:
            found["actions"] = self._requests.camera(asked.actions)
        control = asked.control
        if control is not None and not control.waits and not Path(control.video).is_absolute():
            found["control"] = self._requests.followed(control)
        return asked.model_copy(update=found)

    def _queue(
        self, origin: Origin, asked: RolloutParameters, idempotency_key: str | None = None
    ) -> Branch:
        asked = self._found(asked)
        previews: list[CompleteRequest | None] = []
        if origin.base.engine == _STORYBOARD:
            requests = self._segments.drawn(origin, asked)
            follows: list[int | str | None] = []
        else:
            requests = self._segments.made(origin, asked)
            follows = [origin.follows, *range(len(requests) - 1)]
            if waiting_control(requests[0].request) is not None:
                storyboard = self._segments.storyboard(origin, asked, requests)
                previews = [storyboard, *[None] * (len(requests) - 1)]
        near = origin.near
        batch = self._jobs.submit_batch(
            requests,
            name=_NAME,
            session_id=near.session_id if near else None,
            entry_indices=[_entry(origin, one) for one in requests],
            parent_prompts=_parent_prompts(origin, requests),
            previews=previews,
            follows=follows,
            idempotency_key=idempotency_key,
        )
        return Branch(batch)


def _remakes(request: RenderRequest, job: Job) -> bool:
    """Return whether ``request`` makes the video of ``job`` again."""
    segment = segment_of(request)
    return (
        segment.of == job.job_id
        and request.num_frames == job.request.num_frames
        and (request.seed == job.request.seed and request.prompt == job.request.prompt)
    )


def _entry(origin: Origin, complete: CompleteRequest) -> int | None:
    """Return the entry of a video that is made again; what goes on shows more than its prompt says."""
    is_again = origin.near is not None and bool(segment_of(complete.request).of)
    return origin.near.entry_index if origin.near and is_again else None


def _parent_prompts(origin: Origin, requests: Sequence[CompleteRequest]) -> list[str]:
    """Return what the prompt of each segment was derived from."""
    own = origin.base.prompt
    before = origin.near.parent_prompt if origin.near else ""
    return [before if one.request.prompt == own else own for one in requests]
