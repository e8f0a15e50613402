"""Creates effects by the names in the tables; they are made once per film."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from workbench.engines.animatic.effects import blocks, glass, lights, paint, surface
from workbench.engines.animatic.effects.plan import Effect, Plan

__all__ = ["COARSE", "EFFECTS", "Effect", "make_effects", "parted"]

EFFECTS: Final[Mapping[str, Callable[..., Effect]]] = MappingProxyType(
    {
        "glow": lights.Glow,
        "spot": lights.Spot,
        "vignette": lights.Vignette,
        "beams": lights.Beams,
        "flicker": lights.Flicker,
        "blinds": lights.Blinds,
        "sparkles": lights.Sparkles,
        "bloom": glass.Bloom,
        "letterbox": glass.Letterbox,
        "streak": glass.Streak,
        "fisheye": glass.Fisheye,
        "bands": glass.Bands,
        "ripple": glass.Ripple,
        "roll": glass.Roll,
        "weave": glass.Weave,
        "grain": surface.Grain,
        "paper": surface.Paper,
        "border": surface.Border,
        "scratches": surface.Scratches,
        "scanlines": surface.Scanlines,
        "halftone": surface.Halftone,
        "bumps": surface.Bumps,
        "gears": surface.Gears,
        "hud": surface.Hud,
        "frame": surface.Viewfinder,
        "stamp": surface.Stamp,
        "iris": lights.Iris,
        "posterise": paint.Posterise,
        "pixels": blocks.Pixels,
        "voxels": blocks.Voxels,
        "edges": paint.Edges,
        "pencil": paint.Pencil,
        "emboss": paint.Emboss,
        "relief": paint.Relief,
        "displace": paint.Displace,
        "strokes": paint.Strokes,
        "dabs": paint.Dabs,
        "swirls": paint.Swirls,
        "facets": paint.Facets,
    }
)


COARSE: Final = frozenset({"displace", "strokes", "dabs", "swirls", "facets"})
"""Effects that leave no fine detail."""


def parted(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the effects for the coarse frame, and those for the enlarged frame.

    The first part is empty if every effect needs the fine frame.
    """
    coarse = [at for at, text in enumerate(names) if text.split()[0] in COARSE]
    cut = coarse[-1] + 1 if coarse else 0
    return names[:cut], names[cut:]


def make_effects(names: Iterable[str], plan: Plan) -> list[Effect]:
    """Return the effects named, each as ``"name number …"``, made for the film of ``plan``."""
    made = []
    for text in names:
        name, *numbers = text.split()
        made.append(EFFECTS[name](plan, *map(float, numbers)))
    return made
