"""Fetches a model's files from the hub into the cache of the hub's library.

Loads no model. An interrupted download resumes; complete files are kept.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from importlib.util import find_spec
from threading import Lock
from typing import Any, Final

from workbench.downloads import OnProgress
from workbench.engines.diffusers.weights import Weights, find_weights, how_to_get, hub_cache
from workbench.errors import EngineUnavailable, FieldProblem, InvalidRequest
from workbench.settings import Settings

__all__ = ["check_fetchable", "fetch_model"]

_WANTED: Final = ("*.json", "*/*")
"""The index and the component folders; not the authors' single files."""

_UNWANTED: Final = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.msgpack", "*.h5", "*.onnx", "*.onnx_data",
                    "*.png", "*.jpg", "*.gif", "*.mp4", "*.md", ".*")  # fmt: skip
_AT_ONCE: Final = 4
_HUB_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


def fetch_model(
    model: str, settings: Settings, *, revision: str = "", on_progress: OnProgress | None = None
) -> Weights:
    """Fetch the hub's ``model`` and return its folder; present files are not fetched again.

    ``on_progress`` gets the bytes present and the total, from several threads, one at a time.
    Raises what :func:`check_fetchable` raises, ``InvalidRequest`` unless it is a diffusers
    pipeline, and ``EngineUnavailable``, with what to do, if the hub cannot be reached or the disk
    is too small.
    """
    check_fetchable(model, settings, revision)
    if find_spec("huggingface_hub") is None:
        raise EngineUnavailable(
            "Install the extra first: pip install 'world-model-workbench[diffusion]'"
        )
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # noqa: PLC0415  slow to import

    try:
        files = _files(model, revision)
        _check_space(model, sum(files.values()))
        _download(model, revision, files, on_progress or (lambda _here, _whole: None))
    except (OSError, httpx.HTTPError) as error:
        text = (
            f"{model} could not be fetched ({type(error).__name__}: {error}). Complete files are "
            "kept: try again."
        )
        raise EngineUnavailable(text) from error
    found = find_weights(model, revision)
    if found is None:
        raise EngineUnavailable(f"{model} was fetched, but is not in {hub_cache()}.")
    return found


def check_fetchable(model: str, settings: Settings, revision: str = "") -> None:
    """Raise ``InvalidRequest`` for an invalid hub name, ``EngineUnavailable`` without the hub."""
    if not _HUB_NAME.fullmatch(model):
        problem = f"{model!r} is not a hub name: write it as owner/name."
        raise InvalidRequest(problem, (FieldProblem("model", problem),))
    if not settings.allow_hub:
        raise EngineUnavailable(how_to_get(model, revision))


def _files(model: str, revision: str) -> dict[str, int]:
    """Return the files that a diffusers pipeline needs, each with its size in bytes."""
    import huggingface_hub  # noqa: PLC0415

    told = huggingface_hub.HfApi().model_info(model, revision=revision or None, files_metadata=True)
    found = {one.rfilename: int(one.size or 0) for one in told.siblings or ()}
    if not {"model_index.json", "modular_model_index.json"} & found.keys():
        problem = f"{model} is not a diffusers pipeline: it has no model_index.json."
        raise InvalidRequest(problem, (FieldProblem("model", problem),))
    return {
        name: size
        for name, size in found.items()
        if _fits(name, _WANTED) and not _fits(name, _UNWANTED)
    }


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name.lower(), pattern) for pattern in patterns)


def _check_space(model: str, total_bytes: int) -> None:
    """Raise ``EngineUnavailable`` if the missing files do not fit on the disk."""
    cache = hub_cache()
    cache.mkdir(parents=True, exist_ok=True)
    blobs = cache / f"models--{model.replace('/', '--')}" / "blobs"
    here = sum(file.stat().st_size for file in blobs.glob("*")) if blobs.is_dir() else 0
    free = shutil.disk_usage(cache).free
    if total_bytes - here > free:
        missing, left = (total_bytes - here) / (1 << 30), free / (1 << 30)
        text = (
            f"{model} needs {missing:.1f} GiB more, but {cache} has {left:.1f} GiB free: make room, "
            "or set HF_HOME to a larger disk."
        )
        raise EngineUnavailable(text)


def _download(model: str, revision: str, files: dict[str, int], on_progress: OnProgress) -> None:
    import huggingface_hub  # noqa: PLC0415
    from tqdm import tqdm  # noqa: PLC0415

    total = sum(files.values())
    here: dict[str, int] = {}
    lock = Lock()

    def count(name: str, size: int) -> None:
        with lock:
            here[name] = size
            on_progress(sum(here.values()), total)

    def fetch(name: str) -> None:
        class Progress(tqdm):  # type: ignore[misc]  # tqdm is untyped
            """Counts bytes instead of printing."""

            def update(self, n: float | None = 1) -> bool | None:
                shown: bool | None = super().update(n)
                count(name, int(self.n))
                return shown

            def display(self, *_arguments: Any, **_options: Any) -> bool:
                return True

        huggingface_hub.hf_hub_download(model, name, revision=revision or None, tqdm_class=Progress)
        count(name, files[name])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(fetch, sorted(files, key=files.__getitem__)):
            pass
