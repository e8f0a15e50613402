"""The choice of a language model: data without a key, and a default for one outputs/."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.prompts.language_models.test_discovery import answers, closed_port, models, server
from workbench.prompts.language_models.checking import check_endpoint
from workbench.prompts.language_models.choice import LanguageChoice, read_default, write_default
from workbench.settings import Settings

ENDPOINT = LanguageChoice(
    provider="openai", model="qwen3:8b", base_url="http://127.0.0.1:11434/v1", server="Ollama"
)


def test_nothing_chosen_is_the_built_in_composer(tmp_path: Path) -> None:
    choice = read_default(Settings(outputs=tmp_path, language_provider="builtin"))
    assert choice.label == "built-in composer"


def test_a_default_is_read_by_every_later_process_of_the_outputs_folder(tmp_path: Path) -> None:
    write_default(Settings(outputs=tmp_path), ENDPOINT)
    assert read_default(Settings(outputs=tmp_path)) == ENDPOINT
    assert ENDPOINT.label == "qwen3:8b (Ollama)"


@pytest.mark.parametrize("content", ["", "{", '{"provider": "magic"}', '{"provider": "openai"}'])
def test_a_damaged_default_falls_back_to_the_settings(content: str, tmp_path: Path) -> None:
    settings = Settings(
        outputs=tmp_path, language_provider="openai", language_model="m", language_base_url="http://h/v1"
    )  # fmt: skip
    write_default(settings, ENDPOINT)
    (settings.index_path.parent / "language.json").write_text(content, "utf-8")
    assert read_default(settings).model == "m"


@pytest.mark.parametrize(
    "values", [{"provider": "openai", "model": "m"}, {"provider": "transformers"}, {"api_key": "k"}]
)
def test_half_a_choice_and_a_key_in_it_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        LanguageChoice.model_validate(values)


def test_the_key_of_one_endpoint_is_never_sent_to_another(tmp_path: Path) -> None:
    settings = Settings(
        outputs=tmp_path,
        language_provider="openai",
        language_model="m",
        language_base_url="https://paid.example.com/v1",
        language_api_key="s3cret",
    )
    assert ENDPOINT.applied(settings).language_api_key.get_secret_value() == ""
    assert ENDPOINT.applied(settings, "other").language_api_key.get_secret_value() == "other"
    own = LanguageChoice.of(settings)
    assert own.applied(settings).language_api_key.get_secret_value() == "s3cret"


def test_checking_an_endpoint_says_what_is_wrong_with_it() -> None:
    with server(answers(200, models("llava"))) as port:
        url = f"http://127.0.0.1:{port}"
        check = asyncio.run(
            check_endpoint(LanguageChoice(provider="openai", model="x", base_url=url))
        )
    assert not check.answers
    assert "llava" in check.message
    gone = LanguageChoice(
        provider="openai", model="x", base_url=f"http://127.0.0.1:{closed_port()}"
    )
    check = asyncio.run(check_endpoint(gone))
    assert not check.answers
    assert "cannot be reached" in check.message
