"""Effects of light, style and lens on the planes of every finished frame."""

from workbench.engines.animatic.effects.effect import Effect, make_effects, parted

__all__ = ["Effect", "make_effects", "parted"]
