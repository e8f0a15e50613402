"""The weights that a request names beside its model: LoRAs, replaced components, quantisation.

Finds them on this machine and rejects, before a job is queued, what cannot work. Imports no model
library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from workbench.engines.diffusers.families import Family, ModelFacts
from workbench.engines.diffusers.memory import is_text_encoder
from workbench.engines.diffusers.scaled_weights import scale_problem
from workbench.engines.diffusers.weight_files import (
    Stored,
    header,
    numbers_in_gguf,
    stored,
    weight_files,
)
from workbench.engines.diffusers.weights import Weights, hub_cache
from workbench.errors import DamagedFile, EngineUnavailable, FieldProblem
from workbench.rendering import REPLACEABLE, Lora, RenderRequest

__all__ = [
    "ComponentSource",
    "bits_of",
    "component_source",
    "files_of",
    "quantisation_of",
    "resolved",
    "saved_quantisation",
    "weight_paths",
]

_GGUF_MAGIC: Final = b"GGUF"
_LORA_SIGNS: Final = (".lora_", "lora_A", "lora_B", ".lokr_")
_QUANTISERS: Final[Mapping[str, tuple[str, str]]] = {
    "int8": ("torchao", "torchao"),
    "nf4": ("bitsandbytes", "bitsandbytes"),
}
"""Quantisation → the module that it needs, and the package that provides it."""
_PACKAGES: Final[Mapping[str, tuple[str, str]]] = {
    **{module: (module, package) for module, package in _QUANTISERS.values()},
    "quanto": ("optimum", "optimum-quanto"),
}
"""The ``quant_method`` of a saved component → the module that reads it, and its package."""
_BITS: Final[Mapping[str, float]] = {"fp8": 8.5, "int8": 8.5, "nf4": 4.5}
"""Including scales, and the layers that are not quantised."""


class _Unusable(EngineUnavailable):
    """Why a file or folder cannot be used, as a sentence."""


@dataclass(frozen=True, slots=True)
class ComponentSource:
    """The source of a replaced component."""

    path: Path
    """A folder with a ``config.json``, a ``.safetensors`` or a ``.gguf`` file."""
    kind: str
    """``folder``, ``safetensors`` or ``gguf``."""
    is_text_encoder: bool = False

    def files(self) -> tuple[Path, ...]:
        """Return the weight files."""
        return weight_files(self.path).files if self.kind == "folder" else (self.path,)

    def stored(self) -> Stored:
        """Return the contents of the files.

        A transformer in a GGUF file stays quantised on the device, a text encoder does not.
        """
        if self.kind == "gguf" and self.is_text_encoder:
            return Stored(numbers_in_gguf(self.path))
        if self.kind == "gguf":
            return Stored(fixed_bytes=self.path.stat().st_size)
        return sum((stored(file) for file in self.files()), Stored())


def resolved(
    request: RenderRequest, family: Family, facts: ModelFacts, weights: Weights | None = None
) -> tuple[dict[str, Any], list[FieldProblem]]:
    """Return the request's weights with absolute paths, and all problems.

    ``weights`` is the model's folder, if it is on this machine.
    """
    values: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    two_stages = not facts.class_name or _has(facts, "transformer_2")
    loras = []
    for number, lora in enumerate(request.loras):
        try:
            loras.append(_resolved_lora(lora, two_stages=two_stages))
        except _Unusable as error:
            problems.append(FieldProblem(f"loras[{number}]", str(error)))
    values["loras"] = tuple(loras)
    if loras and find_spec("peft") is None:
        problems.append(FieldProblem("loras", "LoRAs need peft: pip install peft"))
    for name in REPLACEABLE:
        given = getattr(request, name)
        if not given:
            continue
        if facts.class_name and not _has(facts, name):
            told = f"{family.title} as {facts.class_name} has no {name}."
            problems.append(FieldProblem(name, told))
            continue
        try:
            values[name] = str(component_source(name, given).path)
        except _Unusable as error:
            problems.append(FieldProblem(name, str(error)))
    methods = _stored_quantisation(values, weights)
    problems.extend(_quantisation_problems(request, values, facts, methods))
    return values, problems


def component_source(name: str, given: str) -> ComponentSource:
    """Return the source of the component ``name``.

    Raises ``EngineUnavailable``, with the reason, if it cannot be used.
    """
    path = Path(given).expanduser()
    if path.is_dir():
        folder = path if (path / "config.json").is_file() else path / name
        if not (folder / "config.json").is_file():
            raise _Unusable(
                f"{given} contains neither the config.json of a {name} nor a folder {name}/."
            )
        files = weight_files(folder)
        if files.missing or not files.files:
            lacking = ", ".join(file.name for file in files.missing) or "its weights"
            raise _Unusable(f"{folder} is incomplete: {lacking} missing.")
        _check_header(*files.files)
        return ComponentSource(folder.resolve(), "folder")
    if not path.is_file():
        raise _Unusable(f"There is no file or folder {given} for {name}.")
    reads_text = is_text_encoder(name)
    if path.suffix == ".gguf":
        _check_gguf(name, path)
        return ComponentSource(path.absolute(), "gguf", reads_text)
    if path.suffix != ".safetensors":
        raise _Unusable(f"{path.name} is not a folder, a .safetensors or a .gguf file.")
    _check_header(path)
    if problem := scale_problem(path):
        raise _Unusable(problem)
    return ComponentSource(path.absolute(), "safetensors", reads_text)


def quantisation_of(request: RenderRequest) -> dict[str, str]:
    """Return the quantisation of each component that is quantised.

    A single word means every denoiser.
    """
    asked = request.quantize
    if isinstance(asked, str):
        names = ("transformer", "transformer_2", "unet")
        return {} if asked == "none" else dict.fromkeys(names, asked)
    return {name: how for name, how in asked.items() if how != "none"}


def bits_of(quantisation: str) -> float:
    """Return the bits per number, scales included."""
    return _BITS[quantisation]


def saved_quantisation(folder: Path) -> str:
    """Return the ``quant_method`` with which the component in ``folder`` was saved, or empty."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        return str(config["quantization_config"]["quant_method"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def weight_paths(request: RenderRequest) -> Iterator[tuple[str, Path]]:
    """Yield every weight file that ``request`` (resolved) names beside its model, with its role."""
    for number, lora in enumerate(request.loras):
        yield f"loras[{number}]", Path(lora.path)
    for name in REPLACEABLE:
        if given := getattr(request, name):
            for file in component_source(name, given).files():
                yield name, file


