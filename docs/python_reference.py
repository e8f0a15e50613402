"""Writes docs/python.md from the docstrings of the public names: ``python -m docs.python_reference``."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import workbench
from workbench.journey import language
from workbench.measures import rankings, scores
from workbench.research import parameters, report

__all__ = ["TARGET", "python_reference"]

TARGET = Path(__file__).resolve().parent / "python.md"
_HEAD = """\
# The Python interface

Generated from the docstrings (`python -m docs.python_reference` rewrites this page). `import workbench as wb`
is cheap and starts no process; a render starts the workers it needs. [research.md](research.md) shows how
to use the parts together.
"""
_MORE = (
    ("Language models", (language.LanguageModelList,)),
    (
        "Scores and reports",
        (scores.Scores, rankings.Ranked, parameters.RunParameters, report.Report),
    ),
)


def python_reference() -> str:
    """Return the page."""
    names = {name: getattr(workbench, name) for name in workbench.__all__}
    functions = {n: v for n, v in names.items() if not inspect.isclass(v)}
    classes = {n: v for n, v in names.items() if inspect.isclass(v)}
    parts = [_HEAD, "## Functions\n"]
    parts += [_function(f"wb.{name}", value, "###") for name, value in functions.items()]
    parts.append("## Classes\n")
    parts += [_class(f"wb.{name}", value) for name, value in classes.items()]
    for title, things in _MORE:
        parts.append(f"## {title}\n")
        parts += [_class(f"{thing.__module__}.{thing.__name__}", thing) for thing in things]
    return "\n".join(parts).rstrip() + "\n"


def _function(name: str, value: Any, level: str) -> str:
    return f"{level} `{name}{_signature(value)}`\n\n{_text(value)}\n"


def _class(name: str, value: type) -> str:
    lines = [f"### `{name}`", "", _text(value), ""]
    fields = list(_fields(value))
    if fields:
        lines += ["| field | | |", "|---|---|---|"]
        lines += [f"| `{n}` | `{kind}` | {told} |" for n, kind, told in fields]
        lines.append("")
    for member, thing in sorted(vars(value).items()):
        if member.startswith("_"):
            continue
        if isinstance(thing, property):
            lines.append(f"- **`{member}`**: {_line(thing)}")
        elif isinstance(thing, classmethod | staticmethod):
            lines.append(f"- **`{member}{_signature(thing.__func__)}`**: {_line(thing.__func__)}")
        elif inspect.isfunction(thing) and not _is_pydantic(thing):
            lines.append(f"- **`{member}{_signature(thing)}`**: {_line(thing)}")
    return "\n".join(lines) + "\n"


def _fields(value: type) -> Iterator[tuple[str, str, str]]:
    """Yield the annotated fields of a dataclass or model, each with the docstring below it."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    except (OSError, TypeError):
        return
    assert isinstance(body, ast.ClassDef)
    for statement, following in zip(body.body, [*body.body[1:], None], strict=True):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if statement.target.id.startswith("_"):
            continue
        told = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            told = _flat(inspect.cleandoc(str(following.value.value)))
        kind = ast.unparse(statement.annotation)
        yield statement.target.id, kind.replace("|", "\\|"), told.replace("|", "\\|")


def _signature(value: Any) -> str:
    signature = inspect.signature(value)
    plain = [
        p.replace(annotation=inspect.Parameter.empty)
        for p in signature.parameters.values()
        if p.name not in {"self", "cls"}
    ]
    text = str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return re.sub(r"<(\w+)\.\w+: (\d+)>", r"\2", text)


def _text(value: Any) -> str:
    return _plain(inspect.getdoc(value) or "")


def _line(value: Any) -> str:
    return _flat(_text(value))


def _plain(text: str) -> str:
    """Return reStructuredText roles and double backticks as Markdown."""
    text = re.sub(r":\w+:`~?([^`]+)`", lambda m: f"`{m[1].rpartition('.')[2]}`", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(r"^( {4}.*(?:\n {4}.*)*)", r"\1", text, flags=re.MULTILINE)


def _flat(text: str) -> str:
    return " ".join(_plain(text).split())


def _is_pydantic(thing: Any) -> bool:
    return (thing.__doc__ or "") == "" or thing.__qualname__.startswith("BaseModel")


if __name__ == "__main__":
    TARGET.write_text(python_reference(), "utf-8")
