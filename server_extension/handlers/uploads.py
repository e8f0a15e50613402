"""Shared by both kinds of upload: quotas, size limits, limited concurrent decoding."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from server_extension.handlers.base import ApiHandler
from workbench.errors import Busy
from workbench.settings import Settings

__all__ = ["UPLOADS_SETTING", "UploadHandler", "Uploads"]

UPLOADS_SETTING: Final = "workbench_uploads"
_LIMIT_BYTES: Final = 64 << 20
_WINDOW_S: Final = 3_600.0
_DECODED_AT_ONCE: Final = 2
"""Each upload is decoded in its own process, which may take gigabytes, while a thread waits."""

T = TypeVar("T")


class Uploads:
    """The uploads of each visitor within the last hour. Used on one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Take the limits per visitor from ``settings``."""
        self._settings = settings
        self._sent: deque[tuple[float, str, int]] = deque()
        self._numbers: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(_DECODED_AT_ONCE)

    def admit(self, visitor: str, size_bytes: int) -> None:
        """Count an upload, even if it fails; raises ``Busy`` beyond the visitor's quota."""
        now = time.monotonic()
        self._forget(now - _WINDOW_S)
        settings = self._settings
        if (
            self._numbers[visitor] >= settings.max_visitor_uploads
            or self._bytes[visitor] + size_bytes > settings.max_visitor_upload_bytes
        ):
            oldest = next((at for at, who, _ in self._sent if who == visitor), now)
            raise Busy(
                f"One visitor may send {settings.max_visitor_uploads:,} files and "
                f"{settings.max_visitor_upload_bytes >> 20:,} MiB within an hour; try again later.",
                retry_after_s=max(1, round(oldest + _WINDOW_S - now)),
            )
        self._sent.append((now, visitor, size_bytes))
        self._numbers[visitor] += 1
        self._bytes[visitor] += size_bytes

    async def in_turn(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run ``function`` in a thread, a few at a time, so that other requests get threads too."""
        async with self._turns:
            return await asyncio.to_thread(function, *arguments)

    def _forget(self, before: float) -> None:
        while self._sent and self._sent[0][0] < before:
            _, visitor, size_bytes = self._sent.popleft()
            self._numbers[visitor] -= 1
            self._bytes[visitor] -= size_bytes
            if not self._numbers[visitor]:
                del self._numbers[visitor], self._bytes[visitor]


class UploadHandler(ApiHandler):
    """An endpoint whose body is a file, at most 64 MiB."""

    _refusal: Busy | None = None

    @property
    def body_limit(self) -> int:
        """Largest upload in bytes: a whole video."""
        return _LIMIT_BYTES

    @property
    def uploads(self) -> Uploads:
        """The uploads of this server's visitors."""
        uploads: Uploads = self.settings[UPLOADS_SETTING]
        return uploads

    async def prepare(self) -> None:  # type: ignore[override]  # as its base has it
        """Authenticate, then decide by the declared length whether to keep the body."""
        await super().prepare()
        if self.current_user is None or self.request.method != "POST":
            return
        announced = self.request.headers.get("Content-Length", "")
        size = int(announced) if announced.isdecimal() else self.body_limit
        if size > self.body_limit:
            return  # answered 413
        try:
            self.uploads.admit(self._visitor, size)
        except Busy as error:
            self._refusal = (
                error  # answered once the body has arrived: the client does not read before
            )

    @property
    def keeps_body(self) -> bool:
        """Whether the body is kept in memory."""
        return super().keeps_body and self._refusal is None

    def read_body(self) -> bytes:
        """Return the whole file; 413 beyond the limit, 429 beyond what this visitor may send."""
        if self._refusal is not None:
            raise self._refusal
        return super().read_body()

    @property
    def _visitor(self) -> str:
        """The visitor: the user of a login cookie or, with only a token, the address."""
        if self.token_authenticated:
            return f"at {self.request.remote_ip}"
        return f"user {self.current_user.username}"