def files_of(request: RenderRequest, weights: Weights | None) -> Iterator[tuple[str, Path]]:
    """Yield every weight file of ``request`` (resolved) with its role, the model's own first."""
    files = weights.component_files() if weights else {}
    for role, one in files.items():
        if not getattr(request, role, ""):
            yield from ((role, file) for file in one.files)
    yield from weight_paths(request)


def _stored_quantisation(values: Mapping[str, Any], weights: Weights | None) -> dict[str, str]:
    """Return how each component that is saved quantised was quantised."""
    folders = {name: Path(values[name]) for name in REPLACEABLE if name in values}
    if weights is not None:
        own = {name: weights.folder / name for name in weights.component_files()}
        folders = own | folders
    found = {name: saved_quantisation(folder) for name, folder in folders.items()}
    return {name: method for name, method in found.items() if method}


def _has(facts: ModelFacts, component: str) -> bool:
    return facts.index.get(component) not in (None, [None, None])


def _resolved_lora(lora: Lora, *, two_stages: bool) -> Lora:
    if lora.stage and not two_stages:
        raise _Unusable("This model has one stage; leave stage out.")
    path = _lora_file(lora)
    if path.suffix != ".safetensors":
        raise _Unusable(f"{path.name} is not a safetensors file.")
    _check_header(path)
    if not any(sign in tensor for tensor in header(path) for sign in _LORA_SIGNS):
        raise _Unusable(f"{path.name} contains no LoRA: none of its tensors is a low-rank factor.")
    return lora.model_copy(update={"path": str(path.absolute()), "file": ""})


