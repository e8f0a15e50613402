"""A robot's actions as input and output of Cosmos 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.engines.diffusers.conditioning import inputs_of
from workbench.engines.diffusers.families import Family, ModelFacts
from workbench.errors import FieldProblem
from workbench.rendering import RenderRequest

__all__ = ["action_arguments", "action_problems", "keep_predicted", "with_length"]

_OWN = ("width", "height", "num_frames", "image", "video")
"""Parameters of the call that the action condition replaces."""


def with_length(request: RenderRequest, family: Family) -> dict[str, Any]:
    """Return the values of ``request`` that its actions determine.

    The canvas is the model's own; the video has one frame more than there are steps. Actions are
    cut, or the last one repeated, to a length that the model supports.
    """
    actions = request.actions
    if actions is None:
        return {}
    values: dict[str, Any] = {"width": None, "height": None}
    if request.num_frames is None and not actions.predicts:
        wanted = len(actions.sequence().values) + 1
        fits = family.frames.allows(wanted)
        values["num_frames"] = wanted if fits else family.frames.near(wanted)[1]
    if request.fps is None and actions.fps is not None:
        values["fps"] = actions.fps
    return values


def action_problems(
    request: RenderRequest, family: Family, facts: ModelFacts, given: frozenset[str]
) -> list[FieldProblem]:
    """Return why the model cannot follow the request's actions."""
    actions = request.actions
    if actions is None:
        return []
    taken = inputs_of(facts.class_name)
    if taken is None or not taken.actions:
        return [FieldProblem("actions", f"{family.title} does not accept actions; Cosmos 3 does.")]
    config = facts.configs.get("transformer", {})
    if config and not config.get("action_gen"):
        told = "These weights were not trained with actions (action_gen)."
        return [FieldProblem("actions", told)]
    most = config.get("action_dim")
    if most is not None and actions.width > most:
        told = f"These weights accept actions of at most {most} numbers, not {actions.width}."
        return [FieldProblem("actions", told)]
    needed = ("video",) if actions.mode == "inverse_dynamics" else ("image", "video")
    if len(given.intersection(needed)) != 1:
        told = f"{actions.mode} starts from {' or '.join(needed)}: give one."
        return [FieldProblem(f"options.{needed[0]}", told)]
    return []


def action_arguments(
    pipe: Any, request: RenderRequest, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Return the call's ``arguments`` with the action condition in place of what it replaces."""
    actions = request.actions
    if actions is None:
        return arguments
    import torch  # noqa: PLC0415
    from diffusers import CosmosActionCondition  # noqa: PLC0415

    steps = (request.num_frames or 2) - 1
    raw = None if actions.predicts else torch.tensor(actions.fitted(steps).sequence().array)
    condition = CosmosActionCondition(
        mode=actions.mode,
        chunk_size=steps,
        domain_name=actions.embodiment,
        resolution_tier=actions.resolution_tier,
        raw_actions=None if raw is None else raw.float(),
        image=arguments.get("image"),
        video=arguments.get("video"),
        view_point=actions.view_point,
    )
    taken = inputs_of(type(pipe).__name__)
    kept = {name: value for name, value in arguments.items() if name not in _OWN}
    # No sound with actions: the weights were trained on one or the other.
    return {**kept, "enable_sound": False, taken.actions if taken else "action": condition}


def keep_predicted(path: Path, output: Any) -> int:
    """Write the predicted actions of a call, T×D ``float32``, as NPY; return how many there are."""
    import numpy as np  # noqa: PLC0415

    found = getattr(output, "action", None)
    if not found:
        return 0
    values = np.asarray(found[0].float().numpy(), np.float32)
    with path.open("wb") as file:
        np.lib.format.write_array(file, values, allow_pickle=False)
    return len(values)
