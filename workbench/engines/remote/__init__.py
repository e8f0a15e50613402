"""The engine named ``remote``: a video model behind an OpenAI-compatible ``/v1/videos`` endpoint."""

from workbench.engines.remote.engine import RemoteEngine

__all__ = ["RemoteEngine"]
