"""The engine named ``diffusers``: any text-to-video pipeline of the diffusers library."""

from workbench.engines.diffusers.engine import DiffusersEngine

__all__ = ["DiffusersEngine"]
