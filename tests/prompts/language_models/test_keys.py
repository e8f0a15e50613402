"""API keys of endpoints are stored where only their owner can read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from workbench.errors import LanguageModelError
from workbench.prompts.language_models.keys import FileKeys, KeyringKeys, open_keys

URL = "https://api.example.com/v1"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_found_again_by_a_later_process(tmp_path: Path) -> None:
    FileKeys(tmp_path / "keys.json").put(URL, "s3cret")
    FileKeys(tmp_path / "keys.json").put("http://other/v1", "0ther")
    assert FileKeys(tmp_path / "keys.json").get(URL) == "s3cret"
    assert FileKeys(tmp_path / "keys.json").get("http://unknown/v1") == ""


def test_the_file_is_readable_by_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileKeys(tmp_path / "deep" / "keys.json").put(URL, "s3cret")
    finally:
        os.umask(before)
    kept = [p for p in (tmp_path / "deep").iterdir() if p.is_file()]
    assert [mode_of(p) for p in kept] == [0o600] * len(kept)
    assert mode_of(tmp_path / "deep") == 0o700


def test_an_empty_key_forgets_it(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    keys.put(URL, "s3cret")
    keys.put(URL, "")
    assert keys.get(URL) == ""
    assert "s3cret" not in (tmp_path / "keys.json").read_text("utf-8")


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"a": 3}'])
def test_a_damaged_file_is_no_error_and_is_replaced_by_the_next_key(
    content: str, tmp_path: Path
) -> None:
    (tmp_path / "keys.json").write_text(content, "utf-8")
    keys = FileKeys(tmp_path / "keys.json")
    assert keys.get(URL) == ""
    keys.put(URL, "s3cret")
    assert keys.get(URL) == "s3cret"


def test_a_folder_that_cannot_be_written_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    keys = FileKeys(tmp_path / "file" / "keys.json")
    with pytest.raises(LanguageModelError, match="WORKBENCH_LANGUAGE_API_KEY") as told:
        keys.put(URL, "s3cret")
    assert "s3cret" not in str(told.value)


class Ring:
    """A keyring of the system, in memory."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.held.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        if password == "n0-entry":
            raise RuntimeError(f"cannot keep {password}")
        self.held[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        del self.held[service, name]


def test_a_system_keyring_keeps_and_forgets() -> None:
    ring = Ring()
    keys = KeyringKeys(ring)
    keys.put(URL, "s3cret")
    assert keys.get(URL) == "s3cret"
    keys.put(URL, "")
    keys.put(URL, "")
    assert ring.held == {}


def test_a_keyring_that_refuses_does_not_tell_the_key() -> None:
    with pytest.raises(LanguageModelError) as told:
        KeyringKeys(Ring()).put(URL, "n0-entry")
    assert "n0-entry" not in str(told.value)


def test_without_a_keyring_the_keys_lie_in_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    keys = open_keys(tmp_path)
    keys.put(URL, "s3cret")
    assert keys.place == str(tmp_path / "keys.json")
