"""Files of finished renders: videos with range requests, posters, recipes, and batches as a ZIP."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from server_extension.handlers.base import ApiHandler, JsonErrors
from server_extension.operations import Operation, operation
from workbench.archive import BatchArchive
from workbench.errors import Busy, NotFound
from workbench.identifiers import Kind, is_identifier
from workbench.presentation import CHANNEL_FILES

__all__ = ["DownloadHandler", "VideoHandler"]

_LONE_VIDEO: Final = re.compile(r"([^/]+)\.mp4\Z")
_JOB_FILE: Final = re.compile(r"(?:([^/]+)/)?([^/]+)/([a-z]+\.[a-z0-9]+)\Z")
_CHUNK_BYTES: Final = 1 << 18
_CONTENT_TYPES: Final = {
    "mp4": "video/mp4",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "json": "application/json",
    "mkv": "video/x-matroska",
}
_CHANNELS: Final = {file: name for name, file in CHANNEL_FILES.items()}


class VideoHandler(JsonErrors, web.StaticFileHandler):
    """GET /static/videos/…: a video by its current path or an older one.

    ``{job_id}/video.mp4``, ``{batch_id}/{job_id}/video.mp4`` and ``{job_id}.mp4`` all lead to the
    same file; the job's folder also holds ``poster.jpg``, ``preview.jpg``, ``recipe.json`` and the
    channels that were asked for.
    """

    _file: Path
    _facts: os.stat_result

    def initialize(self) -> None:  # type: ignore[override]
        """Serve from outputs/."""
        super().initialize(path=str(self.studio.settings.outputs))
        self._ranges: list[tuple[int, int]] = []

    @web.authenticated
    @authorized
    async def get(self, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        """Send the file, or the requested range of it."""
        try:
            await self._send(path, include_body=include_body)
        except FileNotFoundError:  # gone since it was found: a poster replaces a preview
            await self._send(path, include_body=include_body)

    @web.authenticated
    @authorized
    async def head(self, path: str) -> None:  # type: ignore[override]
        """Send only the headers."""
        await self._send(path, include_body=False)

    async def _send(self, path: str, *, include_body: bool) -> None:
        """Answer as Tornado does, but read the file in other threads: a disk may hang."""
        self._ranges.clear()
        self._file, self._facts = await asyncio.to_thread(self._find, path)
        await super().get(path, include_body)
        for start, end in self._ranges:
            await self._send_bytes(start, end)

    async def _send_bytes(self, start: int, end: int) -> None:
        file = await asyncio.to_thread(self._file.open, "rb")
        try:
            await asyncio.to_thread(file.seek, start)
            left = end - start
            while left and (chunk := await asyncio.to_thread(file.read, min(left, _CHUNK_BYTES))):
                left -= len(chunk)
                self.write(chunk)
                await self.flush()
        except StreamClosedError:
            return
        finally:
            file.close()

    def _find(self, path: str) -> tuple[Path, os.stat_result]:
        """Return the file for a URL's path; 404 if it does not exist or lies outside."""
        job_id, name = _parse(path)
        jobs = self.studio.jobs
        finders = {
            "video.mp4": jobs.video_path,
            "poster.jpg": jobs.poster_path,
            "preview.jpg": jobs.preview_path,
            "recipe.json": jobs.recipe_path,
        }
        channel = _CHANNELS.get(name)
        if name not in finders and channel is None:
            raise NotFound("file", name)
        found = jobs.channel_path(job_id, channel) if channel else finders[name](job_id)
        file = found.resolve()
        outputs = self.studio.settings.outputs.resolve()
        if not file.is_relative_to(outputs) or not file.is_file():
            raise NotFound("file", name)
        return file, file.stat()

    def parse_url_path(self, url_path: str) -> str:
        """Return the path unchanged; :meth:`get` has already parsed it."""
        return url_path

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Return the path unchanged; :meth:`get` finds the file."""
        del root
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Return the file that was found."""
        del root, absolute_path
        return str(self._file)

    def get_content(  # type: ignore[override]  # tornado calls it on the instance
        self, abspath: str, start: int | None = None, end: int | None = None
    ) -> tuple[bytes, ...]:
        """Remember which bytes to send; reading them here would block the event loop."""
        del abspath
        size = self._facts.st_size
        self._ranges.append((start or 0, size if end is None else end))
        return ()

    def get_content_size(self) -> int:
        """Return the file's length."""
        return self._facts.st_size

    def get_content_type(self) -> str:
        """Return the media type for the file's suffix."""
        ending = (self.absolute_path or "").rpartition(".")[2]
        return _CONTENT_TYPES.get(ending, "application/octet-stream")

    def set_extra_headers(self, path: str) -> None:
        """Let browsers cache the file but revalidate it."""
        del path
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        if self.get_query_argument("download", None) is not None and self.absolute_path:
            name = Path(self.absolute_path).parent.name + Path(self.absolute_path).suffix
            self.set_header("Content-Disposition", f'attachment; filename="{name}"')

    def compute_etag(self) -> str | None:
        """Return an ETag of size and time; hashing the video for each request would be slow."""
        return f'"{self._facts.st_mtime_ns:x}-{self._facts.st_size:x}"'

    def get_modified_time(self) -> datetime | None:
        """Return the file's modification time."""
        return datetime.fromtimestamp(int(self._facts.st_mtime), UTC)


class DownloadHandler(ApiHandler):
    """GET /api/video/batch_download/{batch_id}."""

    @operation(
        Operation(
            "Download a batch's finished videos as one ZIP",
            content_type="application/zip",
            errors=(404, 409, 429),
        )
    )
    async def get(self, batch_id: str) -> None:
        """Stream the ZIP as it is made."""
        jobs = self.studio.jobs
        batch = await asyncio.to_thread(jobs.batch, batch_id)
        open_zips: list[str] = self.settings.setdefault("workbench_open_zips", [])
        if len(open_zips) >= self.workbench_settings.max_open_zips:
            raise Busy("Several ZIPs are being downloaded already; try again shortly.")
        open_zips.append(batch_id)
        try:
            await self._stream(await asyncio.to_thread(BatchArchive, jobs, batch))
        finally:
            open_zips.remove(batch_id)

    async def _stream(self, archive: BatchArchive) -> None:
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Length", str(archive.size_bytes))
        self.set_header(
            "Content-Disposition", f"attachment; filename*=UTF-8''{quote(archive.name)}"
        )
        chunks = iter(archive)
        try:
            while chunk := await asyncio.to_thread(next, chunks, b""):
                self.write(chunk)
                await asyncio.wait_for(self.flush(), self.workbench_settings.client_stall_s)
            await self.finish(set_content_type="application/zip")
        except StreamClosedError:  # also one that has all bytes and closes early
            self.log.info("The client left while %s was being sent.", archive.name)
        except (TimeoutError, OSError) as error:
            # The answer has begun, so only a closed connection can signal the failure.
            self.log.warning("%s was not sent completely: %s", archive.name, error or "no reader")
            connection: Any = self.request.connection
            connection.close()


def _parse(path: str) -> tuple[str, str]:
    """Return the job id and file name of a URL's path."""
    if lone := _LONE_VIDEO.match(path):
        job_id, name = lone.group(1), "video.mp4"
    elif parts := _JOB_FILE.match(path):
        batch_id, job_id, name = parts.groups()
        if batch_id is not None and not is_identifier(batch_id, Kind.BATCH):
            raise NotFound("batch", batch_id)
    else:
        raise NotFound("file", path)
    if not is_identifier(job_id, Kind.JOB):
        raise NotFound("job", job_id)
    return job_id, name
