"""Effects: what light, style and lens do to every finished frame, on its planes."""

from workbench.engines.animatic.effects.effect import Effect, make_effects, parted

__all__ = ["Effect", "make_effects", "parted"]
