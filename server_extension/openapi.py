"""The OpenAPI 3.1 document, generated from the operations and models in use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http.client import responses
from importlib import metadata
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server_extension.operations import Operation, operation_of
from server_extension.schemas.common import ErrorBody, StreamError
from workbench.settings import Settings

__all__ = ["openapi_document"]

_METHODS: Final = ("get", "post", "delete")
_SCHEMAS: Final = "#/components/schemas/"


def openapi_document(
    routes: Sequence[tuple[str, type[Any]]], settings: Settings, base_url: str
) -> dict[str, Any]:
    """Return the document for ``routes``, with the limits from ``settings``."""
    operations = [
        (path, method, described)
        for path, handler in routes
        for method in _METHODS
        if (described := operation_of(handler, method)) is not None
    ]
    schemas = _schemas([described for _, _, described in operations], settings)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, described in operations:
        paths.setdefault(path, {})[method] = _operation(path, method, described)
    paths["/static/videos/{job_id}/video.mp4"] = {"get": _video_operation()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "World Model Workbench",
            "version": metadata.version("world-model-workbench"),
            "description": "Enhance, vary and tune prompts; render and collect videos.",
        },
        "servers": [{"url": base_url.rstrip("/") or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <the Jupyter server's token>`",
                }
            },
        },
    }


def _operation(path: str, method: str, described: Operation) -> dict[str, Any]:
    errors = {403, *described.errors}
    if described.request is not None:
        errors |= {400, 413, 415}
    if described.query:
        errors.add(400)
    answers = {str(described.status): _answer(described)}
    answers |= {str(status): _error(status) for status in sorted(errors)}
    document: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{method}{path}").strip("_"),
        "summary": described.summary,
        "parameters": [*_path_parameters(path), *_query_parameters(described)],
        "responses": answers,
    }
    if described.request is not None:
        schema = {"$ref": _SCHEMAS + described.request.__name__}
        document["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    if described.upload:
        binary = {"schema": {"type": "string", "format": "binary"}}
        document["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(described.upload, binary),
        }
    return document


def _answer(described: Operation) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if described.answer is not None:
        schema = {"$ref": _SCHEMAS + described.answer.__name__}
    elif described.content_type != "application/json":
        schema = {}
    content = {described.content_type: {"schema": schema}}
    if described.events:
        content["text/event-stream"] = {"schema": _event_stream(described, schema)}
    return {"description": responses[described.status], "content": content}


def _event_stream(described: Operation, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an event-stream answer; ``x-events`` describes each event's data."""
    events = {name: {"$ref": _SCHEMAS + m.__name__} for name, m in described.events.items()}
    return {
        "type": "string",
        "description": "Server-sent events, each with JSON as its data. The last is `answer`, "
        "with the same body as a JSON answer, or `error`.",
        "x-events": {**events, "answer": answer, "error": {"$ref": _SCHEMAS + "StreamError"}},
    }


def _error(status: int) -> dict[str, Any]:
    return {
        "description": responses[status],
        "content": {"application/json": {"schema": {"$ref": _SCHEMAS + ErrorBody.__name__}}},
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(described: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.name,
            "in": "query",
            "required": False,
            "schema": dict(parameter.schema),
            "description": parameter.description,
        }
        for parameter in described.query
    ]


def _video_operation() -> dict[str, Any]:
    return {
        "operationId": "get_static_video",
        "summary": "Play or download a video; range requests are honoured",
        "parameters": _path_parameters("{job_id}"),
        "responses": {
            "200": {"description": "OK", "content": {"video/mp4": {"schema": {}}}},
            "206": {"description": "Partial Content", "content": {"video/mp4": {"schema": {}}}},
            "403": _error(403),
            "404": _error(404),
        },
    }


def _schemas(operations: Sequence[Operation], settings: Settings) -> dict[str, Any]:
    inputs: set[type[BaseModel]] = {o.request for o in operations if o.request is not None}
    outputs: set[type[BaseModel]] = {o.answer for o in operations if o.answer is not None}
    outputs |= {model for o in operations for model in o.events.values()}
    outputs |= {ErrorBody, StreamError}
    by_name = sorted(inputs | outputs, key=lambda model: model.__name__)
    _, document = models_json_schema(
        [(model, "validation" if model in inputs else "serialization") for model in by_name],
        ref_template=_SCHEMAS + "{model}",
    )
    schemas: dict[str, Any] = document["$defs"]
    _set_limits(schemas, settings)
    return schemas


def _set_limits(node: Any, settings: Settings) -> None:
    """Insert the limits from the settings where the models only name them."""
    if isinstance(node, dict):
        for mark, keyword in (
            ("x-limit", "maxLength"),
            ("x-limit-items", "maxItems"),
            ("x-limit-maximum", "maximum"),
        ):
            if mark in node:
                node[keyword] = getattr(settings, node.pop(mark))
        for child in node.values():
            _set_limits(child, settings)
    elif isinstance(node, list):
        for child in node:
            _set_limits(child, settings)
