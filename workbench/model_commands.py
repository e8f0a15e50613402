"""``workbench models``: lists, checks and fetches video models."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from workbench.database import IndexFailure
from workbench.engines.diffusers.fetching import fetch_model
from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.library import LibraryModel, OnDevice, find_model, find_models
from workbench.engines.diffusers.memory import MemoryPlan
from workbench.engines.diffusers.weights import find_weights, how_to_get
from workbench.errors import WorkbenchError
from workbench.model_library import models_on_devices
from workbench.settings import Settings
from workbench.studio import Studio

__all__ = ["models"]

_GIB = 1 << 30


def models(arguments: Sequence[str]) -> int:
    """List the video models on this machine, check one, or fetch one from the hub."""
    parser = argparse.ArgumentParser(prog="workbench models", description=models.__doc__)
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    listing = steps.add_parser("list", help="list the models and how each would run")
    listing.add_argument(
        "--card",
        type=float,
        metavar="GB",
        help="how it would run on a GPU with this much free memory",
    )
    check = steps.add_parser(
        "check", help="check that a model is installed, complete and can run here"
    )
    check.add_argument("model", help="a folder or a hub name")
    get = steps.add_parser("get", help="download a model from the hub, if allowed")
    get.add_argument("model", help="a hub name")
    get.add_argument("--revision", default="", help="a branch, tag or commit")
    asked = parser.parse_args(arguments)
    settings = Settings()
    if asked.step == "get":
        return _get(asked.model, asked.revision, settings)
    if asked.step == "check":
        return _check(asked.model)
    found = _listed(settings)
    for one in found:
        sys.stdout.write(_told(one, asked.card) + "\n")
    if not found:
        sys.stdout.write(
            "No model was found. Name folders in WORKBENCH_MODELS (separated by "
            f"{os.pathsep!r}), or fetch one with `hf download Wan-AI/Wan2.1-T2V-1.3B-Diffusers`.\n"
        )
    return 0


def _listed(settings: Settings) -> list[LibraryModel]:
    try:
        with Studio(settings) as studio:
            return models_on_devices(studio)
    except IndexFailure:  # the list itself needs no outputs folder
        return find_models(settings)


def _told(model: LibraryModel, card_gb: float | None) -> str:
    total = sum(model.size_bytes.values()) / _GIB
    parts = ", ".join(
        f"{name} {size / _GIB:.1f}" for name, size in model.size_bytes.items() if size
    )
    lines = [
        model.name,
        f"  {model.title} ({model.class_name}), takes {', '.join(model.takes) or 'its own inputs'}",
        f"  {total:.1f} GiB at 16 bits: {parts}",
        *(f"  problem: {problem}" for problem in model.problems),
        *(f"  {one.device}: {_on(one)}" for one in model.devices),
    ]
    if card_gb is not None and not model.problems:
        how, plan = model.easiest_on(int(card_gb * _GIB), available_bytes())
        lines.append(f"  {_how(how, plan)}")
    return "\n".join(lines)


def _on(one: OnDevice) -> str:
    told = _how(one.quantize, one.plan)
    if one.seconds_per_step is None:
        return told
    return f"{told}; {one.seconds_per_step:.3g} s a step at {one.measured_on}"


def _how(quantize: str, plan: MemoryPlan) -> str:
    needs = "" if quantize == "none" else f"with quantize={quantize}, "
    return plan.problem or f"{needs}{plan.placement}: {plan.reason}"


def _check(model: str) -> int:
    weights, found = find_weights(model), find_model(model)
    if weights is None or found is None:
        sys.stderr.write(f"{how_to_get(model)}\n")
        return 1
    if found.problems:
        sys.stderr.write("\n".join(found.problems) + "\n")
        return 1
    sys.stdout.write(f"{_told(found, None)}\n  whole: {weights.folder}\n")
    return 0


def _get(model: str, revision: str, settings: Settings) -> int:
    shown = -1

    def show(here: int, whole: int) -> None:
        nonlocal shown
        percent = 100 * here // max(1, whole)
        if percent > shown:
            shown = percent
            size = f"{here / _GIB:.2f} of {whole / _GIB:.2f} GiB"
            end = "\r" if sys.stdout.isatty() else "\n"
            sys.stdout.write(f"{model}: {percent} %, {size}{end}")
            sys.stdout.flush()

    try:
        weights = fetch_model(model, settings, revision=revision, on_progress=show)
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{model} is in {weights.folder}\n")
    return 0
