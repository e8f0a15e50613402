"""Client of one ``/v1/videos`` endpoint: create, get, download, delete, with careful retries.

Follows OpenAI's video API, which SGLang and vLLM also serve. Built on the standard library for full
control over retries: a create request that the endpoint may have accepted is never sent twice,
because it may be billed.
"""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request

from workbench.engines.remote.transport import multipart, opener_for
from workbench.errors import InvalidRequest, RenderError

__all__ = ["Answer", "Refused", "Unreachable", "VideoClient"]

_T = TypeVar("_T")

_BACKOFF_S: Final = 0.5
_MOST_BACKOFF_S: Final = 30.0
_ANSWER_BYTES: Final = 1 << 20
_VIDEO_BYTES: Final = 4 << 30
_CHUNK_BYTES: Final = 1 << 18
_NOT_TAKEN: Final = frozenset({429, 503})
"""Statuses that mean a create request was not accepted and can be retried."""
_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Refused(RenderError):
    """The endpoint refused the request; ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(RenderError):
    """The endpoint did not answer, or its answer is not valid."""


class _Later(Exception):
    """Retry, after ``delay_s`` seconds if the endpoint named a delay."""

    def __init__(self, reason: str, delay_s: float | None = None) -> None:
        super().__init__(reason)
        self.delay_s = delay_s


@dataclass(frozen=True, slots=True)
class Answer:
    """The state of a video at the endpoint."""

    video_id: str
    status: str
    """``queued``, ``in_progress``, ``completed``, ``failed`` or one of the endpoint's own."""
    progress: float
    """0 to 100; 0 if unknown."""
    error: str

    @property
    def going(self) -> bool:
        """Whether the video is still being made."""
        return self.status in {"queued", "in_progress", "pending", "processing", "running"}


