"""Inputs: uploaded images and videos that renders start from."""

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


class InputsHandler(UploadHandler):
    """POST /api/video/inputs."""

    @operation(
        Operation(
            "Upload an image or a video for renders to start from, as the body",
            answer=InputAnswer,
            status=201,
            upload=_MEDIA_TYPES,
            errors=(400, 413, 415, 429, 503),
        )
    )
    async def post(self) -> None:
        """Keep the upload; its first bytes tell its type."""
        body = self.read_body()
        if self.media_type not in _MEDIA_TYPES:
            raise web.HTTPError(415, f"Send one of {', '.join(_MEDIA_TYPES)}.")
        kept = await self.uploads.in_turn(self.studio.jobs.keep_input, body)
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
