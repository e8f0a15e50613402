"""Writes docs/rest.md from the served OpenAPI document: ``python -m docs.rest_reference``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from server_extension.openapi import openapi_document
from server_extension.routes import API_ROUTES
from workbench.settings import Settings

__all__ = ["TARGET", "rest_reference"]

TARGET = Path(__file__).resolve().parent / "rest.md"
_HEAD = """\
# The REST interface

Made from the OpenAPI document, which a running server has at `/api/workbench/openapi.json`
(`python -m docs.rest_reference` writes this page anew). JSON in, JSON out, all under the server's base URL.

Authenticate as with every Jupyter endpoint: the header `Authorization: token …`, or the login cookie together
with the header `X-XSRFToken`.

A job's `status` is `pending`, `processing`, `complete` or `failed`; a cancelled job is `failed` with
`cancelled: true`. A batch's is `pending`, `processing`, `complete` (all of it), `partial` (all ended, some
complete) or `failed` (all ended, none complete). Poll until one of the last ones, or let the server tell.

**Waiting polls:** `/api/video/status/{job_id}?wait=20&known=<ETag>`, and the same for a batch, answer as soon as the
job is no longer as the answer with that ETag said, or after `wait` seconds with the state that it has. A queue
position or an estimate that moves does not end the wait. Without `known` the answer comes at once.

**WS `/api/video/events?job_id=…&batch_id=…`** tells the job object at each change. Both parameters may be
repeated; without them every job is told. With `since=<revision>` what changed after that revision is told
first, so that nothing is missed after a broken connection.

**GET `/static/videos/{job_id}/video.mp4`**, `/static/videos/{batch_id}/{job_id}/video.mp4` and
`/static/videos/{job_id}.mp4` are the same video, with range requests; beside it are `poster.jpg` and
`recipe.json`.

**Prompts as they are written:** with the header `Accept: text/event-stream`, `/api/enhance` and
`/api/generate-variations` answer in server-sent events. `text` holds the whole prompt so far (not a piece of it) each
time that a language model has written on; `variation` one variation as soon as it is in the history; the last event
is `answer`, with the body that is answered otherwise, or `error`, with a `status`. The answer replaces what was told:
it is the composer's where the model broke off. What is wrong with a request is answered with its status, as always.
To close the connection is to cancel.

Every error is `{"message", "reason", "errors": [{"field", "problem"}]}`: 400 what does not validate, 403 not
logged in or not allowed, 404 unknown id, 409 not in this state, 413 body too large, 415 not JSON, 429 a limit
is reached (with `Retry-After`), 503 a part that is needed does not answer.
"""


def rest_reference() -> str:
    """Return the page."""
    settings = Settings.model_construct()
    document = openapi_document(API_ROUTES, settings, "/")
    schemas = document["components"]["schemas"]
    parts = [_HEAD]
    for path, methods in document["paths"].items():
        parts.extend(
            _operation(method.upper(), path, operation, schemas)
            for method, operation in methods.items()
        )
    return "\n".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    lines = [f"## {method} `{path}`", "", f"{operation['summary']}.", ""]
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            told = parameter.get("description", "")
            lines.append(f"- query `{parameter['name']}` ({_kind(parameter['schema'])}) {told}")
    if body := operation.get("requestBody"):
        lines += ["", *_taken(body["content"], schemas)]
    answers = operation["responses"]
    success = next(status for status in answers if status.startswith("2"))
    (media_type, content), *events = answers[success]["content"].items()
    lines += ["", f"Answers {success}, {media_type}:", "", *_fields(content["schema"], schemas)]
    for accepted, streamed in events:
        lines += _events(accepted, streamed["schema"])
    errors = [status for status in answers if not status.startswith("2")]
    lines += ["", f"Errors: {', '.join(errors)}.", ""]
    return "\n".join(lines)


def _taken(content: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    told = next(iter(content.values()))["schema"]
    if told.get("format") == "binary":
        return [f"Takes the file itself as the body: {', '.join(content)}."]
    return ["Takes:", "", *_fields(told, schemas)]


def _events(media_type: str, schema: dict[str, Any]) -> list[str]:
    told = ", ".join(f"`{name}` ({_kind(data)})" for name, data in schema["x-events"].items())
    return ["", f"With `Accept: {media_type}`: {schema['description']} Events: {told}."]


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    name = schema.get("$ref", "").rpartition("/")[2]
    if not name:
        return []
    described = schemas[name]
    required = set(described.get("required", ()))
    rows = ["| field | type | |", "|---|---|---|"]
    for field, kind in described.get("properties", {}).items():
        note = kind.get("description", "")
        marks = "" if field in required else f"default `{kind.get('default')!r}`. "
        rows.append(f"| `{field}` | {_kind(kind)} | {marks}{note} |".replace("None", "null"))
    return rows


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    bounds = [
        f"{sign} {schema[word]}"
        for word, sign in (("minimum", "≥"), ("maximum", "≤"), ("maxLength", "≤ length"))
        if word in schema
    ]
    kind = str(schema.get("type", "any"))
    return f"{kind} ({', '.join(bounds)})" if bounds else kind


if __name__ == "__main__":
    TARGET.write_text(rest_reference(), "utf-8")
