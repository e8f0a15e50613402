"""Inputs: uploaded images and videos that renders start from, camera paths and actions."""

from __future__ import annotations

from typing import Final

from tornado import web

from server_extension.handlers.uploads import UploadHandler
from server_extension.operations import Operation, Parameter, operation
from server_extension.schemas.videos import InputAnswer

__all__ = ["InputsHandler"]

_MEDIA_TYPES: Final = (
    "image/png", "image/jpeg", "image/webp", "video/mp4", "video/quicktime", "video/webm",
)  # fmt: skip


_CAMERA_TYPES: Final = (
    "application/json", "application/octet-stream", "text/plain", "application/zip",
)  # fmt: skip
"""JSON; NPZ and NPY; TUM text; a ZIP of COLMAP's texts."""
_ACTION_TYPES: Final = ("application/json", "application/octet-stream", "text/csv")
"""JSON; NPY; CSV."""
_ACTIONS: Final = (
    Parameter(
        "kind",
        {"enum": ["actions"]},
        "`actions` for a robot's actions in NPY, CSV or JSON; a camera path may have these formats too.",
    ),
    Parameter("embodiment", {"type": "string", "maxLength": 64}, "Whose actions they are."),
)


class InputsHandler(UploadHandler):
    """POST /api/video/inputs."""

    @operation(
        Operation(
            "Upload an image or a video to start from, a camera path to follow, or actions, as the body",
            answer=InputAnswer,
            status=201,
            upload=(*_MEDIA_TYPES, *_CAMERA_TYPES, "text/csv"),
            query=_ACTIONS,
            errors=(400, 413, 415, 429, 503),
        )
    )
    async def post(self) -> None:
        """Keep the upload; its first bytes tell its format."""
        body = self.read_body()
        actions = self.query("kind") == "actions" or self.media_type == "text/csv"
        taken = _ACTION_TYPES if actions else (*_MEDIA_TYPES, *_CAMERA_TYPES)
        if self.media_type not in taken:
            raise web.HTTPError(415, f"Send one of {', '.join(taken)}.")
        jobs = self.studio.jobs
        keep = jobs.keep_camera_path if self.media_type in _CAMERA_TYPES else jobs.keep_input
        if actions:
            embodiment = self.query("embodiment") or None
            kept = await self.uploads.in_turn(jobs.keep_actions, body, embodiment)
        else:
            kept = await self.uploads.in_turn(keep, body)
        facts = kept.facts
        self.answer(
            InputAnswer(
                input_id=kept.input_id,
                kind=facts.kind,
                width=facts.width,
                height=facts.height,
                num_frames=facts.num_frames,
            ),
            201,
        )
