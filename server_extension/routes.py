"""Every path and its handler: the one list that routing and OpenAPI use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from jupyter_server.utils import url_path_join
from tornado.routing import PathMatches, Rule
from tornado.web import Application

from server_extension.handlers import (
    about,
    best_of,
    checks,
    deletion,
    files,
    inputs,
    language,
    prompts,
    queue,
    recipes,
    rollouts,
    status,
    videos,
)
from server_extension.handlers.events import EventsHandler
from server_extension.handlers.page import PageHandler

__all__ = ["API_ROUTES", "url_patterns"]

API_ROUTES: Final[tuple[tuple[str, type[Any]], ...]] = (
    # prompts
    ("/api/enhance", prompts.EnhanceHandler),
    ("/api/initialize", prompts.InitializeHandler),
    ("/api/generate-variations", prompts.VariationsHandler),
    ("/api/update", prompts.UpdateHandler),
    ("/api/parameters", prompts.ParametersHandler),
    ("/api/history", prompts.HistoryHandler),
    ("/api/session/export", prompts.ExportHandler),
    ("/api/session/import", prompts.ImportHandler),
    # renders
    ("/api/video/single_inference", videos.SingleHandler),
    ("/api/video/batch_inference", videos.BatchHandler),
    ("/api/video/status/{job_id}", status.StatusHandler),
    ("/api/video/batch_status/{batch_id}", status.BatchStatusHandler),
    ("/api/video/cancel/{job_id}", videos.CancelHandler),
    ("/api/video/retry/{job_id}", videos.RetryHandler),
    ("/api/video/batch_cancel/{batch_id}", videos.BatchCancelHandler),
    ("/api/video/batch_retry/{batch_id}", videos.BatchRetryHandler),
    ("/api/video/priority/{job_id}", videos.PriorityHandler),
    ("/api/video/jobs", videos.JobsHandler),
    ("/api/video/jobs/{job_id}", deletion.DeleteJobHandler),
    ("/api/video/batches/{batch_id}", deletion.DeleteBatchHandler),
    ("/api/session/{session_id}", deletion.DeleteSessionHandler),
    ("/api/video/undelete", deletion.UndeleteHandler),
    ("/api/storage", deletion.StorageHandler),
    ("/api/best-of", best_of.BestOfHandler),
    ("/api/best-of/{name}", best_of.BestOfRunHandler),
    ("/api/best-of/{name}/cancel", best_of.BestOfCancelHandler),
    ("/api/best-of/{name}/votes", best_of.BestOfVoteHandler),
    ("/api/rollouts", rollouts.RolloutsHandler),
    ("/api/rollouts/{batch_id}", rollouts.RolloutHandler),
    ("/api/rollouts/{batch_id}/fork", rollouts.ForkHandler),
    # the queue
    ("/api/video/pause", queue.PauseHandler),
    ("/api/video/resume", queue.ResumeHandler),
    ("/api/video/reorder", queue.ReorderHandler),
    ("/api/video/star/{job_id}", queue.StarHandler),
    ("/api/video/note/{job_id}", queue.NoteHandler),
    ("/api/video/check/{job_id}", checks.CheckHandler),
    # files
    ("/api/video/batch_download/{batch_id}", files.DownloadHandler),
    ("/api/video/inputs", inputs.InputsHandler),
    ("/api/recipe", recipes.RecipeHandler),
    # language models
    ("/api/language", language.LanguageHandler),
    # the server
    ("/api/devices", about.DevicesHandler),
    ("/api/models", about.ModelsHandler),
    ("/api/workbench/health", about.HealthHandler),
    ("/api/workbench/openapi.json", about.OpenApiHandler),
)
"""Path templates and handlers of all JSON endpoints, in the order of the OpenAPI document."""

OTHER_ROUTES: Final[tuple[tuple[str, type[Any]], ...]] = (
    ("/api/video/events", EventsHandler),
    ("/static/videos/(.+)", files.VideoHandler),
    ("/workbench", PageHandler),
)
"""The websocket, the files and the page; Jupyter's own ``/static`` comes after ours."""


POLL_ROUTES: Final = tuple(
    route for route in API_ROUTES if route[1] in {status.StatusHandler, status.BatchStatusHandler}
)
"""What pages poll, each about once a second."""


def url_patterns() -> list[tuple[str, type[Any]]]:
    """Return Tornado's patterns, relative to the base URL, with their handlers."""
    return [*((_pattern(path), handler) for path, handler in API_ROUTES), *OTHER_ROUTES]


def route_first(
    application: Application, base_url: str, routes: Sequence[tuple[str, type[Any]]]
) -> None:
    """Try ``routes`` before all others, of which the extensions of a server have hundreds."""
    found = [(url_path_join(base_url, _pattern(path)), handler) for path, handler in routes]
    rules = [Rule(PathMatches(f"{pattern}$"), handler) for pattern, handler in found]
    application.default_router.rules[:0] = rules


def _pattern(path: str) -> str:
    return re.sub(r"{\w+}", r"([^/]+)", path)
