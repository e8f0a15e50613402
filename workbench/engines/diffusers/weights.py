"""Locates a model's weights on this machine, their sizes, and how to get missing ones.

Reads folders, small JSON files and the headers of weight files. Imports no model library and opens
no connection.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench.engines.diffusers.families import ModelFacts
from workbench.engines.diffusers.weight_files import Stored, WeightFiles, weight_files
from workbench.errors import DamagedFile

__all__ = ["Weights", "find_weights", "how_to_get", "hub_cache", "model_facts"]

_INDEX: Final = "model_index.json"
_MODULAR_INDEX: Final = "modular_model_index.json"
_WITHOUT_WEIGHTS: Final = ("Scheduler", "Tokenizer", "TokenizerFast", "Processor", "ProcessorPil",
                           "Extractor", "Guidance", "Backend")  # fmt: skip
"""Suffixes of component classes that need no weights."""

_OF_DIFFUSERS: Final[Mapping[str, str]] = {"WanDMDPipeline": "WanPipeline"}
"""Classes of other libraries that folders name (FastVideo's) → the class that runs them here."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's folder on this machine."""

    folder: Path
    revision: str
    """The commit that the hub's cache holds; empty for a plain folder."""

    @property
    def modular(self) -> bool:
        """Whether it is a modular pipeline, without a pipeline class of its own."""
        return not (self.folder / _INDEX).is_file()

    @property
    def index(self) -> Mapping[str, Any]:
        """The whole ``model_index.json``, or its modular counterpart."""
        return _json(self.folder / _INDEX) or _json(self.folder / _MODULAR_INDEX)

    @property
    def variant(self) -> str:
        """The variant to load (such as ``fp16``) if a component has no plain form, or empty."""
        found = (files.variant for files in self.component_files().values())
        return next((variant for variant in found if variant), "")

    def component_files(self) -> dict[str, WeightFiles]:
        """Return the weight files of each component that has any."""
        parts = (part for part in sorted(self.folder.iterdir()) if part.is_dir())
        found = {part.name: weight_files(part) for part in parts}
        return {name: files for name, files in found.items() if files.files}

    def stored(self) -> dict[str, Stored]:
        """Return the contents of each component's files; a damaged file counts by its size."""
        found = {}
        for name, files in self.component_files().items():
            try:
                found[name] = files.stored()
            except DamagedFile:
                found[name] = Stored(files.size_bytes // 2)
        return found

    def problems(self, model: str, replaced: frozenset[str] = frozenset()) -> list[str]:
        """Return why the model cannot be loaded: missing or damaged files, one sentence each.

        ``replaced`` names components whose weights the request replaces.
        """
        missing: list[str] = []
        told: list[str] = []
        for name in self._expected() - replaced:
            files = weight_files(self.folder / name)
            if not files.files and not files.missing:
                missing.append(f"{name}/ (no weights)")
            missing += [f"{name}/{file.name}" for file in files.missing]
            try:
                files.stored()
            except DamagedFile as error:
                told.append(str(error))
        if missing:
            what = ", ".join(sorted(missing)[:5]) + (" and more" if len(missing) > 5 else "")
            told.insert(
                0, f"The model in {model} is incomplete: {what} missing. {self._mend(model)}"
            )
        return told

    def _expected(self) -> set[str]:
        """Return the components that need weight files, by ``model_index.json``."""
        return {
            name
            for name, entry in self.index.items()
            if isinstance(entry, list)
            and len(entry) == 2
            and isinstance(entry[1], str)
            and not entry[1].endswith(_WITHOUT_WEIGHTS)
            and entry[0] in {"diffusers", "transformers"}
        }

    def _mend(self, model: str) -> str:
        if self.revision:
            return f"Finish the download with `hf download {model} --revision {self.revision}`."
        return "Copy the missing files into the folder."


def find_weights(model: str, revision: str = "") -> Weights | None:
    """Return the weights of ``model`` (a folder or a hub name); None if not on this machine.

    A hub name is looked up in the cache of the hub's library (see :func:`hub_cache`), without
    asking the network.
    """
    try:
        return _found(model, revision)
    except (OSError, RuntimeError):  # an invalid file name, or an unknown user after ~
        return None


def _found(model: str, revision: str) -> Weights | None:
    folder = Path(model).expanduser()
    if _is_pipeline(folder):
        return Weights(folder.resolve(), "")
    if model.count("/") != 1:
        return None
    home = hub_cache() / f"models--{model.replace('/', '--')}"
    reference = home / "refs" / (revision or "main")
    commit = revision
    if reference.is_file():
        commit = reference.read_text("utf-8").strip()
    snapshot = home / "snapshots" / commit
    return Weights(snapshot, commit) if commit and _is_pipeline(snapshot) else None


def model_facts(model: str, weights: Weights | None) -> ModelFacts:
    """Return the facts of ``model`` that are known without loading it."""
    if weights is None:
        return ModelFacts(hub_name=model)
    index = weights.index
    configs = {
        part: config
        for part in ("transformer", "unet", "vae")
        if (config := _json(weights.folder / part / "config.json"))
    }
    named = index.get("_class_name", "")
    name = named[-1] if isinstance(named, list) else str(named)
    return ModelFacts(
        hub_name=model if "/" in model and not Path(model).is_absolute() else "",
        class_name=_OF_DIFFUSERS.get(name, name),
        index=index,
        configs=configs,
    )


def how_to_get(model: str, revision: str = "") -> str:
    """Return one sentence that says how to get missing weights."""
    if model.count("/") != 1 or model.startswith((".", "/", "~")):
        return f"There is no model in {model!r}: a folder with a model_index.json is needed."
    command = f"hf download {model}" + (f" --revision {revision}" if revision else "")
    return (
        f"The weights of {model} are not on this machine; get them with `{command}`, "
        "or allow the download with WORKBENCH_ALLOW_HUB=1."
    )


def hub_cache() -> Path:
    """Return the hub library's download cache.

    Heeds ``HF_HUB_CACHE``, ``HUGGINGFACE_HUB_CACHE``, ``HF_HOME`` and ``XDG_CACHE_HOME``, in the
    library's own order.
    """
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):  # the older name also applies
        if cache := os.environ.get(name):
            return Path(os.path.expandvars(cache)).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(os.path.expandvars(home)).expanduser() / "hub"
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expandvars(caches)).expanduser() / "huggingface" / "hub"


def _is_pipeline(folder: Path) -> bool:
    return (folder / _INDEX).is_file() or (folder / _MODULAR_INDEX).is_file()


def _json(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
