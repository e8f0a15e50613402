"""Finds engines by name: built-in, from entry points, and from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final, cast

from workbench.engines.engine import Engine
from workbench.errors import EngineUnavailable, FieldProblem, InvalidRequest
from workbench.settings import Settings

__all__ = ["ENTRY_POINT_GROUP", "create_engine", "engine_names"]

ENTRY_POINT_GROUP: Final = "workbench.engines"
"""The entry-point group of third-party engines: ``name = "module:Class"``."""

_EMBEDDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "animatic": "workbench.engines.animatic:AnimaticEngine",
        "diffusers": "workbench.engines.diffusers:DiffusersEngine",
        "remote": "workbench.engines.remote:RemoteEngine",
        "realtime": "workbench.engines.realtime:RealtimeEngine",
    }
)


def engine_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of all available engines."""
    return tuple(_targets(settings))


def create_engine(name: str, settings: Settings) -> Engine:
    """Return a new, unloaded engine.

    Raises ``InvalidRequest`` for an unknown name and ``EngineUnavailable`` if its code cannot be
    imported.
    """
    targets = _targets(settings)
    if name not in targets:
        known = ", ".join(targets)
        problem = f"There is no engine {name!r}; choose one of: {known}."
        raise InvalidRequest(problem, (FieldProblem("engine", problem),))
    module, _, attribute = targets[name].partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise EngineUnavailable(f"The engine {name!r} cannot be loaded: {error}.") from error
    return cast("Engine", factory(settings))


def _targets(settings: Settings) -> dict[str, str]:
    installed = {entry.name: entry.value for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return {**installed, **_EMBEDDED, **settings.engines}
