"""The catalogue of language models: whole entries, and fetching that says what to do instead."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import huggingface_hub
import pytest

from workbench.errors import LanguageModelError, NotFound
from workbench.prompts.language_models import catalog as catalog_module
from workbench.prompts.language_models.catalog import CatalogModel, catalog, fetch

CONTENT = b"GGUF and the rest of a small model"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> CatalogModel:
    """A catalogue of one small file, and an empty cache."""
    model = CatalogModel(
        name="Small",
        repository="somebody/small-GGUF",
        file="small.gguf",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="MIT",
        kv_bytes=1,
        good_at="tests",
    )
    monkeypatch.setattr(catalog_module, "catalog", lambda: (model,))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_asked: None)
    return model


def hub_that_sends(content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(repository: str, file: str, *, tqdm_class: type) -> str:
        path = folder / repository.replace("/", "--") / file
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        bar = tqdm_class(total=len(content))
        bar.update(len(content))
        bar.close()
        return str(path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)


def test_every_entry_names_one_gguf_file_with_its_digest_and_licence() -> None:
    assert len(catalog()) >= 3
    for model in catalog():
        assert model.file.endswith(".gguf")
        assert len(bytes.fromhex(model.sha256)) == 32
        assert model.licence
        assert model.bytes < model.memory_bytes < 2 * model.bytes + (4 << 30)
    assert [m.bytes for m in catalog()] == sorted(m.bytes for m in catalog())


def test_without_the_hub_the_command_that_fetches_it_is_told(small: CatalogModel) -> None:
    with pytest.raises(LanguageModelError, match=re.escape(small.command)):
        fetch(small.name, allow_hub=False)


def test_a_fetched_file_is_checked_and_its_progress_told(
    small: CatalogModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_that_sends(CONTENT, tmp_path, monkeypatch)
    told: list[tuple[int, int]] = []
    path = fetch(small.name, allow_hub=True, on_progress=lambda *at: told.append(at))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_not_the_one_named_is_refused(
    small: CatalogModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_that_sends(b"something else", tmp_path, monkeypatch)
    with pytest.raises(LanguageModelError, match="damaged"):
        fetch(small.name, allow_hub=True)


def test_a_hub_that_does_not_answer_is_told_with_the_command(
    small: CatalogModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_arguments: object, **_options: object) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(LanguageModelError, match="hf download"):
        fetch(small.name, allow_hub=True)


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(NotFound, match="Qwen3 8B"):
        fetch("no such model", allow_hub=False)
