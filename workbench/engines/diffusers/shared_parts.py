"""Text and image encoders that the next model has too: they are handed over, not loaded again.

Every Wan has the same UMT5 of 11 GB, in its own folder. Two encoders are the same if class,
configuration, number format and the digests of their files are. Knows no pipeline class.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.engines.diffusers.digests import digest
from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.own_weights import component_source, quantisation_of
from workbench.engines.diffusers.placing import withdraw
from workbench.engines.diffusers.weight_files import weight_files
from workbench.engines.diffusers.weights import Weights
from workbench.errors import WorkbenchError
from workbench.rendering import RenderRequest

if TYPE_CHECKING:
    from workbench.engines.diffusers.loaded_model import LoadedModel

__all__ = ["EncoderIdentity", "encoders_of", "handed_over", "held_bytes"]

_LOG: Final = logging.getLogger("workbench.engines.diffusers")
_END_BYTES: Final = 1 << 20
_INCIDENTAL: Final = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype"})
"""Entries of a configuration that do not change what the component computes."""


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """What tells one encoder from another."""

    class_name: str
    dtype: str
    config: str
    """Canonical JSON."""
    files: tuple[tuple[Path, int, int], ...]
    """Each weight file with its size and time when it was loaded."""

    def is_same(self, other: EncoderIdentity) -> bool:
        """Return whether both hold the same weights; reads files of equal size once, ever."""
        own = self.class_name, self.dtype, self.config, [size for _, size, _ in self.files]
        if own != (other.class_name, other.dtype, other.config, [s for _, s, _ in other.files]):
            return False
        if self.files == other.files:
            return True
        try:
            if any(
                _stamped(path) != (path, *stamp) for path, *stamp in (*self.files, *other.files)
            ):
                return False  # replaced since it was loaded
            pairs = [(one[0], two[0]) for one, two in zip(self.files, other.files, strict=True)]
            if any(_ends(one) != _ends(two) for one, two in pairs):
                return False  # most that differ do so here, and need not be read whole
            return all(digest(one) == digest(two) for one, two in pairs)
        except OSError:
            return False  # deleted since it was loaded


def encoders_of(
    request: RenderRequest, weights: Weights | None, dtypes: Mapping[str, str]
) -> dict[str, EncoderIdentity]:
    """Return the encoders of the model of ``request``; without those that are quantised."""
    found: dict[str, EncoderIdentity] = {}
    if weights is None:
        return found
    quantised = quantisation_of(request)
    for name, entry in weights.index.items():
        if not isinstance(entry, list) or entry[:1] != ["transformers"] or name in quantised:
            continue
        try:
            given = getattr(request, name, "")
            source = component_source(name, given) if given else None
            is_folder = source is not None and source.kind == "folder"
            folder = source.path if source and is_folder else weights.folder / name
            found_files = source.files() if source else weight_files(folder).files
            files = tuple(_stamped(file) for file in sorted(found_files))
            config = json.loads((folder / "config.json").read_text("utf-8"))
        except (OSError, ValueError, WorkbenchError):
            continue  # loading tells what is wrong with it
        if files:
            told = {key: value for key, value in config.items() if key not in _INCIDENTAL}
            dtype = dtypes.get(name, dtypes["default"])
            text = json.dumps(told, sort_keys=True)
            found[name] = EncoderIdentity(str(entry[1]), dtype, text, files)
    return found


def handed_over(model: LoadedModel, wanted: Mapping[str, EncoderIdentity]) -> dict[str, Any]:
    """Return the encoders of ``model`` that are ``wanted``, by their new names, on the CPU.

    ``model`` must not be used any more. An encoder that the machine's memory could not hold beside
    what is loaded next is left out.
    """
    matches = {
        name: own
        for name, identity in wanted.items()
        for own, held in model.encoders.items()
        if held.is_same(identity)
    }
    if not matches:
        return {}
    withdraw(model.pipe)
    found: dict[str, Any] = {}
    for name, own in matches.items():
        part = model.pipe.components.get(own)
        free = available_bytes()
        if part is None or any(one is part for one in found.values()):
            continue
        moves = any(one.device.type != "cpu" for one in part.parameters())
        if moves and free is not None and free < 2 * held_bytes({name: part}):
            continue
        found[name] = part.to("cpu")
        _LOG.info("%s is kept for the next model: its weights are the same", name)
    return found


def held_bytes(parts: Mapping[str, Any]) -> int:
    """Return the bytes of the weights in ``parts``."""
    return sum(
        one.numel() * one.element_size() for part in parts.values() for one in part.parameters()
    )


def _ends(path: Path) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of the file."""
    with path.open("rb") as file:
        start = file.read(_END_BYTES)
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        return start, file.read()


def _stamped(path: Path) -> tuple[Path, int, int]:
    real, facts = path.resolve(), path.stat()
    return real, facts.st_size, facts.st_mtime_ns
