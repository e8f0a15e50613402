"""A key typed on the screen: used, and nowhere in what the page or a saved notebook keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import workbench
from tests.prompts.misbehaving import KEY, Misbehaving, Reply
from tests.prompts.test_language_models import GOOD, TEXT
from tests.widgets.talk import Talk
from workbench.settings import Settings
from workbench.studio import Studio


def test_a_key_is_used_and_stands_in_no_message_and_no_state_of_the_widget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    settings = Settings(outputs=tmp_path / "outputs", language_provider="builtin")
    with Misbehaving.running() as endpoint, Studio(settings) as studio:
        endpoint.answers(Reply(GOOD))
        bench = workbench.Workbench(using=studio)
        try:
            talk = Talk(bench)
            chosen = talk.ask("use_language", name="fake", base_url=endpoint.base_url, api_key=KEY)
            assert not chosen.get("error"), chosen
            written = talk.ask("enhance", text="dog running")
            assert not written.get("error"), written
            talk.ask("test_language", name="fake", base_url=endpoint.base_url, api_key=KEY)
            talk.ask("use_language", name="fake", base_url="ftp://nowhere", api_key=KEY)
            talk.ask("language")
            assert talk.entries[0]["prompt"] == TEXT
            assert endpoint.requests[0]["authorization"] == f"Bearer {KEY}"
            kept = json.dumps([bench.get_state(), talk.told], default=str)
        finally:
            bench.close()
    assert TEXT in kept
    assert KEY not in kept
