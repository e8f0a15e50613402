"""Checks whether a video shows what its scene asks for: pixels first, then the vision model, if any.

Whatever the model does, a check comes of it: what nobody could answer is "cannot tell".
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

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
_NO_MODEL: Final = "No language model that sees is connected."
_BLIND: Final = "The model {name} did not see the pictures, so its answers do not count."

_Said = Mapping[str, tuple[Verdict, float | None]]


async def check_in(studio: Studio, job_id: str) -> SceneCheck:
    """Check the finished video of a job against its scene, keep the check and return it.

    The same question is put to the same model about the same video once. Raises ``NotFound`` until
    there is a video, ``DamagedFile`` if it does not decode.
    """
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
    elif left := [q for q in questions if not _stands(known.get(q.text), endpoint.model)]:
        check, told = await _asked(endpoint, check, path, left)
        known |= told
    answers = tuple(known.get(q.text) or _answer(q, Verdict.UNKNOWN) for q in questions)
    check = check.model_copy(update={"answers": answers})
    await asyncio.to_thread(studio.jobs.keep_check, job, check)
    return check


async def lacks_subject(studio: Studio, job: Job, picture: bytes) -> tuple[str, int]:
    """Return what of the scene's subject ``picture`` lacks, empty if nothing, and the tokens taken.

    ``picture`` is a preview of the render. Only a plain "no" of a model that saw it counts.
    """
    from workbench.measures.scene_check.asking import (  # noqa: PLC0415
        SheetAnswers,
        messages_about,
        verdicts_in,
    )
    from workbench.measures.scene_check.contact_sheet import sheet_of_picture  # noqa: PLC0415

    endpoint = studio.language.writer(job.session_id).endpoint
    asked = [q for q in questions_of(job.request.scene) if q.field == "subject"][:1]
    if endpoint is None or not asked:
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
        raise NotFound("file", job_id, f"The recipe of the job {job_id} tells of no video.")
    return studio.jobs.job(job_id), path, outcome.sha256, studio.jobs.scene_check(job_id)


def _stands(answer: CheckAnswer | None, model: str) -> bool:
    """Return whether ``model`` need not be asked: the answer is its own, or measured."""
    return answer is not None and answer.source in {_MEASURED, model}


def _measured(path: Path, scene: Scene, questions: Sequence[Question]) -> dict[str, CheckAnswer]:
    # Imported here: it loads OpenCV, which only a check needs.
    from workbench.measures.scene_check.measured import measured_verdicts  # noqa: PLC0415

    found = measured_verdicts(path, scene, questions)
    return {q.text: _answer(q, found[q.text], _MEASURED) for q in questions if q.text in found}


async def _asked(
    endpoint: ChatEndpoint, check: SceneCheck, path: Path, questions: Sequence[Question]
) -> tuple[SceneCheck, dict[str, CheckAnswer]]:
    """Return the check with what asking cost, and the model's answers, if they count."""
    from workbench.measures.scene_check.asking import (  # noqa: PLC0415
        SheetAnswers,
        messages_about,
        verdicts_in,
    )
    from workbench.measures.scene_check.contact_sheet import contact_sheet  # noqa: PLC0415

    sheet = await asyncio.to_thread(contact_sheet, path, check.video)
    told: list[tuple[Verdict, float | None]] | None = None
    try:
        answer, said = await endpoint.ask(messages_about(sheet, questions), SheetAnswers)
        told = verdicts_in(answer, sheet, len(questions))
        problem = "" if told is not None else _BLIND.format(name=endpoint.model)
    except ChatFailure as error:
        said, problem = tuple(error.exchanges), str(error)
    check = _with_cost(check, said).model_copy(update={"model": endpoint.model, "problem": problem})
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
