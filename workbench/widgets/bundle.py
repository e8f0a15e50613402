"""Joins the ES modules of ``static/`` into one module, and the style sheets into one.

A widget's front end is a single module in every host (JupyterLab, Voilà, VS Code, Colab), while
small files are easier to read. There is no build step: the files are joined when the widget class
is created. The modules use a subset of ES modules; anything outside it is rejected here instead of
failing in a browser:

- imports are named and relative: ``import { h, text as label } from "./dom.js";``
- exports stand before a declaration: ``export function …``, ``export const …``, ``export class …``
- the entry alone has an ``export default``
- no two modules import each other, directly or indirectly
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["BundleError", "bundle_module", "bundle_styles"]

_IMPORT: Final = re.compile(
    r"^import\s*\{(?P<names>[^}]*)\}\s*from\s*[\"'](?P<source>[^\"']+)[\"'];?[ \t]*$", re.MULTILINE
)
_EXPORT: Final = re.compile(
    r"^export\s+(?=(?:async\s+)?(?:function|const|let|class)\b)", re.MULTILINE
)
_EXPORTED: Final = re.compile(
    r"^export\s+(?:async\s+)?(?:function\*?|const|let|class)\s+(?P<name>[A-Za-z_$][\w$]*)",
    re.MULTILINE,
)
_DEFAULT: Final = re.compile(r"^export\s+default\b", re.MULTILINE)
_LEFTOVER: Final = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class BundleError(Exception):
    """A front-end module uses syntax that cannot be joined; the message says where."""


def bundle_module(entry: Path) -> str:
    """Return ``entry`` and all its imports as one module; raises :class:`BundleError`."""
    order: list[Path] = []
    _visit(entry.resolve(), (), order)
    parts = [_wrapped(path) for path in order[:-1]]
    source = _rewritten(entry.resolve())
    if not _DEFAULT.search(source):
        raise BundleError(f"{entry.name} is the entry and needs an export default.")
    return "\n".join([*parts, f"// {entry.name}", source])


def bundle_styles(folder: Path) -> str:
    """Return the style sheets of ``folder`` as one, sorted by name."""
    sheets = sorted(folder.glob("*.css"))
    return "\n".join(f"/* {sheet.name} */\n{sheet.read_text('utf-8')}" for sheet in sheets)


def _visit(path: Path, above: tuple[Path, ...], order: list[Path]) -> None:
    if path in above:
        circle = " → ".join(p.name for p in (*above[above.index(path) :], path))
        raise BundleError(f"Modules import each other in a circle: {circle}.")
    if path in order:
        return
    for needed in _imports(path):
        _visit(needed, (*above, path), order)
    order.append(path)


def _imports(path: Path) -> Iterator[Path]:
    for match in _IMPORT.finditer(_read(path)):
        source = match["source"]
        if not source.startswith("./"):
            raise BundleError(f"{path.name} imports {source!r}; only ./files can be imported.")
        yield (path.parent / source).resolve()


def _wrapped(path: Path) -> str:
    text = _read(path)
    if _DEFAULT.search(text):
        raise BundleError(f"{path.name} has an export default; only the entry may.")
    names = ", ".join(match["name"] for match in _EXPORTED.finditer(text))
    body = _rewritten(path)
    return f"// {path.name}\nconst {_variable(path)} = (() => {{\n{body}\nreturn {{ {names} }};\n}})();\n"


def _rewritten(path: Path) -> str:
    """Return the module with its imports taken from the modules before it."""
    known = {needed.name: set(_exported(needed)) for needed in _imports(path)}

    def take(match: re.Match[str]) -> str:
        source = Path(match["source"]).name
        taken = []
        for item in filter(None, (item.strip() for item in match["names"].split(","))):
            name, _, alias = (part.strip() for part in item.partition(" as "))
            if name not in known[source]:
                raise BundleError(f"{path.name} imports {name!r}, which {source} does not export.")
            taken.append(f"{name}: {alias}" if alias else name)
        return f"const {{ {', '.join(taken)} }} = {_variable(Path(source))};"

    text = _EXPORT.sub("", _IMPORT.sub(take, _read(path)))
    leftover = [line for line in _LEFTOVER.findall(text) if not _DEFAULT.match(line)]
    if leftover:
        raise BundleError(f"{path.name}: cannot join {leftover[0].strip()!r}.")
    return text


def _exported(path: Path) -> Iterator[str]:
    return (match["name"] for match in _EXPORTED.finditer(_read(path)))


def _variable(path: Path) -> str:
    return "$" + re.sub(r"\W", "_", path.stem)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise BundleError(f"There is no module {path.name}.") from error
