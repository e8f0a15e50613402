"""Compares the weight files that a recipe records with those on this machine.

Reads recipes made elsewhere; a malformed record is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from workbench.engines.diffusers.digests import digest
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.diffusers.weights import find_weights
from workbench.engines.engine import ChangedFiles
from workbench.errors import FieldProblem
from workbench.rendering import REPLACEABLE, RenderRequest

__all__ = ["changed_files"]

_LORA: Final = re.compile(r"loras\[(\d{1,4})\]")
_ESTIMATOR: Final = re.compile(r"control\.(estimator|detector)")
_SHOWN: Final = 12
"""Digits of a digest in messages."""


def changed_files(request: RenderRequest) -> ChangedFiles:
    """Return which weight files of a rendered ``request`` are missing, and which are others.

    Reads the files whose digest is not known, about 1 s a GB.
    """
    missing, changed = [], []
    for role, name, size, sha256 in _recorded(request):
        file = _path(request, role, name)
        if file is None:
            continue
        if not file.is_file():
            known = f", sha256 {sha256[:_SHOWN]}…" if sha256 else ""
            told = f"{role}: {file.name} is missing; it was {file} ({size} bytes{known})."
            missing.append(FieldProblem(role, told))
        elif file.stat().st_size != size or (sha256 and digest(file) != sha256):
            told = f"{role}: {file.name} is not the file that made this video ({file})."
            changed.append(FieldProblem(role, told))
    return ChangedFiles(tuple(missing), tuple(changed))


def _recorded(request: RenderRequest) -> Iterator[tuple[str, str, int, str]]:
    """Yield role, file name, size and digest of each recorded file."""
    as_rendered = request.options.get(AS_RENDERED)
    entries = as_rendered.get("weights") if isinstance(as_rendered, Mapping) else None
    for entry in entries if isinstance(entries, list | tuple) else ():
        match entry:
            case {
                "role": str(role),
                "file": str(name),
                "size_bytes": int(size),
                "sha256": str(sha),
            }:
                yield role, name, size, sha


def _path(request: RenderRequest, role: str, name: str) -> Path | None:
    """Return where the file ``name`` is expected; None if the request does not say."""
    if lora := _LORA.fullmatch(role):
        number = int(lora[1])
        return Path(request.loras[number].path) if number < len(request.loras) else None
    if estimator := _ESTIMATOR.fullmatch(role):
        control = request.options.get("control")
        folder = control.get(estimator[1]) if isinstance(control, Mapping) else ""
        return Path(str(folder)) / Path(name).name if folder else None
    given = getattr(request, role, "") if role in REPLACEABLE else ""
    if given:
        return _in_component(Path(given).expanduser(), role, name)
    weights = find_weights(request.model, request.revision)
    if weights is None or role not in weights.component_files():
        return None  # completing the request tells what is missing of the model
    return weights.folder / role / Path(name).name


def _in_component(given: Path, role: str, name: str) -> Path:
    if given.suffix in {".safetensors", ".gguf"} and not given.is_dir():
        return given
    folder = given if (given / "config.json").is_file() else given / role
    return (folder if folder.is_dir() else given) / Path(name).name
