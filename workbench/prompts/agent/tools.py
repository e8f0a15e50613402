"""The tools that the agent may call: every action, *look* and *ask*.

Generated from the actions' models, so a new action becomes a tool. Knows no endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    Compare,
    EditEntity,
    EditField,
    GoBack,
    Lock,
    RemoveBeat,
    RemoveEntity,
    Render,
    RewriteSentence,
    SetRender,
    Star,
    Unlock,
    Vary,
    actions_from,
)
from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.errors import FieldProblem, InvalidRequest
from workbench.named_files import names_path

__all__ = ["Ask", "Look", "Request", "Seen", "request_from", "requests_schema", "tool_specs"]

_FILES: Final = ("model", "loras")
"""Render settings that can name a file."""
_FILLED_IN: Final = frozenset({"kind", "job_ids", "batch_id"})
"""Fields of actions that only the workbench sets."""


class Look(BaseModel):
    """See more of an earlier prompt or of a card before deciding: its whole text, job and scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["look"] = "look"
    entry: int | None = Field(None, ge=0, description="The prompt's index in the session.")
    card: int | None = Field(None, ge=1, description="The card's number on the screen.")


@dataclass(frozen=True, slots=True)
class Seen:
    """The result of a look."""

    told: Mapping[str, Any]
    frames: tuple[str, ...] = ()
    """Frames of the newest video, in order, as data URLs."""


class Ask(BaseModel):
    """Ask the user one short question, where the request can mean two different things."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["ask"] = "ask"
    question: str = Field(min_length=1, max_length=400)


Request = Action | Look | Ask
"""The request of one tool call."""

_ACTIONS: Final = (
    EditField, AddEntity, EditEntity, RemoveEntity, AddBeat, ChangeBeat, RemoveBeat,
    RewriteSentence, SetRender, Render, Vary, GoBack, Lock, Unlock, Star, Compare,
)  # fmt: skip
_OWN: Final = TypeAdapter[Look | Ask](Annotated[Look | Ask, Field(discriminator="kind")])


@cache
def tool_specs() -> tuple[Mapping[str, Any], ...]:
    """Return the tools as functions of the chat-completions protocol."""
    return tuple(
        {
            "type": "function",
            "function": {
                "name": model.model_fields["kind"].default,
                "description": " ".join((model.__doc__ or "").split()),
                "parameters": _parameters(model),
            },
        }
        for model in (Look, *_ACTIONS, Ask)
    )


@cache
def requests_schema() -> str:
    """Return the tools, one per line, for endpoints without tool calls."""
    lines = []
    for tool in tool_specs():
        function = tool["function"]
        fields = function["parameters"]["properties"]
        named = ", ".join(f'"{name}"' for name in ("kind", *fields))
        lines.append(f"{function['name']}: {function['description']} Fields: {named}.")
    return "\n".join(lines)


def request_from(name: str, arguments: Mapping[str, Any]) -> Request:
    """Return the request of a tool call; raises ``InvalidRequest`` with the invalid fields."""
    known = {tool["function"]["name"] for tool in tool_specs()}
    if name not in known:
        problem = f"is none of {', '.join(sorted(known))}"
        raise InvalidRequest(f"The tool {name!r} {problem}.", (FieldProblem("kind", problem),))
    given = {k: v for k, v in arguments.items() if k not in _FILLED_IN}
    if name in {"look", "ask"}:
        try:
            return _OWN.validate_python({"kind": name, **given})
        except ValidationError as error:
            problems = tuple(
                FieldProblem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()[:5]
            )
            told = "; ".join(f"{p.field}: {p.problem}" for p in problems)
            raise InvalidRequest(f"These arguments do not fit: {told}.", problems) from error
    (action,) = actions_from([{"kind": name, **given}])
    if isinstance(action, SetRender):
        _refuse_files(action)
    return action


def _refuse_files(action: SetRender) -> None:
    """Raise ``InvalidRequest`` if a setting names a file: only the user may name files."""
    changed_settings(RenderSettings(), action.values)
    named = [name for name in _FILES if names_path(action.values.get(name))]
    if named:
        problem = "must not be a path: name a model by its hub name"
        raise InvalidRequest(
            f"{', '.join(named)} {problem}.", tuple(FieldProblem(k, problem) for k in named)
        )


def _parameters(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of the arguments, without titles, which only cost tokens."""
    schema = _without_titles(model.model_json_schema())
    properties = {k: v for k, v in schema["properties"].items() if k not in _FILLED_IN}
    if model is SetRender:
        settings = _without_titles(RenderSettings.model_json_schema())
        properties["values"] = {"type": "object", "properties": settings["properties"]}
        schema["$defs"] = settings.get("$defs", {})
    shape = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [name for name in schema.get("required", []) if name in properties]
    definitions = schema.get("$defs")
    return {
        **shape,
        **({"required": required} if required else {}),
        **({"$defs": definitions} if definitions else {}),
    }


def _without_titles(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: _without_titles(v)
            for k, v in value.items()
            if not (k == "title" and isinstance(v, str))
        }
    return [_without_titles(one) for one in value] if isinstance(value, list) else value
