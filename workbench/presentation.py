"""The public JSON of jobs, batches and conversation steps, shared by REST, widgets and notebooks.

The only place that decides how a job is shown. A new fact about a job is a field of
:class:`JobObject` and a line of :func:`job_object`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.actions.model import as_json
from workbench.identifiers import Kind, id_pattern
from workbench.jobs.model import Batch, BatchState, Job, JobState
from workbench.jobs.paths import CHANNEL_FILES
from workbench.measures.scores import SCORE_NAMES
from workbench.rendering import ForkPoint, RenderRequest, RolloutSegment, Tail
from workbench.scene import Scene

if TYPE_CHECKING:
    from workbench.prompts.agent.conversation import Step

__all__ = [
    "CHANNEL_FILES",
    "BatchObject",
    "BatchStatus",
    "CameraObject",
    "ChecksObject",
    "ForkObject",
    "JobId",
    "JobObject",
    "JobStatus",
    "PlaceObject",
    "ScoresObject",
    "StepObject",
    "batch_object",
    "job_object",
    "step_object",
]

JobId = Annotated[str, Field(pattern=id_pattern(Kind.JOB))]
JobStatus = Literal["pending", "processing", "complete", "failed"]
BatchStatus = Literal["pending", "processing", "complete", "partial", "failed"]


_UNKNOWN: Final = "null where it cannot be measured"


class ScoresObject(BaseModel):
    """Measurements of a finished video; see docs/research.md.

    Scores of installed scorers are listed beside the built-in ones, by name.
    """

    model_config = ConfigDict(extra="allow")

    motion: float = Field(description="Optical flow, picture widths a second; 0 is frozen.")
    smoothness: float = Field(description="0 to 1: 1 moves evenly, 0 jumps.")
    flicker: float = Field(description="0 to 1: changes of brightness from frame to frame.")
    sharpness: float = Field(description="Variance of the Laplacian, from 0.")
    exposure: float = Field(description="0 to 1: mean luminance.")
    clipping: float = Field(description="0 to 1: share of pixels that are black or white.")
    colourfulness: float = Field(description="0 (grey) to about 150.")
    consistency: float = Field(description="0 to 1: how well each frame explains the next.")
    agreement: float | None = Field(
        None, description="-1 to 1: agreement with the prompt; null without a model to measure it."
    )
    loudness: float | None = Field(
        None, description="Of the sound, LUFS by ITU-R BS.1770: -70 to about 0; null without sound."
    )
    silence: float | None = Field(
        None, description="0 to 1: share of the time without sound; null without a track."
    )
    sound_clipping: float | None = Field(
        None, description="0 to 1: share of samples at full scale; null without sound."
    )
    sound_length: float | None = Field(
        None, description="Seconds by which sound and picture differ in length; null without sound."
    )
    exposure_drift: float | None = Field(None, description=f"Drift of light, log2; {_UNKNOWN}.")
    colour_drift: float | None = Field(None, description=f"Drift of colour, CIELAB; {_UNKNOWN}.")
    sharpness_drift: float | None = Field(None, description=f"Drift of detail, log2; {_UNKNOWN}.")
    seams: float | None = Field(None, description=f"Number of visible seams; {_UNKNOWN}.")
    repeated_frames: float | None = Field(None, description=f"Number of repeats; {_UNKNOWN}.")
    standstill: float | None = Field(
        None, description=f"0 to 1: share of the time in standstills; {_UNKNOWN}."
    )
    cuts: float | None = Field(None, description=f"Number of cuts; {_UNKNOWN}.")
    loops: float | None = Field(None, description=f"How often it goes round; {_UNKNOWN}.")
    path_rotation: float | None = Field(
        None, description="Rotation off the commanded path, degrees; null without amounts in it."
    )
    path_direction: float | None = Field(
        None, description="Direction of travel off the commanded path, degrees; null likewise."
    )
    return_rotation: float | None = Field(
        None, description="Degrees between two views that should agree; null likewise."
    )
    return_shift: float | None = Field(
        None, description="Picture widths between two views that should agree; null likewise."
    )


class ChecksObject(BaseModel):
    """Summary of whether a video shows what its scene asks for; see docs/research.md."""

    summary: str = Field(description="In one line: `9 of 11 asked for; missing: two foxes`.")
    asked_for: int = Field(description="Number of questions derived from the scene.")
    found: int = Field(description="Number of questions answered yes.")
    unknown: int = Field(description="Number of questions without an answer.")
    missing: list[str] = Field(description="What the video shows only partly or not at all.")
    request: str = Field(
        description="A tuning request that asks for the missing parts; may be empty."
    )
    verdicts: dict[str, Literal["yes", "partly", "no", "cannot tell"]] = Field(
        description="The verdict of each scene field."
    )
    model: str = Field(description="Name of the vision model; empty if none was asked.")
    looked_at: str = Field("", description="What it received: `video`, `pictures`, or empty.")
    problem: str = Field(description="Why it gave no answers; empty on success.")


class CameraObject(BaseModel):
    """The commanded camera of a job; its poses are in the recipe."""

    said: str = Field(description="Words or keys as given; empty for poses.")
    words: str = Field(description="The path in words.")
    notes: list[str] = Field(description="What was assumed, rounded or not read.")
    way: Literal["", "poses", "words"] = Field(
        description="Whether the engine follows the poses, or reads the words in its prompt."
    )


class ForkObject(BaseModel):
    """The video that a fork shares its first frames with."""

    of: str = Field(description="Its job.")
    at_s: float = Field(description="The time in seconds at which the fork leaves it.")


class PlaceObject(BaseModel):
    """Which part of its world a segment of a rollout is; see docs/worlds.md."""

    start_s: float = Field(description="The second of the world at which it begins.")
    end_s: float
    overlap_s: float = Field(description="Seconds at its beginning that repeat what comes before.")
    of: str | None = Field(description="The video that it makes again, losslessly.")
    left_at_s: float | None = Field(
        description="The second at which it leaves the video in `follows`; null for its end."
    )


class JobObject(BaseModel):
    """The public form of a job."""

    job_id: JobId
    batch_id: str | None
    session_id: str | None
    position: int = Field(0, description="Index within the batch, from 0.")
    state: JobState = Field(
        JobState.QUEUED, description="Like `status`, except that a cancelled job is `cancelled`."
    )
    status: JobStatus
    cancelled: bool
    progress: float = Field(ge=0, le=100)
    stage: str
    step: int
    total_steps: int
    message: str
    video_url: str | None
    poster_url: str | None
    preview_url: str | None
    preview_job_id: str | None = Field(
        None, description="Job of the storyboard that is shown until the video is complete."
    )
    preview_of: str | None = Field(
        None, description="For such a storyboard, the job that it is shown for."
    )
    follows: str | None = Field(
        None, description="The job it continues from; it starts once that job is complete."
    )
    size_bytes: int | None = Field(None, description="Size of the finished video.")
    has_audio: bool = Field(False, description="Whether the finished video has sound.")
    prompt: str
    negative_prompt: str = ""
    seed: int
    seed_text: str = Field(
        "", description="The seed as text, for clients that cannot hold 63 bits in a number."
    )
    engine: str
    model: str
    width: int | None = None
    height: int | None = None
    num_frames: int | None = None
    fps: int | float | None = Field(
        None, description="Whole, or a fraction: 23.976023976023978 is 24000/1001."
    )
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    channels: dict[str, str] = Field(
        default_factory=dict,
        description="URL of each exact channel beside the video, by name; see docs/worlds.md.",
    )
    camera: CameraObject | None = Field(None, description="The commanded camera path.")
    fork: ForkObject | None = Field(None, description="The video it was forked from.")
    segment: PlaceObject | None = Field(
        None, description="Its place in its world, if it is a segment of a rollout."
    )
    parameters: Scene
    entry_index: int | None
    gpu_id: int | None
    device: str | None
    host: str | None = Field(None, description="The cluster node it runs on.")
    priority: int
    attempt: int
    eta_s: float | None = Field(
        description="Estimated seconds of rendering left, without the wait in the queue."
    )
    wait_s: float | None = Field(description="Estimated seconds until it starts.")
    queue_position: int | None
    starred: bool
    note: str = Field(description="A user's note.")
    scores: ScoresObject | None = Field(
        description="Measured shortly after the render; null until then."
    )
    scores_error: str = Field(description="Why the video could not be measured.")
    checks: ChecksObject | None = Field(
        None, description="Whether it shows what was asked for; null until checked."
    )
    near_duplicates: list[str] = Field(
        description="Jobs of the same batch whose videos look the same."
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    revision: int


class BatchObject(BaseModel):
    """A batch and its jobs, in prompt order."""

    batch_id: str
    name: str
    status: BatchStatus
    progress: float
    counts: dict[str, int]
    created_at: datetime
    jobs: list[JobObject]


_JOB_STATUS: Final[Mapping[JobState, JobStatus]] = MappingProxyType(
    {
        JobState.QUEUED: "pending",
        JobState.RUNNING: "processing",
        JobState.COMPLETE: "complete",
        JobState.FAILED: "failed",
        JobState.CANCELLED: "failed",  # published clients stop polling only at complete and failed
    }
)
_BATCH_STATUS: Final[Mapping[BatchState, BatchStatus]] = MappingProxyType(
    {
        BatchState.QUEUED: "pending",
        BatchState.RUNNING: "processing",
        BatchState.COMPLETE: "complete",
        BatchState.PARTIAL: "partial",
        BatchState.FAILED: "failed",
    }
)


def job_object(job: Job, base_url: str = "") -> JobObject:
    """Return ``job`` with its files' URLs under ``base_url``, which ends in a slash.

    Without it the URLs are relative to the server, since a kernel does not know the base URL.
    """
    request = job.request
    files = f"{base_url}static/videos/"
    folder = f"{files}{job.batch_id}/{job.job_id}" if job.batch_id else f"{files}{job.job_id}"
    return JobObject.model_construct(
        job_id=job.job_id,
        batch_id=job.batch_id,
        session_id=job.session_id,
        position=job.position,
        state=job.state,
        status=_JOB_STATUS[job.state],
        cancelled=job.state is JobState.CANCELLED,
        progress=round(job.progress, 1),
        stage=job.stage,
        step=job.step,
        total_steps=job.total_steps,
        message=_message(job),
        video_url=f"{folder}/video.mp4" if job.has_video else None,
        poster_url=f"{folder}/poster.jpg" if job.has_poster else None,
        preview_url=_preview(job, folder, files),
        preview_job_id=job.preview_job_id,
        preview_of=job.preview_of,
        follows=job.follows,
        size_bytes=job.video_bytes if job.has_video else None,
        has_audio=job.has_audio,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        seed=request.seed,
        seed_text=str(request.seed),
        engine=request.engine,
        model=request.model,
        width=request.width,
        height=request.height,
        num_frames=request.num_frames,
        fps=request.fps,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        channels=_channels(job, folder),
        camera=_camera(request),
        fork=_fork(request),
        segment=_segment(request),
        parameters=request.scene,
        entry_index=job.entry_index,
        gpu_id=job.gpu_id,
        device=job.device,
        host=job.host or None,
        priority=job.priority,
        attempt=job.attempt,
        eta_s=job.eta_s,
        wait_s=job.wait_s,
        starred=job.starred,
        note=job.note,
        scores=_scores(job),
        scores_error=job.scores_error,
        checks=ChecksObject.model_construct(**job.checks) if job.checks else None,
        near_duplicates=list(job.near_duplicates),
        queue_position=job.queue_position,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        error=job.error,
        revision=job.revision,
    )


def batch_object(batch: Batch, base_url: str = "") -> BatchObject:
    """Return ``batch`` with its jobs in prompt order; see :func:`job_object`."""
    counts: dict[str, int] = {"pending": 0, "processing": 0, "complete": 0, "failed": 0}
    for job in batch.jobs:
        counts[_JOB_STATUS[job.state]] += 1
    cancelled = sum(job.state is JobState.CANCELLED for job in batch.jobs)
    return BatchObject.model_construct(
        batch_id=batch.batch_id,
        name=batch.name,
        status=_BATCH_STATUS[batch.state],
        progress=round(batch.progress, 1),
        counts={**counts, "cancelled": cancelled, "total": len(batch.jobs)},
        created_at=batch.created_at,
        jobs=[job_object(job, base_url) for job in batch.jobs],
    )


def _channels(job: Job, folder: str) -> dict[str, str]:
    if not job.has_video or not job.request.channels:
        return {}
    names = (*job.request.channels, "facts")
    return {name: f"{folder}/{CHANNEL_FILES[name]}" for name in names}


def _fork(request: RenderRequest) -> ForkObject | None:
    if (given := request.options.get("fork")) is None:
        return None
    try:
        point = ForkPoint.model_validate(given)
    except ValidationError:  # of an engine of one's own, or of a damaged recipe
        return None
    at_s = round(point.frame / float(request.fps or 24), 3)
    return ForkObject.model_construct(of=point.of, at_s=at_s)


def _segment(request: RenderRequest) -> PlaceObject | None:
    if (given := request.options.get("rollout")) is None:
        return None
    try:
        segment = RolloutSegment.model_validate(given)
        cut = Tail.model_validate(request.options.get("tail") or {}).num_frames
    except ValidationError:
        return None
    fps = float(request.fps or 24)
    end = segment.start + (request.num_frames or 0) - segment.overlap
    return PlaceObject.model_construct(
        start_s=round(segment.start / fps, 3),
        end_s=round(end / fps, 3),
        overlap_s=round(segment.overlap / fps, 3),
        of=segment.of or None,
        left_at_s=round(cut / fps, 3) if cut else None,
    )


def _camera(request: RenderRequest) -> CameraObject | None:
    if (camera := request.camera) is None:
        return None
    return CameraObject.model_construct(
        said=camera.said, words=camera.words, notes=list(camera.notes), way=camera.way
    )


def _preview(job: Job, folder: str, files: str) -> str | None:
    if job.has_preview:
        return f"{folder}/preview.jpg"
    return f"{files}{job.preview_job_id}/video.mp4" if job.preview_job_id else None


def _scores(job: Job) -> ScoresObject | None:
    if job.scores is None:
        return None
    values: dict[str, Any] = {**dict.fromkeys(SCORE_NAMES), **job.scores}
    return ScoresObject.model_construct(**values)


def _message(job: Job) -> str:
    """Return one sentence about the job's state, enough for a page that shows nothing else."""
    if job.state is JobState.QUEUED:
        ahead = job.queue_position
        return job.message or ("Waiting" if ahead is None else f"Waiting, {ahead} ahead")
    if job.state is JobState.RUNNING:
        return job.message or job.stage.capitalize() or "Rendering"
    if job.state is JobState.COMPLETE:
        return job.message or (f"Done on {job.device}" if job.device else "Done")
    if job.state is JobState.CANCELLED:
        return job.message or "Cancelled"
    return job.error or job.message or "Failed"


class StepObject(BaseModel):
    """One step that a language model took or tried for a request; sent when it is done."""

    kind: str = Field(description="Kind of the action, `look`, or empty if none was understood.")
    action: dict[str, Any] | None = Field(description="The action; null for `look`.")
    message: str = Field(description="What was done, as text.")
    index: int | None = Field(
        description="Index of the prompt it created, for take_back; null if none."
    )
    prompt: str | None = Field(description="That prompt; null if none.")
    problem: str = Field(description="Why it was not done; empty on success.")


def step_object(step: Step) -> StepObject:
    """Return the public form of ``step``."""
    action = step.action
    if action is None or action.kind == "look":
        kind = "" if action is None else action.kind
        return StepObject(
            kind=kind, action=None, message="", index=None, prompt=None, problem=step.problem
        )
    index = step.came_of_it.get("entry")
    return StepObject(
        kind=action.kind,
        action=as_json((action,))[0],
        message=str(step.came_of_it.get("message", "")),
        index=index,
        prompt=None if index is None else str(step.came_of_it.get("prompt", "")),
        problem=step.problem,
    )
