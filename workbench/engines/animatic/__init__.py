"""The animatic: a moving storyboard of a Scene, drawn with OpenCV, without a model."""

from workbench.engines.animatic.engine import AnimaticEngine

__all__ = ["AnimaticEngine"]
