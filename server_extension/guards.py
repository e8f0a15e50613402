"""Keeps other extensions' routes off what is ours: the files of outputs/ and the shipped notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import nbformat
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application

from server_extension.handlers.base import JsonErrors
from server_extension.launch import ROOT
from workbench.errors import NotFound

__all__ = ["guard_outputs", "keep_notebooks_clean"]

_KEPT_CLEAN: Final = ("workbench.ipynb", "dashboard.ipynb")
"""Notebooks that only show the widget: their outputs are worth nothing in a file."""


class _RefusedHandler(JsonErrors):
    """Answers 404 for a file of outputs/ asked for by a route that is not ours."""

    @allow_unauthenticated
    def get(self) -> None:
        """Refuse."""
        raise NotFound("file", self.request.path)

    head = get


class _InsideFolders(Matcher):
    """Matches the requests to Voilà's file route whose file lies inside one of ``folders``."""

    def __init__(self, route: str, root: Path, folders: tuple[Path, ...]) -> None:
        self._route = route
        self._root = root
        self._folders = folders

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        if not request.path.startswith(self._route):
            return None
        try:
            path = (self._root / unquote(request.path[len(self._route) :]).lstrip("/")).resolve()
        except (OSError, ValueError):  # a name that no file can have
            return {}
        inside = any(path.is_relative_to(folder.resolve()) for folder in self._folders)
        return {} if inside else None


def guard_outputs(
    application: Application, base_url: str, root: Path, folders: tuple[Path, ...]
) -> None:
    """Refuse the files in ``folders`` to Voilà's file route, which asks nobody for a token."""
    route = url_path_join(base_url, "voila/files/")
    rule = Rule(_InsideFolders(route, root, folders), _RefusedHandler)
    # In front of every other rule, whichever extension was loaded first.
    application.default_router.rules.insert(0, rule)


def keep_notebooks_clean(
    *, model: dict[str, Any], path: str, contents_manager: Any, **_further: Any
) -> None:
    """Save a shipped notebook without what a run leaves in it. A hook for contents managers."""
    file = Path(contents_manager.root_dir, path)
    shipped = ROOT / "notebooks"
    if model.get("type") != "notebook" or file.name not in _KEPT_CLEAN:
        return
    if file.resolve().parent != shipped or not file.is_file():
        return
    before: Any = nbformat.read(file, as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]
    cells = {cell.get("id"): cell for cell in before.cells}
    model["content"]["metadata"] = before.metadata
    for cell in model["content"]["cells"]:
        known = cells.get(cell.get("id"))
        cell["metadata"] = known.metadata if known else {}
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
