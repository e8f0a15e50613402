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

Generated from the OpenAPI document, which a running server provides at `/api/workbench/openapi.json`
(`python -m docs.rest_reference` rewrites this page). JSON in, JSON out; all paths are below the server's base URL.

Authenticate as with every Jupyter endpoint: the header `Authorization: token …`, or the login cookie together
with the header `X-XSRFToken`.

A job's `status` is `pending`, `processing`, `complete` or `failed`; a cancelled job is `failed` with
`cancelled: true`. A batch's is `pending`, `processing`, `complete` (all jobs), `partial` (all ended, some
complete) or `failed` (all ended, none complete). Poll until it is final, or subscribe to the events.

**Long polls:** `/api/video/status/{job_id}?wait=20&known=<ETag>`, and the same for a batch, answer as soon as the
job differs from the answer with that ETag, or after `wait` seconds with the current state. A changed queue
position or estimate does not end the wait. Without `known` the answer comes at once.

**WS `/api/video/events?job_id=…&batch_id=…`** sends the job object at each change. Both parameters may be
repeated; without them it sends the changes of every job. With `since=<revision>` it first sends what changed after that
revision, so that nothing is missed after a lost connection.

**GET `/static/videos/{job_id}/video.mp4`**, `/static/videos/{batch_id}/{job_id}/video.mp4` and
`/static/videos/{job_id}.mp4` return the same video and accept range requests; `poster.jpg` and
`recipe.json` are beside it. In a recipe of the diffusers engine `request.options.as_rendered` holds what was in effect, with the relative
errors that were measured: `checked` (the first forward of each transformer, by size) and `vae_errors` (decoded frames, by the VAE's number
format and by `quick_parts`); `notes` says why one is missing. See docs/models.md.

**Streaming:** with the header `Accept: text/event-stream`, `/api/enhance` and
`/api/generate-variations` answer with server-sent events. `text` carries the whole prompt so far (not a delta)
as a language model writes; `variation` carries one variation as soon as it is in the history; the last event
is `answer`, with the same body as without streaming, or `error`, with a `status`. The answer replaces the streamed text:
it is the composer's if the model broke off. Invalid requests get their status, as without streaming.
Closing the connection cancels the work.

Every error is `{"message", "reason", "errors": [{"field", "problem"}]}`: 400 validation failed, 403 not
logged in or not allowed, 404 unknown id, 409 not possible in this state, 413 body too large, 415 not JSON, 429 a limit
is reached (with `Retry-After`), 503 a required service does not answer.
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
