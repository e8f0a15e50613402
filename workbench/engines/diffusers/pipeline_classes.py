"""The pipeline classes of the installed diffusers, read from its source without importing it."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from workbench.engines.diffusers.families import Family, ModelFacts

__all__ = ["class_problem", "makes_no_video", "takes_loras"]

_LENGTHS: Final = frozenset({"num_frames", "video_length"})
"""How the call of a pipeline for videos names the number of frames."""
_PLACES: Final = ("pipelines", "modular_pipelines")


def class_problem(family: Family, facts: ModelFacts) -> str:
    """Return why a model of this pipeline class cannot run here; empty if it may."""
    name = facts.class_name
    if family.refused:
        return family.refused
    if _lacks(name):
        return (
            f"The installed diffusers {version('diffusers')} has no {name}; a newer "
            "release may: pip install --upgrade diffusers"
        )
    if not family.known and makes_no_video(name):
        return (
            f"{name} makes no video: its call takes no number of frames. docs/models.md lists the "
            "families of video models."
        )
    return ""


@cache
def makes_no_video(name: str) -> bool:
    """Return whether diffusers' pipeline of that name makes images or sound: it takes no length.

    False if diffusers has no such class, or if the class leaves its call to another one.
    """
    if (found := _source(name)) is None:
        return False
    path, source = found
    if _PLACES[1] in path.parts:  # its inputs are those of its blocks, beside it
        texts = [file.read_text("utf-8") for file in path.parent.glob("*.py")]
        blocks = any(length in text for length in _LENGTHS for text in texts)
        return name != "ModularPipeline" and not blocks
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            calls = [one for one in node.body if getattr(one, "name", "") == "__call__"]
            return bool(calls) and not any(_takes_length(one) for one in calls)
    return False


@cache
def takes_loras(name: str) -> bool:
    """Return whether diffusers' model of that name (such as a transformer) takes LoRAs."""
    spec = find_spec("diffusers") if name else None
    if spec is None or not spec.origin:
        return False
    defined = re.compile(rf"\nclass {re.escape(name)}\(([^)]*)\)")
    for file in sorted(Path(spec.origin).parent.joinpath("models").rglob("*.py")):
        if found := defined.search(file.read_text("utf-8")):
            return "PeftAdapterMixin" in found[1]
    return False


def _takes_length(call: ast.stmt) -> bool:
    if not isinstance(call, ast.FunctionDef):
        return False
    arguments = (*call.args.args, *call.args.kwonlyargs)
    return any(one.arg in _LENGTHS for one in arguments)


def _source(name: str) -> tuple[Path, str] | None:
    """Return the file that defines the class, and its text."""
    spec = find_spec("diffusers") if name else None
    if spec is None or not spec.origin:
        return None
    defined = f"\nclass {name}("
    for place in _PLACES:
        for file in sorted(Path(spec.origin).parent.joinpath(place).rglob("*.py")):
            if defined in (text := file.read_text("utf-8")):
                return file, text
    return None


def _lacks(name: str) -> bool:
    """Return whether the installed diffusers has no class of that name; False if none is named.

    Also False if diffusers is not installed, which loading reports.
    """
    return bool(name and (known := _exported()) and f'"{name}"' not in known)


@cache
def _exported() -> str:
    """Return the source of diffusers' list of exports; empty if it is not installed."""
    spec = find_spec("diffusers")
    return "" if spec is None or not spec.origin else Path(spec.origin).read_text("utf-8")
