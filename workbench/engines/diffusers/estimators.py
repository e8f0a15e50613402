"""Which learnt models estimate a control from pictures, and whether a folder holds one.

Runs in servers and notebooks before a job is queued; reads only a folder's ``config.json``. What is
known of the models is data: ``estimators.toml``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from workbench.engines.inputs import input_file
from workbench.errors import FieldProblem
from workbench.rendering import Control
from workbench.settings import Settings

__all__ = [
    "PEOPLE",
    "architecture_of",
    "estimates_distance",
    "estimator_files",
    "skeleton",
    "with_estimator",
]

PEOPLE: Final = "people"
_FIELDS: Final = ("estimator", "detector")
_SETTINGS: Final = {
    "depth": "depth_model",
    "pose": "pose_model",
    "segments": "segments_model",
    "boxes": "person_detector",
    PEOPLE: "person_detector",
}


def with_estimator(
    options: Mapping[str, Any], settings: Settings
) -> tuple[dict[str, Any], list[FieldProblem]]:
    """Return ``options`` with the folders of the control's estimator, and what is wrong with them.

    A folder that the control does not name is that of the settings.
    """
    given = options.get("control")
    if not isinstance(given, Mapping | Control):
        return dict(options), []
    try:
        control = given if isinstance(given, Control) else Control.model_validate(given)
    except ValueError:
        return dict(options), []  # told by the validation of the options
    if not control.is_estimated:
        return dict(options), []
    named: dict[str, tuple[str, str]] = {
        "estimator": (control.kind, control.estimator or _of(settings, control.kind))
    }
    if control.kind == "pose":
        named["detector"] = (PEOPLE, control.detector or _of(settings, PEOPLE))
    problems = []
    for field, (kind, folder) in named.items():
        if (folder or field == "estimator") and (problem := _problem(kind, folder)):
            problems.append(FieldProblem(f"options.control.{field}", problem))
    folders = {
        field: str(Path(folder).expanduser().resolve())
        for field, (_, folder) in named.items()
        if folder
    }
    found = control.model_copy(update=folders).model_dump()
    return {**options, "control": found}, problems


def architecture_of(folder: Path) -> str:
    """Return the model class that ``folder`` was saved from; empty if it does not say."""
    named = config_of(folder).get("architectures")
    return str(named[0]) if isinstance(named, list) and named else ""


def config_of(folder: Path) -> dict[str, Any]:
    """Return the configuration of the model in ``folder``; empty if it is missing or damaged."""
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def estimates_distance(folder: Path) -> bool:
    """Return whether a depth estimator returns distances; otherwise it returns their inverse."""
    conditions = _table()["depth"]["distance"].get(architecture_of(folder))
    return conditions is not None and _holds(config_of(folder), conditions)


def estimator_files(options: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the role and path of each weight file that estimates the control in ``options``."""
    given = options.get("control")
    for field in _FIELDS:
        if isinstance(given, Mapping) and (folder := given.get(field)):
            for file in sorted(input_file(str(folder)).glob("*.safetensors")):
                yield f"control.{field}", file


def skeleton() -> Mapping[str, Any]:
    """Return how a pose is drawn: ``joints``, ``limbs`` and ``colours``."""
    found: Mapping[str, Any] = _table()["skeleton"]
    return found


def _of(settings: Settings, kind: str) -> str:
    return str(getattr(settings, _SETTINGS[kind]))


def _problem(kind: str, named: str) -> str:
    """Return why the folder ``named`` does not estimate ``kind``; empty if it does."""
    what = "finds people" if kind == PEOPLE else f"estimates {kind}"
    if not named:
        setting = f"WORKBENCH_{_SETTINGS[kind].upper()}"
        return (
            f"Computing {kind} from a video needs the weights of a model that {what}: name their "
            f"folder in control.estimator or {setting}, or give a video that is ready."
        )
    folder = Path(named).expanduser()
    if not folder.is_dir():
        return f"There is no folder {named} with a model that {what}."
    known = _table()[kind]["architectures"]
    found = architecture_of(folder)
    if found not in known:
        said = f"a {found}" if found else "no model of transformers: config.json names none"
        return f"{folder.name} holds {said}. A model that {what} is {' or '.join(known)}."
    if not any(folder.glob("*.safetensors")):
        return f"{folder.name} has no weights in .safetensors; other formats are not loaded."
    if not (folder / "preprocessor_config.json").is_file():
        return f"{folder.name} has no preprocessor_config.json, which says how to prepare pictures."
    return ""


def _holds(config: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(
        _holds(config.get(name) or {}, value)
        if isinstance(value, Mapping)
        else config.get(name) == value
        for name, value in wanted.items()
    )


@cache
def _table() -> dict[str, Any]:
    text = resources.files("workbench.engines.diffusers").joinpath("estimators.toml")
    return tomllib.loads(text.read_text("utf-8"))
