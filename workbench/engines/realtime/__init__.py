"""The ``realtime`` engine: a world that a server makes chunk by chunk, steered by held keys."""

from workbench.engines.realtime.engine import RealtimeEngine

__all__ = ["RealtimeEngine"]
