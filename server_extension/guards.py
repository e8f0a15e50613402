"""Keeps other routes from serving outputs/, and saves shipped notebooks without their outputs."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import nbformat
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application, HTTPError

from server_extension.handlers.base import JsonErrors
from server_extension.launch import ROOT
from workbench.errors import NotFound

__all__ = ["guard_outputs", "keep_notebooks_clean"]

_ROUTES: Final = ("voila/files/", "files/", "api/contents/")
"""Other routes that serve files by path."""
_PATH_METHODS: Final = ("get", "copy", "save", "rename_file", "delete_file")
_PATH_PARAMETERS: Final = frozenset({"path", "from_path", "to_path", "old_path", "new_path"})
_KEPT_CLEAN: Final = ("workbench.ipynb", "dashboard.ipynb")
"""Notebooks that only show the widget; their outputs are not saved."""


class _RefusedHandler(JsonErrors):
    """Answers 404 for a file of outputs/ requested by a route that is not ours."""

    @allow_unauthenticated
    def get(self) -> None:
        """Refuse."""
        raise NotFound("file", self.request.path)

    head = post = put = patch = delete = get


class _Hidden(HTTPError, PermissionError):
    """Answered 404; a directory listing skips the file."""

    def __init__(self, path: str) -> None:
        HTTPError.__init__(self, 404, f"There is no file {path!r}.")
        self.errno = errno.EACCES


class _Protected:
    """The files below a server's root folder that only our own handlers serve."""

    def __init__(self, root: Path, outputs: Path, index: Path) -> None:
        self._root = root.resolve()
        self._outputs = outputs.resolve()
        self._index = index.resolve()

    def holds(self, path: str) -> bool:
        """Tell whether ``path``, relative to the root folder, leads to a protected file."""
        try:
            found = (self._root / path.strip("/")).resolve()
        except (OSError, ValueError):  # not a valid file name
            return True
        if found.is_relative_to(self._outputs):
            return True
        # SQLite keeps its own files beside the index, under longer names.
        return found.parent == self._index.parent and found.name.startswith(self._index.name)


class _ProtectedFile(Matcher):
    """Matches the requests to ``routes`` that name a protected file."""

    def __init__(self, routes: tuple[str, ...], protected: _Protected) -> None:
        self._routes = routes
        self._protected = protected

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        for route in self._routes:
            if request.path.startswith(route):
                path = unquote(request.path.removeprefix(route))
                return {} if self._protected.holds(path) else None
        return None


def guard_outputs(
    application: Application,
    base_url: str,
    contents_manager: Any,
    *,
    outputs: Path,
    index: Path,
) -> None:
    """Block every route but ours from the files of ``outputs`` and the index.

    Voilà's file route needs no token; Jupyter's own two do, but do not know our rules. Copies,
    listings and rendered notebooks go through the contents manager, which answers 404 for these
    files, so that the file browser does not list the folder.
    """
    protected = _Protected(Path(contents_manager.root_dir), outputs, index)
    routes = tuple(url_path_join(base_url, route) for route in _ROUTES)
    # In front of every other rule, whichever extension was loaded first.
    rule = Rule(_ProtectedFile(routes, protected), _RefusedHandler)
    application.default_router.rules.insert(0, rule)
    for name in _PATH_METHODS:
        setattr(contents_manager, name, _refusing(getattr(contents_manager, name), protected))


def _refusing(method: Callable[..., Any], protected: _Protected) -> Callable[..., Any]:
    """Return ``method`` of a contents manager, refusing protected files in any of its paths."""
    signature = inspect.signature(method)

    @wraps(method)
    def guarded(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named).arguments
        for name in _PATH_PARAMETERS & given.keys():
            if given[name] is not None and protected.holds(given[name]):
                raise _Hidden(given[name])
        return method(*arguments, **named)

    return guarded


def keep_notebooks_clean(
    *, model: dict[str, Any], path: str, contents_manager: Any, **_further: Any
) -> None:
    """Pre-save hook: strip the outputs of a shipped notebook."""
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
