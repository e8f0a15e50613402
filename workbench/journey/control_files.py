"""Camera paths and actions in files, as Python, grids and runs name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from workbench import control
from workbench.errors import FieldProblem, InvalidRequest

__all__ = ["with_control_files"]

T = TypeVar("T")

_ACTION_SUFFIXES: Final = frozenset({".csv", ".json", ".npy"})
_PATH_SUFFIXES: Final = frozenset({".json", ".npz", ".npy", ".txt", ".tum"})


def with_control_files(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``parameters`` with what the files hold that ``camera`` and ``actions`` name.

    A text names a file by its ending, or as ``camera`` an existing folder with COLMAP's text;
    ``actions`` name it themselves, or as their ``values``. Raises
    ``InvalidRequest`` for a file that holds no path, or no actions of the embodiment.
    """
    found = dict(parameters)
    camera = found.get("camera")
    if (path := _file(camera, _PATH_SUFFIXES) or _colmap_folder(camera)) is not None:
        found["camera"] = _read("camera", control.read_path, path).value
    given = found.get("actions")
    if (path := _file(given, _ACTION_SUFFIXES)) is not None:
        found["actions"] = _read("actions", control.read_actions, path)
    elif isinstance(given, Mapping):
        path = _file(given.get("values"), _ACTION_SUFFIXES)
        if path is not None:
            body, fps = given.get("embodiment") or None, given.get("fps")
            own = _read("actions", control.read_actions, path, body, fps=fps)
            found["actions"] = {**given, **own.model_dump(include={"embodiment", "values", "fps"})}
    return found


def _read(field: str, read: Callable[..., T], *arguments: Any, **more: Any) -> T:
    """Return what ``read`` does; its ``InvalidRequest`` names ``field``."""
    try:
        return read(*arguments, **more)
    except InvalidRequest as error:
        raise InvalidRequest(str(error), (FieldProblem(field, str(error)),)) from error


def _file(given: Any, suffixes: frozenset[str]) -> Path | None:
    """Return the file that ``given`` names; None if it is no path and no text with such an ending."""
    if isinstance(given, str) and Path(given).suffix.lower() in suffixes:
        given = Path(given)
    return given.expanduser() if isinstance(given, Path) else None


def _colmap_folder(given: Any) -> Path | None:
    """Return the folder with ``images.txt`` that the text ``given`` names; None if there is none."""
    if not isinstance(given, str) or not given.strip():
        return None
    try:
        folder = Path(given).expanduser()
        return folder if (folder / "images.txt").is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, or an unknown user's home
        return None
