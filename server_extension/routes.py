"""Every path of the workbench and the handler behind it: the one list that routing and OpenAPI use."""

from __future__ import annotations

import re
from typing import Any, Final

from server_extension.handlers import about, files, inputs, prompts, queue, recipes, videos
from server_extension.handlers.events import EventsHandler
from server_extension.handlers.files import VideoHandler

__all__ = ["API_ROUTES", "url_patterns"]

API_ROUTES: Final[tuple[tuple[str, type[Any]], ...]] = (
    *prompts.ROUTES,
    *videos.ROUTES,
    *queue.ROUTES,
    *files.ROUTES,
    *inputs.ROUTES,
    *recipes.ROUTES,
    *about.ROUTES,
)
"""Path templates and handlers of all JSON endpoints."""


def url_patterns() -> list[tuple[str, type[Any]]]:
    """Return what Tornado needs: patterns relative to the base URL, and handlers."""
    api = [(re.sub(r"{\w+}", r"([^/]+)", path), handler) for path, handler in API_ROUTES]
    return [
        *api,
        ("/api/video/events", EventsHandler),
        ("/static/videos/(.+)", VideoHandler),
    ]
