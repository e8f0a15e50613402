"""Locates model weights on this machine and reports their size.

Reads folders and small JSON files only; imports no model library and uses no network.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.engines.diffusers.families import ModelFacts

__all__ = ["Weights", "find_weights", "how_to_get", "model_facts"]

_INDEX = "model_index.json"
_MODULAR_INDEX = "modular_model_index.json"
_WEIGHT_SUFFIXES = (".safetensors", ".bin")


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's folder on this machine."""

    folder: Path
    revision: str
    """The commit that the hub's cache holds; empty for a plain folder."""

    @property
    def modular(self) -> bool:
        """Whether it is a modular pipeline, assembled from blocks."""
        return not (self.folder / _INDEX).is_file()

    def component_bytes(self) -> dict[str, int]:
        """Return the size of each component's weights on disk, in bytes, one form of each."""
        sizes: dict[str, int] = {}
        for part in sorted(self.folder.iterdir()):
            if part.is_dir():
                sizes[part.name] = _weight_bytes(part)
        return {name: size for name, size in sizes.items() if size}


def find_weights(model: str, revision: str = "") -> Weights | None:
    """Return the local folder of ``model`` (a folder or a hub name), or None.

    A hub name is looked up in the hub cache (``HF_HUB_CACHE``, ``HF_HOME``) without network access.
    """
    folder = Path(model).expanduser()
    if _is_pipeline(folder):
        return Weights(folder.resolve(), "")
    if model.count("/") != 1:
        return None
    home = _hub_cache() / f"models--{model.replace('/', '--')}"
    reference = home / "refs" / (revision or "main")
    commit = revision
    if reference.is_file():
        commit = reference.read_text("utf-8").strip()
    snapshot = home / "snapshots" / commit
    return Weights(snapshot, commit) if commit and _is_pipeline(snapshot) else None


def model_facts(model: str, weights: Weights | None) -> ModelFacts:
    """Return the facts of ``model``, without loading it."""
    if weights is None:
        return ModelFacts(hub_name=model)
    index = _json(weights.folder / _INDEX) or _json(weights.folder / _MODULAR_INDEX)
    configs = {
        part: config
        for part in ("transformer", "unet", "vae")
        if (config := _json(weights.folder / part / "config.json"))
    }
    name = index.get("_class_name", "")
    return ModelFacts(
        hub_name=model if "/" in model and not Path(model).is_absolute() else "",
        class_name=name[-1] if isinstance(name, list) else str(name),
        index=index,
        configs=configs,
    )


def how_to_get(model: str, revision: str = "") -> str:
    """Return a sentence that tells how to get missing weights."""
    if model.count("/") != 1 or model.startswith((".", "/", "~")):
        return f"There is no model in {model!r}: a folder with a model_index.json is needed."
    command = f"hf download {model}" + (f" --revision {revision}" if revision else "")
    return (
        f"The weights of {model} are not on this machine; get them with `{command}`, "
        "or allow the download with WORKBENCH_ALLOW_HUB=1."
    )


def _is_pipeline(folder: Path) -> bool:
    return (folder / _INDEX).is_file() or (folder / _MODULAR_INDEX).is_file()


def _hub_cache() -> Path:
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    home = os.environ.get("HF_HOME") or Path("~/.cache/huggingface").expanduser()
    return Path(home).expanduser() / "hub"


def _weight_bytes(folder: Path) -> int:
    for suffix in _WEIGHT_SUFFIXES:
        files = [
            file
            for file in folder.glob(f"*{suffix}")
            if "." not in file.stem or "-of-" in file.name
        ]
        if files:
            return sum(file.stat().st_size for file in files)
    return 0


def _json(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
