"""Prompts from a list or a file: plain text, CSV with columns, JSON lines, an exported session.

Knows the formats and reports all mistakes at once; renders nothing.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from workbench.errors import FieldProblem, InvalidRequest
from workbench.frame_rates import frame_rate
from workbench.identifiers import is_identifier
from workbench.journey.control_files import with_control_files
from workbench.prompts.markers import strip_marker
from workbench.prompts.session_files import FORMAT, read_session
from workbench.rendering import RenderParameters
from workbench.scene import Scene

__all__ = ["COLUMNS", "Idea", "read_prompts", "scan_prompts"]

COLUMNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "seed": int,
    "engine": str,
    "model": str,
    "profile": str,
    "negative_prompt": str,
    "width": int,
    "height": int,
    "num_frames": int,
    "fps": lambda given: frame_rate(str(given)),
    "num_inference_steps": int,
    "guidance_scale": float,
    "camera": lambda given: _document(given) or str(given),
    "control": lambda given: _document(given) or str(given),
    "actions": lambda given: _document(given) or _named_actions(given),
}
"""Columns of a prompt file that set a render parameter for that prompt; the others are labels."""

assert set(COLUMNS) <= set(RenderParameters.model_fields)  # noqa: S101  they are the same parameters


@dataclass(frozen=True, slots=True)
class Idea:
    """One given prompt."""

    text: str
    where: str
    """Its source for messages, such as ``prompts.csv line 3``."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Render parameters for this prompt alone."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """All other columns, copied into the results."""
    scene: Scene | None = None
    """Its scene, if it comes from an exported session; such a prompt is not enhanced."""


def read_prompts(source: str | Path | Sequence[Any]) -> list[Idea]:
    """Return the prompts of a list (texts or mappings) or of a file.

    ``.txt``: one per line; empty lines and those that begin with ``#`` are skipped. ``.csv``: a
    header with a column ``prompt``. ``.jsonl``: one text or object per line. ``.json``: a list of
    either, or an exported session. Columns named in :data:`COLUMNS` are render parameters of that
    prompt. Any other text is itself the prompt.

    Raises ``InvalidRequest`` with every mistake found, each by its line.
    """
    ideas, problems = scan_prompts(source)
    if problems:
        raise InvalidRequest(
            "; ".join(f"{p.field}: {p.problem}" for p in problems), tuple(problems)
        )
    return ideas


def scan_prompts(source: str | Path | Sequence[Any]) -> tuple[list[Idea], list[FieldProblem]]:
    """Return the valid prompts, and every mistake in the others."""
    if isinstance(source, str) and not _names_file(source):
        source = [source]
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        try:
            found = list(_file_items(path))
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
            return [], [FieldProblem("prompts", problem)]
    else:
        found = [(f"prompts[{i}]", item) for i, item in enumerate(source)]
    problems: list[FieldProblem] = []
    read = [_idea(where, item, problems) for where, item in found]
    ideas = [idea for idea in read if idea is not None]
    if not ideas and not problems:
        problems.append(FieldProblem("prompts", "contains no prompt"))
    return ideas, problems


def _names_file(text: str) -> bool:
    return Path(text).suffix.lower() in {".txt", ".csv", ".jsonl", ".json"} and "\n" not in text


def _file_items(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the file's items with their positions; a line that is not JSON as an error.

    Only a line feed ends a line: JSON strings may contain U+2028 and similar characters.
    """
    text = path.read_text("utf-8-sig")
    kind = path.suffix.lower()
    if kind == ".csv":
        yield from _csv_items(path.name, text)
    elif kind == ".jsonl":
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield f"{path.name} line {number}", _json(line)
    elif kind == ".json":
        document = _json(text)
        if isinstance(document, Mapping) and document.get("format") == FORMAT:
            yield from _session_items(path.name, dict(document))
        elif isinstance(document, ValueError):
            yield path.name, document
        elif isinstance(document, list):
            yield from ((f"{path.name} item {i}", item) for i, item in enumerate(document))
        else:
            yield path.name, ValueError("is neither a list of prompts nor an exported session")
    else:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield f"{path.name} line {number}", line.strip()


def _csv_items(name: str, text: str) -> Iterator[tuple[str, Any]]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        reader.fieldnames = [column.strip() for column in reader.fieldnames or ()]
        if "prompt" not in reader.fieldnames:
            yield name, ValueError("the header has no column 'prompt'")
            return
        for row in reader:
            yield f"{name} line {reader.line_num}", row
    except csv.Error as error:
        yield f"{name} line {reader.line_num}", ValueError(f"cannot be read as CSV: {error}")


def _session_items(name: str, document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    try:
        entries = read_session(document).entries
    except InvalidRequest as error:
        yield name, ValueError(str(error))
        return
    for entry in {entry.prompt: entry for entry in entries}.values():
        where = f"{name} entry {entry.index}"
        labels = {"kind": str(entry.kind), "entry": str(entry.index)}
        yield where, Idea(strip_marker(entry.prompt), where, {}, labels, entry.scene)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return ValueError(f"is not JSON: {error}")


def _idea(where: str, item: Any, problems: list[FieldProblem]) -> Idea | None:
    if isinstance(item, Idea):
        return item
    if isinstance(item, ValueError):
        problems.append(FieldProblem(where, str(item)))
        return None
    row = {"prompt": item} if isinstance(item, str) else item
    if not isinstance(row, Mapping):
        problems.append(FieldProblem(where, "is neither a text nor an object"))
        return None
    text = row.get("prompt")
    if not isinstance(text, str) or not text.strip():
        problems.append(FieldProblem(where, "has no prompt"))
        return None
    values: dict[str, Any] = {}
    labels: dict[str, str] = {}
    for name, value in row.items():
        if name == "prompt" or value is None or value == "":
            continue
        if name is None:
            problems.append(FieldProblem(where, "has more cells than the header has columns"))
        elif name in COLUMNS:
            try:
                values[name] = COLUMNS[name](value)
            except (TypeError, ValueError):
                problem = f"{name} must be {_told(name)}, not {value!r}"
                problems.append(FieldProblem(where, problem))
        else:
            labels[str(name)] = str(value)
    try:
        values = with_control_files(values)
    except InvalidRequest as error:
        told = error.problems or (FieldProblem("camera", str(error)),)
        problems += (FieldProblem(where, f"{one.field}: {one.problem}") for one in told)
    return Idea(
        text.strip(), where, {name: _plain(value) for name, value in values.items()}, labels
    )


def _document(given: Any) -> dict[str, Any] | None:
    """Return the object that a cell holds, as such or in JSON; None for any other text.

    Raises ``ValueError`` for text that begins like an object and is none.
    """
    if isinstance(given, str) and given.lstrip().startswith("{"):
        given = json.loads(given)
    return dict(given) if isinstance(given, Mapping) else None


def _named_actions(given: Any) -> Any:
    """Return the actions of an upload or a job by their id; a file's name as it is."""
    return {"values": given} if is_identifier(str(given)) else str(given)


def _plain(value: Any) -> Any:
    """Return what a file held as plain JSON values, so that a run's digest covers it."""
    return (
        value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value
    )


def _told(name: str) -> str:
    if name == "fps":
        return "a number or a ratio such as 24000/1001"
    kind = COLUMNS[name]
    if name in ("camera", "control", "actions"):
        return "a text or an object"
    return "a whole number" if kind is int else "a number" if kind is float else "a text"
