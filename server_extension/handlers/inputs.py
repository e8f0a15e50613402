"""Inputs: uploaded images and videos that renders start from, and camera paths."""

from __future__ import annotations

from typing import Final

from tornado import web

from server_extension.handlers.uploads import UploadHandler
from server_extension.operations import Operation, operation
from server_extension.schemas.videos import InputAnswer

__all__ = ["InputsHandler"]

_MEDIA_TYPES: Final = (
    "image/png", "image/jpeg", "image/webp", "video/mp4", "video/quicktime", "video/webm",
)  # fmt: skip


_CAMERA_TYPES: Final = ("application/json", "application/octet-stream", "text/plain")
"""JSON; NPZ and NPY; TUM text."""


class InputsHandler(UploadHandler):
    """POST /api/video/inputs."""

    @operation(
        Operation(
            "Upload an image or a video to start from, or a camera path to follow, as the body",
            answer=InputAnswer,
            status=201,
            upload=(*_MEDIA_TYPES, *_CAMERA_TYPES),
            errors=(400, 413, 415, 429, 503),
        )
    )
    async def post(self) -> None:
        """Keep the upload; its first bytes tell its format."""
        body = self.read_body()
        taken = (*_MEDIA_TYPES, *_CAMERA_TYPES)
        if self.media_type not in taken:
            raise web.HTTPError(415, f"Send one of {', '.join(taken)}.")
        jobs = self.studio.jobs
        keep = jobs.keep_camera_path if self.media_type in _CAMERA_TYPES else jobs.keep_input
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
