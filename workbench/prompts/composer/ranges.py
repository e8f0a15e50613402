"""What a field may hold in a scene: the likeliest choices, and beyond them what is still plausible."""

from __future__ import annotations

from workbench.prompts.composer.completing import choices
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import ground
from workbench.scene import Origin, Scene

__all__ = ["plausible"]


def plausible(name: str, scene: Scene) -> tuple[str, ...]:
    """Return values of the field ``name`` that are plausible in ``scene``."""
    if name == "setting":
        return _settings(scene)
    at = ground(scene)
    if name in {"time_of_day", "weather"} and "sky" not in at.facts:
        return ()
    if name == "lens" and "painted" in at.facts:
        return ()
    listed: tuple[str, ...] = ()
    for need, values in load("ranges").get(name, {}).items():
        if need == "any" or need in at.facts:
            listed = (*listed, *values)
    if name == "lighting":
        emptied = scene.edit({"lighting": ""}, origin=Origin.INFERRED)
        listed = (*choices("lighting", emptied), *listed)
    kind = at.place.kind if at.place else "any"
    barred = load("ranges")["barred"].get(kind, ())
    return tuple(v for v in dict.fromkeys(listed) if v not in barred)


def _settings(scene: Scene) -> tuple[str, ...]:
    if scene.subject == scene.setting or (scene.setting and scene.origin("setting") is Origin.SAID):
        return ()
    return choices("setting", scene.edit({"setting": ""}, origin=Origin.INFERRED))
