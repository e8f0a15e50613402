"""The catalogue of language models, and fetching one where the hub is allowed.

Files go to the hub's own cache, which other programs share. Knows nothing of how models run.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from workbench.downloads import OnProgress
from workbench.errors import LanguageModelError, NotFound
from workbench.prompts.language_models.local.llama_server import CONTEXT_TOKENS

__all__ = ["CatalogModel", "catalog", "fetch", "named", "refusal_of"]

_OVERHEAD_BYTES: Final = 600 << 20
"""Memory of llama.cpp beyond weights and context."""
_PIECE: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """One GGUF file on the hub."""

    name: str
    repository: str
    file: str
    bytes: int
    sha256: str
    licence: str
    kv_bytes: int
    """Bytes of memory for each token of context."""
    good_at: str

    @property
    def memory_bytes(self) -> int:
        """GPU or host memory that it needs."""
        return self.bytes + self.kv_bytes * CONTEXT_TOKENS + _OVERHEAD_BYTES

    @property
    def command(self) -> str:
        """The command that fetches it, for a machine with access to the hub."""
        return f"hf download {self.repository} {self.file}"

    @property
    def path(self) -> Path | None:
        """Its path in the hub's cache; None unless it is complete."""
        hub = _hub()
        found = None if hub is None else hub.try_to_load_from_cache(self.repository, self.file)
        if not isinstance(found, str):
            return None
        path = Path(found)
        return path if path.is_file() and path.stat().st_size == self.bytes else None


@cache
def catalog() -> tuple[CatalogModel, ...]:
    """Return the models of the catalogue, smallest first."""
    text = resources.files(__package__).joinpath("catalog.toml").read_text("utf-8")
    return tuple(CatalogModel(**one) for one in tomllib.loads(text)["model"])


def named(name: str) -> CatalogModel:
    """Return the model of the catalogue with this name or file; raises ``NotFound``."""
    model = next((one for one in catalog() if name in {one.name, one.file}), None)
    if model is None:
        known = ", ".join(one.name for one in catalog())
        raise NotFound("language model", name, f"There is no {name!r}; there are {known}.")
    return model


def refusal_of(model: CatalogModel) -> str:
    """Return the message, with the command to run, for when the hub is not allowed."""
    return f"Fetching from the hub is switched off (WORKBENCH_ALLOW_HUB). Run: {model.command}"


def fetch(name: str, *, allow_hub: bool, on_progress: OnProgress | None = None) -> Path:
    """Return the file of the catalogue's model ``name``, fetched if missing.

    An interrupted download resumes. Raises ``NotFound`` for a name that the catalogue lacks, and
    ``LanguageModelError``, with the command to run instead, if the hub is not allowed, does not
    answer, or sends something else.
    """
    model = named(name)
    if (path := model.path) is not None:
        return path
    if not allow_hub:
        raise LanguageModelError(refusal_of(model))
    path = _download(model, on_progress or (lambda _here, _whole: None))
    if _sha256(path) != model.sha256:
        raise LanguageModelError(f"{path} is damaged. Remove it, then run: {model.command}")
    return path


def _download(model: CatalogModel, on_progress: OnProgress) -> Path:
    hub = _hub()
    if hub is None:
        raise LanguageModelError(
            'Install the extra first: pip install "world-model-workbench[local-llm]"'
        )
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # noqa: PLC0415  as the library itself
    from tqdm import tqdm  # noqa: PLC0415  only a download needs it

    class Progress(tqdm):  # type: ignore[misc]  # tqdm is untyped
        """Reports the progress instead of printing it."""

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            on_progress(int(self.n), model.bytes)
            return shown

        def display(self, *_arguments: Any, **_options: Any) -> bool:
            return True

    try:
        return Path(hub.hf_hub_download(model.repository, model.file, tqdm_class=Progress))
    except (OSError, ValueError, httpx.HTTPError) as error:
        kind = type(error).__name__
        raise LanguageModelError(
            f"The hub cannot be reached ({kind}). Run: {model.command}"
        ) from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _hub() -> Any | None:
    try:
        import huggingface_hub  # noqa: PLC0415  part of an extra, and slow to import
    except ImportError:
        return None
    return huggingface_hub