def _lora_file(lora: Lora) -> Path:
    path = Path(lora.path).expanduser()
    if path.is_file():
        return path
    folder = path if path.is_dir() else _snapshot(lora.path)
    if folder is None:
        if lora.path.count("/") == 1 and not lora.path.startswith((".", "/", "~")):
            raise _Unusable(
                f"{lora.path} is not on this machine; get it with `hf download {lora.path}`."
            )
        raise _Unusable(f"There is no file {lora.path}.")
    if lora.file:
        if not (folder / lora.file).is_file():
            raise _Unusable(f"{lora.path} contains no file {lora.file}.")
        return folder / lora.file
    found = sorted(folder.rglob("*.safetensors"))
    if len(found) != 1:
        names = ", ".join(str(one.relative_to(folder)) for one in found[:6]) or "none"
        raise _Unusable(f"{lora.path} holds {len(found)} files ({names}): name one in `file`.")
    return found[0]


def _snapshot(name: str) -> Path | None:
    """Return the folder of the hub name ``name`` in the hub's cache."""
    home = hub_cache() / f"models--{name.replace('/', '--')}"
    reference = home / "refs" / "main"
    if name.count("/") != 1 or not reference.is_file():
        return None
    folder = home / "snapshots" / reference.read_text("utf-8").strip()
    return folder if folder.is_dir() else None


def _check_header(*paths: Path) -> None:
    try:
        for path in paths:
            if path.suffix == ".safetensors":
                header(path)
    except DamagedFile as error:
        raise _Unusable(str(error)) from error


def _check_gguf(name: str, path: Path) -> None:
    if not name.startswith(("transformer", "text_encoder")):
        raise _Unusable(
            f"diffusers cannot read a {name} from a GGUF file: use a safetensors file or a folder "
            f"in the diffusers layout, as the model's own {name}/ is."
        )
    if find_spec("gguf") is None:
        raise _Unusable("GGUF files need gguf: pip install gguf")
    with path.open("rb") as file:
        if file.read(4) != _GGUF_MAGIC:
            raise _Unusable(f"{path} is damaged or not a GGUF file.")


def _quantisation_problems(
    request: RenderRequest,
    values: Mapping[str, Any],
    facts: ModelFacts,
    stored_methods: Mapping[str, str],
) -> Iterator[FieldProblem]:
    asked = quantisation_of(request)
    for name in asked:
        where = "quantize" if isinstance(request.quantize, str) else f"quantize.{name}"
        if not isinstance(request.quantize, str) and facts.class_name and not _has(facts, name):
            yield FieldProblem(where, f"{facts.class_name} has no {name}.")
        if str(values.get(name, "")).endswith(".gguf"):
            told = f"The {name} is a GGUF file, which is quantised already."
            if is_text_encoder(name):
                told = f"The {name} is a GGUF file: leave quantize out for it."
            yield FieldProblem(where, told)
        if method := stored_methods.get(name):
            told = f"The {name} is quantised already, by {method}: leave quantize out for it."
            yield FieldProblem(where, told)
    for name, method in stored_methods.items():
        module, package = _PACKAGES.get(method, ("", ""))
        if module and find_spec(module) is None:
            told = f"The {name} is quantised by {method} and needs {package}: pip install {package}"
            yield FieldProblem(name if name in values else "model", told)
    for how in sorted(set(asked.values())):
        module, package = _QUANTISERS.get(how, ("", ""))
        if module and find_spec(module) is None:
            yield FieldProblem("quantize", f"{how} needs {package}: pip install {package}")
