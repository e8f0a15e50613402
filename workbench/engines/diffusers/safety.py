"""Safety checkers: construction and effective state."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from workbench.engines.diffusers.families import Family
from workbench.errors import EngineUnavailable

__all__ = ["checker_arguments", "safety_state"]

_COSMOS_PACKAGE = "cosmos_guardrail"


def checker_arguments(family: Family, class_name: str, *, wanted: bool) -> dict[str, Any]:
    """Return the safety arguments of the pipeline's constructor.

    Cosmos requires a checker: if disabled, it gets one that passes everything, and the recipe says
    so. Raises ``EngineUnavailable`` if the checker is wanted but missing.
    """
    if family.safety != "cosmos":
        return {}
    if wanted:
        if find_spec(_COSMOS_PACKAGE) is None:
            raise EngineUnavailable(
                "Cosmos needs its safety checker: install it with `pip install cosmos_guardrail`, "
                "or set options.safety_checker to false and take responsibility for the output."
            )
        return {}
    if class_name == "Cosmos3OmniPipeline":
        return {"enable_safety_checker": False}
    return {"safety_checker": _pass_everything()}


def safety_state(pipe: Any) -> dict[str, Any]:
    """Return the checker of ``pipe`` and whether it is active."""
    checker = getattr(pipe, "safety_checker", None)
    if checker is None:
        return {"checker": None, "active": False}
    name = type(checker).__name__
    return {"checker": name, "active": name != "PassEverything"}


def _pass_everything() -> Any:
    import torch  # noqa: PLC0415

    class PassEverything(torch.nn.Module):  # type: ignore[misc]
        """Placeholder for a checker that the pipeline requires and the user disabled."""

        dtype = torch.float32
        device = torch.device("cpu")

        def check_text_safety(self, _prompt: str) -> bool:
            return True

        def check_video_safety(self, frames: Any) -> Any:
            return frames

    return PassEverything()
