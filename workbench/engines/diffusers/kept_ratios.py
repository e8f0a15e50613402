"""MagCache's ratios, kept between renders and processes: each model is calibrated once.

They hold for the weights and the schedule that they were measured with; other numbers of steps are
interpolated, as by MagCache's authors.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from workbench.engines.diffusers.digests import cache_folder
from workbench.engines.diffusers.own_weights import weight_paths
from workbench.engines.diffusers.step_caches import MagRatios
from workbench.engines.diffusers.weights import find_weights
from workbench.rendering import RenderRequest

__all__ = ["keep_ratios", "kept_ratios"]

_DENOISERS = ("transformer", "transformer_2", "unet")


def kept_ratios(request: RenderRequest, class_name: str) -> MagRatios | None:
    """Return what was measured with the weights of ``request`` in this pipeline class; or None."""
    entry = _entries().get(_key(request, class_name))
    try:
        ratios = {str(name): tuple(map(float, one)) for name, one in entry["ratios"].items()}  # type: ignore[index]
        return MagRatios(int(entry["steps"]), ratios)  # type: ignore[index]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def keep_ratios(request: RenderRequest, class_name: str, found: MagRatios) -> None:
    """Keep ``found``; concurrent processes may lose an entry, never damage the file."""
    entry = {"steps": found.steps, "ratios": {name: list(v) for name, v in found.ratios.items()}}
    entries = _entries() | {_key(request, class_name): entry}
    target = _file()
    aside = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(entries), "utf-8")
        aside.replace(target)
    except OSError:
        return  # the home folder is not writable: the next render measures again


def _key(request: RenderRequest, class_name: str) -> str:
    own = find_weights(request.model, request.revision)
    files = own.component_files() if own else {}
    named = [file for role, one in files.items() if role in _DENOISERS
             and not getattr(request, role, "") for file in one.files]  # fmt: skip
    named += [file for role, file in weight_paths(request) if role not in {"text_encoder", "vae"}]
    told = [class_name, request.weights_key, str(request.options.get("flow_shift"))]
    told += [f"{lora.path}×{lora.weight}×{lora.stage}" for lora in request.loras]
    for file in named:
        real, facts = file.resolve(), file.stat()
        told.append(f"{real}:{facts.st_size}:{facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _entries() -> dict[str, Any]:
    try:
        entries = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _file() -> Path:
    return cache_folder() / "mag_ratios.json"
