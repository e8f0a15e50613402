"""Checks whether a video shows what its scene asks for: pixels first, then the vision model, if any.

A check never fails because of the model: unanswered questions are "cannot tell".
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import AsyncFileLock

from workbench.errors import NotFound
from workbench.jobs.model import Job
from workbench.measures.scene_check.model import CheckAnswer, SceneCheck, Verdict
from workbench.measures.scene_check.questions import Question, questions_of
from workbench.prompts.model import ChatFailure, Exchange
from workbench.scene import Scene

if TYPE_CHECKING:
    from workbench.prompts.language_models.endpoint.chat import ChatEndpoint
    from workbench.studio import Studio

__all__ = ["check_in", "lacks_subject"]

_MEASURED: Final = "measured"
_NO_MODEL: Final = "No vision language model is connected."
_SIGHTLESS: Final = (
    "The model {name} cannot see pictures. A local vision model is a server of its own: Ollama, "
    "llama.cpp with mmproj, vLLM."
)
_LOCKS: Final = 64
"""Number of lock files; videos that share one wait for each other."""
_LOOK_S: Final = 0.2
_BLIND: Final = "The model {name} did not see the pictures, so its answers do not count."

_Said = Mapping[str, tuple[Verdict, float | None]]


async def check_in(studio: Studio, job_id: str) -> SceneCheck:
    """Check the finished video of a job against its scene, store the check and return it.

    The same model is asked the same question about a video only once, also by checks that run at
    once in several threads and processes. Raises ``NotFound`` until there is a video,
    ``DamagedFile`` if it cannot be decoded.
    """
    async with _only_one(studio, job_id):
        return await _checked(studio, job_id)


@asynccontextmanager
async def _only_one(studio: Studio, job_id: str) -> AsyncIterator[None]:
    """Let one check of a job run at a time, in every process that uses this index."""
    number = zlib.crc32(job_id.encode()) % _LOCKS
    folder = studio.settings.index_path.parent
    lock = AsyncFileLock(folder / f".check.{number}.lock", poll_interval=_LOOK_S)
    try:
        await lock.acquire()
    except OSError:  # a full or read-only disk must not end the check
        is_held = False
    else:
        is_held = True
    try:
        yield
    finally:
        if is_held:
            await lock.release()


async def _checked(studio: Studio, job_id: str) -> SceneCheck:
    job, path, digest, kept = await asyncio.to_thread(_looked_up, studio, job_id)
    endpoint = studio.language.writer(job.session_id).endpoint
    scene, questions = job.request.scene, questions_of(job.request.scene)
    check = SceneCheck(video=digest) if kept is None else kept
    known = {answer.question: answer for answer in check.answers if answer.source}
    if kept is None:
        known |= await asyncio.to_thread(_measured, path, scene, questions)
    left = [q for q in questions if q.text not in known]
    if endpoint is None:
        check = check.model_copy(update={"problem": _NO_MODEL if left else ""})
    elif not endpoint.abilities.can_see:
        problem = _SIGHTLESS.format(name=endpoint.model) if left else ""
        check = check.model_copy(update={"problem": problem})
    elif left := [q for q in questions if not _stands(known.get(q.text), endpoint.model)]:
        check, told = await _asked(endpoint, check, path, left)
        known |= told
    answers = tuple(known.get(q.text) or _answer(q, Verdict.UNKNOWN) for q in questions)
    check = check.model_copy(update={"answers": answers})
    await asyncio.to_thread(studio.jobs.keep_check, job, check)
    return check


async def lacks_subject(studio: Studio, job: Job, picture: bytes) -> tuple[str, int]:
    """Return what ``picture`` lacks of the scene's subject, empty if nothing, and the tokens used.

    ``picture`` is a preview of the render. Only a clear "no" of a model that saw it counts.
    """
    from workbench.measures.scene_check.asking import (  # noqa: PLC0415
        SheetAnswers,
        messages_about,
        verdicts_in,
    )
    from workbench.measures.scene_check.contact_sheet import sheet_of_picture  # noqa: PLC0415

    endpoint = studio.language.writer(job.session_id).endpoint
    asked = [q for q in questions_of(job.request.scene) if q.field == "subject"][:1]
    if endpoint is None or not endpoint.abilities.can_see or not asked:
        return "", 0
    digest = hashlib.sha256(picture).hexdigest()
    sheet = await asyncio.to_thread(sheet_of_picture, picture, digest)
    try:
        answer, said = await endpoint.ask(messages_about(sheet, asked), SheetAnswers)
    except ChatFailure as error:
        return "", _tokens(error.exchanges)
    told = verdicts_in(answer, sheet, len(asked))
    denied = told is not None and told[0][0] is Verdict.NO
    return (asked[0].wanted if denied else ""), _tokens(said)


def _tokens(said: Sequence[Exchange]) -> int:
    return sum((one.prompt_tokens or 0) + (one.completion_tokens or 0) for one in said)


def _looked_up(studio: Studio, job_id: str) -> tuple[Job, Path, str, SceneCheck | None]:
    path = studio.jobs.video_path(job_id)
    outcome = studio.jobs.recipe(job_id).outcome
    if outcome is None:
        raise NotFound("file", job_id, f"The recipe of the job {job_id} does not describe a video.")
    return studio.jobs.job(job_id), path, outcome.sha256, studio.jobs.scene_check(job_id)


def _stands(answer: CheckAnswer | None, model: str) -> bool:
    """Return whether ``model`` need not be asked: the answer is measured, or its own."""
    return answer is not None and answer.source in {_MEASURED, model}


def _measured(path: Path, scene: Scene, questions: Sequence[Question]) -> dict[str, CheckAnswer]:
    # Imported here: it loads OpenCV, which only a check needs.
    from workbench.measures.scene_check.measured import measured_verdicts  # noqa: PLC0415

    found = measured_verdicts(path, scene, questions)
    return {q.text: _answer(q, found[q.text], _MEASURED) for q in questions if q.text in found}


async def _asked(
    endpoint: ChatEndpoint, check: SceneCheck, path: Path, questions: Sequence[Question]
) -> tuple[SceneCheck, dict[str, CheckAnswer]]:
    """Return the check with the cost of asking and, if they count, the model's answers."""
    from workbench.measures.scene_check.asking import (  # noqa: PLC0415
        SheetAnswers,
        messages_about,
        verdicts_in,
    )
    from workbench.measures.scene_check.contact_sheet import contact_sheet  # noqa: PLC0415
    from workbench.measures.scene_check.small_video import small_video  # noqa: PLC0415

    sheet = await asyncio.to_thread(contact_sheet, path, check.video)
    watches = endpoint.abilities.can_see and endpoint.abilities.can_watch
    video = await asyncio.to_thread(small_video, path, check.video) if watches else None
    told: list[tuple[Verdict, float | None]] | None = None
    looked_at = ""
    try:
        answer, said = await endpoint.ask(messages_about(sheet, questions, video), SheetAnswers)
        told = verdicts_in(answer, sheet, len(questions))
        if told is not None:
            has_watched = video is not None and answer.video == video.number
            looked_at = "video" if has_watched else "pictures"
        problem = "" if told is not None else _BLIND.format(name=endpoint.model)
    except ChatFailure as error:
        said, problem = tuple(error.exchanges), str(error)
    update = {"model": endpoint.model, "problem": problem, "looked_at": looked_at}
    check = _with_cost(check, said).model_copy(update=update)
    pairs = zip(questions, told or (), strict=bool(told))
    found = {q.text: _answer(q, verdict, endpoint.model, at_s) for q, (verdict, at_s) in pairs}
    return check, found


def _with_cost(check: SceneCheck, said: Sequence[Exchange]) -> SceneCheck:
    return check.model_copy(
        update={
            "prompt_tokens": check.prompt_tokens + sum(e.prompt_tokens or 0 for e in said),
            "completion_tokens": check.completion_tokens
            + sum(e.completion_tokens or 0 for e in said),
            "duration_s": round(check.duration_s + sum(e.duration_s for e in said), 3),
            "requests": check.requests + len(said),
        }
    )


def _answer(
    question: Question, verdict: Verdict, source: str = "", at_s: float | None = None
) -> CheckAnswer:
    return CheckAnswer(
        field=question.field,
        question=question.text,
        wanted=question.wanted,
        verdict=verdict,
        at_s=at_s,
        source=source,
    )
