"""Devices, health, and the OpenAPI document."""

from __future__ import annotations

import asyncio
from importlib import metadata
from typing import Any, Final

from server_extension.handlers.base import ApiHandler
from server_extension.operations import Operation, operation
from server_extension.presentation import cluster_object, device_object
from server_extension.schemas.about import DevicesAnswer, HealthAnswer, ModelRequest, ModelsAnswer
from workbench.model_library import begin_fetching, download_objects, model_objects

__all__ = ["OPENAPI_SETTING", "DevicesHandler", "HealthHandler", "ModelsHandler", "OpenApiHandler"]

OPENAPI_SETTING: Final = "workbench_openapi"
_TOLD_LIBRARIES: Final = ("jupyter_server", "jupyterlab", "voila", "av", "diffusers", "torch")


class DevicesHandler(ApiHandler):
    """GET /api/devices."""

    @operation(Operation("List every device and what it is doing", answer=DevicesAnswer))
    async def get(self) -> None:
        """Return the devices."""
        devices = await asyncio.to_thread(self.studio.jobs.devices)
        cluster = await asyncio.to_thread(self.studio.jobs.cluster)
        self.answer(
            DevicesAnswer(
                devices=[device_object(device) for device in devices],
                cluster=cluster_object(cluster),
            )
        )


class ModelsHandler(ApiHandler):
    """GET and POST /api/models."""

    @operation(Operation("See the video models on this machine", answer=ModelsAnswer))
    async def get(self) -> None:
        """Return the models, and the progress of downloads."""
        self.answer(await asyncio.to_thread(self._models))

    @operation(
        Operation("Fetch a video model from the hub", ModelRequest, ModelsAnswer, errors=(409,))
    )
    async def post(self) -> None:
        """Start to download a model, and return the models."""
        begin_fetching(self.studio, self.parse(ModelRequest).model)
        self.answer(await asyncio.to_thread(self._models))

    def _models(self) -> ModelsAnswer:
        return ModelsAnswer(
            models=model_objects(self.studio), downloads=download_objects(self.studio)
        )


class HealthHandler(ApiHandler):
    """GET /api/workbench/health."""

    @operation(Operation("Report health and versions", answer=HealthAnswer))
    async def get(self) -> None:
        """Return the health."""
        self.answer(await asyncio.to_thread(self._health))

    def _health(self) -> HealthAnswer:
        settings = self.workbench_settings
        supervisor = self.studio.jobs.supervisor()
        return HealthAnswer(
            status="ok",
            version=metadata.version("world-model-workbench"),
            versions=_versions(),
            engine=settings.engine,
            engines=list(self.studio.engine_names()),
            language_provider=self.studio.language.choice().provider,
            supervisor=None
            if supervisor is None
            else {"pid": supervisor.pid, "started_at": supervisor.started_at},
            limits={
                "prompt_chars": settings.max_prompt_chars,
                "batch_prompts": settings.max_batch_prompts,
                "queued_jobs": settings.max_queued_jobs,
                "body_bytes": settings.max_body_bytes,
            },
        )


class OpenApiHandler(ApiHandler):
    """GET /api/workbench/openapi.json."""

    @operation(Operation("Read this document"))
    async def get(self) -> None:
        """Return the OpenAPI document."""
        document: dict[str, Any] = self.settings[OPENAPI_SETTING]
        self.write_json(document)


def _versions() -> dict[str, str]:
    found = {}
    for library in _TOLD_LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found
