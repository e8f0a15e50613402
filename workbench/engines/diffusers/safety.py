"""What keeps watch over a model's pictures, said as it effectively was."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from workbench.engines.diffusers.families import Family
from workbench.errors import EngineUnavailable

__all__ = ["checker_arguments", "safety_state"]

_COSMOS_PACKAGE = "cosmos_guardrail"


def checker_arguments(family: Family, class_name: str, *, wanted: bool) -> dict[str, Any]:
    """Return what the pipeline's constructor is to be given for its safety checker.

    Cosmos insists on one: without a checker of its own it is given one that lets everything pass,
    and the recipe says so. Raises ``EngineUnavailable`` where the checker is wanted and missing.
    """
    if family.safety != "cosmos":
        return {}
    if wanted:
        if find_spec(_COSMOS_PACKAGE) is None:
            raise EngineUnavailable(
                "Cosmos needs its safety checker: install it with `pip install cosmos_guardrail`, "
                "or set options.safety_checker to false and answer for what is shown."
            )
        return {}
    if class_name == "Cosmos3OmniPipeline":
        return {"enable_safety_checker": False}
    return {"safety_checker": _pass_everything()}


def safety_state(pipe: Any) -> dict[str, Any]:
    """Return which checker ``pipe`` has, and whether it checks anything."""
    checker = getattr(pipe, "safety_checker", None)
    if checker is None:
        return {"checker": None, "active": False}
    name = type(checker).__name__
    return {"checker": name, "active": name != "PassEverything"}


def _pass_everything() -> Any:
    import torch  # noqa: PLC0415

    class PassEverything(torch.nn.Module):  # type: ignore[misc]
        """Stands where a pipeline insists on a checker that the user has switched off."""

        dtype = torch.float32
        device = torch.device("cpu")

        def check_text_safety(self, _prompt: str) -> bool:
            return True

        def check_video_safety(self, frames: Any) -> Any:
            return frames

    return PassEverything()