class VideoClient:
    """The client of one render. ``check`` is called while waiting and may raise to abort.

    ``timeout_s`` bounds each request, ``retries`` the number of retries.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float,
        retries: int,
        check: Callable[[], None],
    ) -> None:
        self._base = base_url.rstrip("/")
        self._key = key
        self._timeout_s = timeout_s
        self._retries = retries
        self._check = check
        self._opener = opener_for(self._base)

    def create(
        self,
        fields: Mapping[str, str],
        *,
        idempotency_key: str,
        image: tuple[bytes, str] | None = None,
    ) -> Answer:
        """Create a video; raises ``Refused`` or ``Unreachable``.

        ``image`` is the start image as a file, with its media type.

        Retried only if the endpoint certainly did not accept it; otherwise the error says so.
        """
        body, kind = multipart(fields, image)
        headers = {"Content-Type": kind, "Idempotency-Key": idempotency_key}
        return _answer(self._retried("POST", "/videos", body, headers, paid=True))

    def ask(self, video_id: str) -> Answer:
        """Return the state of a video."""
        return _answer(self._retried("GET", f"/videos/{quote(video_id, safe='')}"))

    def delete(self, video_id: str) -> None:
        """Delete a video at the endpoint."""
        self._once("DELETE", f"/videos/{quote(video_id, safe='')}", None, {})

    def download(self, video_id: str, path: Path, told: Callable[[float], None]) -> None:
        """Write a finished video to ``path``; ``told`` receives the completed share, 0 to 1.

        An interrupted download starts again.
        """
        where = f"/videos/{quote(video_id, safe='')}/content"
        self._patiently(lambda: self._fetch(where, path, told), paid=False)

    def _retried(
        self,
        method: str,
        where: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        paid: bool = False,
    ) -> dict[str, Any]:
        def attempt() -> dict[str, Any]:
            return self._once(method, where, body, headers or {})

        return self._patiently(attempt, paid=paid)

    def _patiently(self, attempt: Callable[[], _T], *, paid: bool) -> _T:
        """Retry with growing pauses; the caller's check can abort at any time."""
        for number in range(self._retries + 1):
            try:
                return self._aside(lambda: _sorted_out(attempt, paid=paid))
            except _Later as later:
                if number == self._retries:
                    text = f"The video endpoint does not answer: {later}."
                    raise Unreachable(text) from later
                grown = _BACKOFF_S * 2**number * random.uniform(0.8, 1.2)
                self._pause(min(_MOST_BACKOFF_S, later.delay_s or grown))
        raise AssertionError("unreachable")  # pragma: no cover

    def _aside(self, work: Callable[[], _T]) -> _T:
        """Run ``work`` in a thread, so that cancellation does not wait for the network."""
        done: list[_T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(work())
            except BaseException as error:  # noqa: BLE001  carried over to the waiting thread
                failed.append(error)

        thread = threading.Thread(target=run, name="video-endpoint", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(0.05)
            self._check()
        if failed:
            raise failed[0]
        return done[0]

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check()
            time.sleep(min(0.05, left))

    def _once(
        self, method: str, where: str, body: bytes | None, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        with self._opener.open(
            self._request(method, where, body, headers), timeout=self._timeout_s
        ) as reply:
            text = reply.read(_ANSWER_BYTES)
        data = json.loads(text) if text.strip() else {}
        if not isinstance(data, dict):
            raise ValueError("its answer is not a JSON object")  # noqa: TRY004  as unreadable as no JSON
        return data

    def _fetch(self, where: str, path: Path, told: Callable[[float], None]) -> None:
        request = self._request("GET", where, None, {"Accept": "video/mp4"})
        with self._opener.open(request, timeout=self._timeout_s) as reply, path.open("wb") as file:
            whole = _length(reply.headers)
            if whole and whole > _VIDEO_BYTES:
                raise Refused("The video endpoint's file is too large.", 200)
            for chunk in iter(lambda: reply.read(_CHUNK_BYTES), b""):
                file.write(chunk)
                if file.tell() > _VIDEO_BYTES:
                    raise Refused("The video endpoint's file is too large.", 200)
                if whole:
                    told(min(1.0, file.tell() / whole))
            if not file.tell() or (whole and file.tell() < whole):
                raise _Later(f"the download broke off after {file.tell()} bytes")

    def _request(
        self, method: str, where: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Request:
        own = {"User-Agent": "world-model-workbench", "Accept": "application/json", **headers}
        if self._key:
            own["Authorization"] = f"Bearer {self._key}"
        return Request(self._base + where, data=body, method=method, headers=own)  # noqa: S310  checked at the start


def _sorted_out(attempt: Callable[[], _T], *, paid: bool) -> _T:
    """Run one attempt and classify a failure as retryable or final."""
    try:
        return attempt()
    except HTTPError as error:
        raise _from_status(error, paid=paid) from error
    except URLError as error:
        if paid and not _never_sent(error.reason):
            raise _perhaps_taken(error.reason) from error
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            text = f"The video endpoint's certificate is not valid: {error.reason}."
            raise Unreachable(text) from error
        raise _Later(str(error.reason)) from error
    except (OSError, HTTPException, ValueError) as error:
        if paid:
            raise _perhaps_taken(error) from error
        raise _Later(str(error) or type(error).__name__) from error


def _never_sent(reason: object) -> bool:
    """Return whether the connection failed before anything was sent."""
    import socket  # noqa: PLC0415

    return isinstance(reason, ConnectionRefusedError | socket.gaierror)


def _perhaps_taken(reason: object) -> Unreachable:
    return Unreachable(
        f"The video endpoint did not answer a request that it may have taken ({reason}); "
        "it was not sent again, so that you do not pay twice. Check the endpoint before you retry."
    )


def _from_status(error: HTTPError, *, paid: bool) -> Exception:
    said = _message(error)
    if error.code in (_NOT_TAKEN if paid else _LATER):
        return _Later(f"{error.code} {said}", _retry_after(error.headers))
    if paid and error.code >= 500:
        return _perhaps_taken(f"{error.code} {said}")
    if error.code in {401, 403}:
        return Refused(
            f"The video endpoint refused the key: {said}. Set WORKBENCH_REMOTE_API_KEY.", error.code
        )
    if error.code == 400:
        return InvalidRequest(f"The video endpoint refused the request: {said}.")
    return Refused(f"The video endpoint answered {error.code}: {said}.", error.code)


def _message(error: HTTPError) -> str:
    try:
        data = json.loads(error.read(_ANSWER_BYTES))
        inner = data.get("error", data)
        text = inner.get("message") if isinstance(inner, dict) else inner
        return str(text or error.reason)[:500].rstrip(".")
    except (ValueError, AttributeError, OSError, HTTPException):
        return str(error.reason)


def _retry_after(headers: Message[str, str]) -> float | None:
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None


def _length(headers: Message[str, str]) -> int | None:
    try:
        return int(headers.get("Content-Length", ""))
    except ValueError:
        return None


def _answer(data: Mapping[str, Any]) -> Answer:
    video_id = data.get("id")
    if not isinstance(video_id, str) or not video_id or len(video_id) > 300:
        raise Unreachable("The video endpoint's answer has no video id.")
    error = data.get("error")
    text = error.get("message") if isinstance(error, dict) else error
    progress = data.get("progress")
    known = isinstance(progress, int | float) and 0 <= progress <= 100
    return Answer(
        video_id,
        str(data.get("status", "")),
        float(progress or 0) if known else 0.0,
        str(text or ""),
    )
