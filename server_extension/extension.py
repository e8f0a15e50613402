"""The extension as Jupyter server sees it: settings, routes, start and stop."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, Final

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Bool

from server_extension.announcement import announcement
from server_extension.guards import guard_outputs, keep_notebooks_clean
from server_extension.handlers.about import OPENAPI_SETTING
from server_extension.handlers.base import STATUS_SETTING, STUDIO_SETTING
from server_extension.handlers.events import EVENTS_SETTING, EventHub
from server_extension.handlers.status import without_polls
from server_extension.handlers.uploads import UPLOADS_SETTING, Uploads
from server_extension.log_records import drop_unseen_records
from server_extension.metrics import WorkbenchCollector
from server_extension.openapi import openapi_document
from server_extension.presentation import Presenter
from server_extension.routes import API_ROUTES, POLL_ROUTES, route_first, url_patterns
from server_extension.status_cache import StatusCache
from workbench.errors import InvalidSettings
from workbench.settings import Settings, export_paths
from workbench.studio import Studio

__all__ = ["WorkbenchExtension"]

EXTENSION_NAME: Final = "world_model_workbench"
_METRICS_SETTING: Final = "workbench_metrics"


class WorkbenchExtension(ExtensionApp):
    """Serves the workbench's REST interface from a Jupyter server."""

    name = EXTENSION_NAME
    app_name = "World Model Workbench"
    description = "Explore what video and world models do with a prompt."
    load_other_extensions = True
    open_browser = False

    announce = Bool(
        default_value=False, config=True, help="Print the links once the server is listening."
    )

    def initialize_settings(self) -> None:
        """Create the server's Studio; no process starts until something is rendered."""
        try:
            settings = Settings()
        except InvalidSettings as error:
            sys.exit(str(error))  # fail rather than run a Lab without its API
        export_paths(settings, os.environ)  # for the kernels
        studio = Studio(settings)
        self.settings.update(
            {
                STUDIO_SETTING: studio,
                STATUS_SETTING: StatusCache(studio.jobs, Presenter(self._base_url)),
                EVENTS_SETTING: EventHub(studio.jobs, studio.settings.max_event_clients),
                UPLOADS_SETTING: Uploads(studio.settings),
                _METRICS_SETTING: WorkbenchCollector(studio.jobs),
                OPENAPI_SETTING: openapi_document(API_ROUTES, studio.settings, self._base_url),
            }
        )

    def initialize_handlers(self) -> None:
        """Add the routes before the server's own, so that /static/videos is ours."""
        self.handlers.extend(url_patterns())
        serverapp: Any = self.serverapp
        studio: Studio = self.settings[STUDIO_SETTING]
        guard_outputs(
            serverapp.web_app,
            self._base_url,
            serverapp.contents_manager,
            outputs=studio.settings.outputs,
            index=studio.settings.index_path,
        )
        serverapp.contents_manager.register_pre_save_hook(keep_notebooks_clean)
        route_first(serverapp.web_app, self._base_url, POLL_ROUTES)
        drop_unseen_records(serverapp.log)
        if serverapp.log_level > logging.DEBUG:
            settings = serverapp.web_app.settings  # ours have been copied there already
            settings["log_function"] = without_polls(
                settings["log_function"], with_metrics=serverapp.record_http_request_metrics
            )

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Print the links if asked to: the server now knows its port."""
        if self.announce:
            print(announcement(serverapp), flush=True)  # noqa: T201  what `make lab` is for

    async def stop_extension(self) -> None:
        """Close the index; the supervisor and its renders continue."""
        hub: EventHub = self.settings[EVENTS_SETTING]
        hub.close()
        cache: StatusCache = self.settings[STATUS_SETTING]
        cache.close()
        metrics: WorkbenchCollector = self.settings[_METRICS_SETTING]
        metrics.close()
        studio: Studio = self.settings[STUDIO_SETTING]
        studio.close()

    @property
    def _base_url(self) -> str:
        serverapp: Any = self.serverapp
        return url_path_join(serverapp.base_url, "/")
