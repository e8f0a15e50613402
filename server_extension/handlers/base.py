"""What all handlers share: JSON in, JSON out, one error body."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, Final, TypeVar, cast

from jupyter_server.base.handlers import APIHandler, JupyterHandler
from pydantic import BaseModel
from tornado import web

from server_extension.errors import describe
from server_extension.presentation import Presenter
from server_extension.schemas.common import Body
from server_extension.status_cache import StatusAnswer, StatusCache
from workbench.errors import WorkbenchError
from workbench.jobs.model import Batch, Job
from workbench.settings import Settings
from workbench.studio import Studio

__all__ = [
    "AUTH_RESOURCE",
    "STATUS_SETTING",
    "STUDIO_SETTING",
    "ApiHandler",
    "JsonErrors",
]

AUTH_RESOURCE: Final = "workbench"
STUDIO_SETTING: Final = "workbench_studio"
STATUS_SETTING: Final = "workbench_status"
_READ_AND_DROPPED_BYTES: Final = 16 << 20
"""Bytes of an oversized body to read before the connection is closed."""

T = TypeVar("T")
RequestModel = TypeVar("RequestModel", bound=Body)


class JsonErrors(JupyterHandler):
    """Answers every error as JSON: no HTML, no traceback, no token."""

    auth_resource = AUTH_RESOURCE

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer an error with its status."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        status, _, _ = describe(error, status_code)
        super().send_error(status, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the error's body."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        _, body, headers = describe(error, status_code)
        for name, value in headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", "application/json")
        self.finish(body.model_dump_json())

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Log a traceback only for unexpected errors."""
        status, _, _ = describe(value, 500)
        if status < 500 or isinstance(value, WorkbenchError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, type(value).__name__)
        else:
            super().log_exception(typ, value, tb)

    def get_login_url(self) -> str:
        """Refuse instead of redirecting to a login page."""
        raise web.HTTPError(
            403, "Log in first: send the token in a header, or open the page with it in the URL."
        )

    @property
    def studio(self) -> Studio:
        """The one Studio of this server."""
        return cast("Studio", self.settings[STUDIO_SETTING])

    @property
    def present(self) -> Presenter:
        """Builds public objects under this server's base URL."""
        return Presenter(self.base_url)


@web.stream_request_body
class ApiHandler(JsonErrors, APIHandler):
    """A JSON endpoint. The body is read within a limit and validated by a model."""

    def initialize(self) -> None:
        """Start with nothing read."""
        self._chunks: list[bytes] = []
        self._received = 0

    async def prepare(self) -> None:  # type: ignore[override]  # as its base has it
        """Limit the body, then authenticate."""
        connection: Any = self.request.connection
        connection.set_max_body_size(self.body_limit + _READ_AND_DROPPED_BYTES)
        await super().prepare()

    def data_received(self, chunk: bytes) -> None:
        """Keep the body up to the limit; drop the rest."""
        self._received += len(chunk)
        if self._received <= self.body_limit and self.keeps_body:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    @property
    def body_limit(self) -> int:
        """Most bytes of a body."""
        return self.workbench_settings.max_body_bytes

    @property
    def keeps_body(self) -> bool:
        """Whether the body is kept in memory: not before the client is authenticated."""
        return self.current_user is not None

    @property
    def workbench_settings(self) -> Settings:
        """The workbench's own settings."""
        return self.studio.settings

    @property
    def media_type(self) -> str:
        """The body's declared media type, in lower case, without parameters."""
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def read_body(self) -> bytes:
        """Return the whole body; 413 when it is beyond the limit."""
        if self._received > self.body_limit:
            raise web.HTTPError(413, f"The body is larger than {self.body_limit:,} bytes.")
        return b"".join(self._chunks)

    async def on_studio(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await ``coroutine`` on Studio's own loop, where it may wait for the index."""
        return await asyncio.wrap_future(self.studio.begin(coroutine))

    def parse(self, model: type[RequestModel]) -> RequestModel:
        """Return the body as ``model``; 415 when it is not JSON, 400 when it does not validate."""
        body = self.read_body()
        if self.media_type != "application/json":
            raise web.HTTPError(415, "Send JSON, with the header Content-Type: application/json.")
        return model.model_validate_json(body, context=self.workbench_settings)

    def answer(self, model: BaseModel, status: int = 200) -> None:
        """Send ``model`` as JSON."""
        self.set_status(status)
        self.finish(model.model_dump_json())

    @property
    def status_cache(self) -> StatusCache:
        """The status answers kept in memory."""
        return cast("StatusCache", self.settings[STATUS_SETTING])

    def answer_status(self, answer: StatusAnswer) -> None:
        """Send a status answer, or 304 if the client already has it."""
        self.set_header("Content-Type", "application/json")
        self.set_header("ETag", answer.etag)
        self.set_header("Cache-Control", "private, no-cache")
        if self.request.headers.get("If-None-Match") == answer.etag:
            self.set_status(304)
            self.finish()
        else:
            self.finish(answer.body)

    def answer_changed(self, changed: Job | Batch) -> None:
        """Send a job or batch that this request changed, and drop its cached answers."""
        if isinstance(changed, Job):
            self.status_cache.forget(changed.job_id, changed.batch_id)
            self.answer(self.present.job(changed))
        else:
            self.status_cache.forget(changed.batch_id, *(job.job_id for job in changed.jobs))
            self.answer(self.present.batch(changed))

    def query(self, name: str) -> str | None:
        """Return a query parameter; None if absent or empty."""
        return self.get_query_argument(name, None) or None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the error's body as JSON."""
        JsonErrors.write_error(self, status_code, **kwargs)

    def get_login_url(self) -> str:
        """Refuse instead of redirecting to a login page."""
        return JsonErrors.get_login_url(self)

    def write_json(self, document: dict[str, Any]) -> None:
        """Send a plain document as JSON."""
        self.finish(json.dumps(document))
