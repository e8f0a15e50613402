"""A language model for each session: kept, heeded by every process, connected once, and let go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.prompts.agent.scripted import Scripted, say, scripted
from workbench.errors import InvalidRequest, NotFound
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.prompts.language_models.session_language import SessionLanguage
from workbench.prompts.store import PromptStore
from workbench.settings import Settings
from workbench.studio import Studio

TEXT = "A red fox trots through deep snow at dawn, its breath steaming in the first light."
IDEA = "red fox in deep snow at dawn"


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the keys of the person who runs the tests out of this."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture
def fox() -> Iterator[Scripted]:
    with scripted([say(json.dumps({"prompt": TEXT, "scene": {"subject": "a fox"}}))]) as script:
        yield script


def _settings(folder: Path) -> Settings:
    return Settings(outputs=folder / "outputs", language_provider="builtin")


def _endpoint(script: Scripted, model: str = "m") -> LanguageChoice:
    return LanguageChoice(provider="openai", model=model, base_url=script.base_url)


def test_every_process_heeds_the_choice_of_a_session(tmp_path: Path, fox: Scripted) -> None:
    with Studio(_settings(tmp_path)) as one, Studio(_settings(tmp_path)) as other:
        session_id = one.run(one.choose_language(_endpoint(fox)))
        _, entry = other.run(other.enhance(IDEA, session_id))
        assert entry.prompt == TEXT
        other.run(other.choose_language(LanguageChoice(), session_id))
        _, entry = one.run(one.enhance(IDEA, session_id))
        assert entry.provider == "builtin"


def test_a_session_that_follows_the_default_follows_a_new_one(
    tmp_path: Path, fox: Scripted
) -> None:
    with Studio(_settings(tmp_path)) as studio:
        session_id, _ = studio.run(studio.enhance(IDEA))
        assert studio.run(studio.choose_language(_endpoint(fox), as_default=True)) is None
        _, entry = studio.run(studio.enhance(IDEA, session_id))
        assert entry.prompt == TEXT
        studio.run(studio.choose_language(LanguageChoice(), session_id))
        studio.run(studio.choose_language(_endpoint(fox), session_id, as_default=True))
        assert studio.language.own_choice(session_id) is None


def test_what_cannot_be_chosen_changes_nothing(tmp_path: Path, fox: Scripted) -> None:
    with Studio(_settings(tmp_path)) as studio:
        with pytest.raises(NotFound):
            studio.run(studio.choose_language(_endpoint(fox), "s_" + "0" * 20))
        session_id, _ = studio.run(studio.enhance(IDEA))
        gone = LanguageChoice(provider="local", model=str(tmp_path / "gone.gguf"))
        with pytest.raises(InvalidRequest):
            studio.run(studio.choose_language(gone, session_id, as_default=True))
        assert studio.language.choice(session_id).provider == "builtin"
        assert studio.language.choice().provider == "builtin"


def test_a_session_started_for_a_choice_is_not_listed_before_it_has_a_prompt(
    tmp_path: Path, fox: Scripted
) -> None:
    with Studio(_settings(tmp_path)) as studio:
        session_id = studio.run(studio.choose_language(_endpoint(fox)))
        assert studio.sessions.sessions() == ()
        studio.run(studio.enhance(IDEA, session_id))
        assert [one.session_id for one in studio.sessions.sessions()] == [session_id]


def test_what_an_endpoint_has_shown_is_known_to_every_session_that_has_it(
    tmp_path: Path, fox: Scripted
) -> None:
    with Studio(_settings(tmp_path)) as studio:
        first = studio.run(studio.choose_language(_endpoint(fox)))
        second = studio.run(studio.choose_language(_endpoint(fox)))
        assert studio.language.writer(first) is studio.language.writer(second)
        assert studio.language.writer(first) is not studio.language.writer()


def test_many_choices_do_not_leave_many_connections(tmp_path: Path, fox: Scripted) -> None:
    settings = _settings(tmp_path)
    language = SessionLanguage(settings, PromptStore(settings.index_path))

    async def choose_many() -> int:
        made: list[Any] = []
        for number in range(20):
            await language.choose(_endpoint(fox, f"m{number}"), as_default=True)
            writer = language.writer()
            await writer.enhance(IDEA)
            made.append(writer.endpoint)
        await language.choose(LanguageChoice(), as_default=True)
        still_open = sum(one._client is not None for one in made)
        await language.close()
        return still_open

    assert 0 < asyncio.run(choose_many()) <= 8


def test_a_notebook_sees_chooses_and_tests_language_models(tmp_path: Path, fox: Scripted) -> None:
    with Studio(_settings(tmp_path)) as studio:
        session = wb.enhance(IDEA, using=studio)
        found = wb.language_models(session)
        assert found.choice.label == "built-in composer"
        assert "Prompts by: built-in composer" in repr(found)
        used = found.use("m", url=fox.base_url, key="s3cret-1234")
        assert used.choice.model == "m"
        assert "s3cret" not in repr(used)
        assert wb.language_models(using=studio).choice.provider == "builtin"
        assert not found.test("m", url=fox.base_url).answers  # this one has no list of models
        assert wb.language_models(using=studio).test().answers
