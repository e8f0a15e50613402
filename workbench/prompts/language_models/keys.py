"""Stores endpoint keys: in the system's keyring, or in a file that only its owner can read.

Never inside ``outputs/``, so no index, recipe, export or backup of it holds a key.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, Final, Protocol

import keyring
from filelock import FileLock
from keyring.errors import KeyringError
from platformdirs import user_config_path

from workbench.errors import LanguageModelError

__all__ = ["FileKeys", "KeyringKeys", "Keys", "open_keys"]

_SERVICE: Final = "world-model-workbench"
_KEYRING_S: Final = 5.0
"""Maximum wait for a keyring, which may block on a password prompt."""


class Keys(Protocol):
    """Keys of endpoints by their address."""

    place: str
    """Where the keys are stored, in words for the user."""

    def get(self, base_url: str) -> str:
        """Return the key for ``base_url``; empty when there is none."""

    def put(self, base_url: str, key: str) -> None:
        """Keep ``key`` for ``base_url``; an empty key forgets it. Raises ``LanguageModelError``."""


def open_keys(folder: Path | None = None) -> Keys:
    """Return the system's keyring if it works, else a file in the user's configuration folder."""
    if folder is None and (ring := _working_keyring()) is not None:
        return KeyringKeys(ring)
    return FileKeys((folder or user_config_path(_SERVICE)) / "keys.json")


class KeyringKeys:
    """Keys in the system's keyring."""

    place = "the system's keyring"

    def __init__(self, ring: Any) -> None:
        self._ring = ring

    def get(self, base_url: str) -> str:
        """Return the key for ``base_url``; empty when there is none or the keyring is locked."""
        try:
            return _bounded(self._ring.get_password, _SERVICE, base_url) or ""
        except LanguageModelError:
            return ""

    def put(self, base_url: str, key: str) -> None:
        """Keep or forget the key for ``base_url``."""
        if key:
            _bounded(self._ring.set_password, _SERVICE, base_url, key)
        elif self.get(base_url):
            _bounded(self._ring.delete_password, _SERVICE, base_url)


class FileKeys:
    """Keys in one JSON file with mode 0600, in a folder with mode 0700."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def get(self, base_url: str) -> str:
        """Return the key for ``base_url``; empty when there is none or the file cannot be read."""
        return self._read().get(base_url, "")

    def put(self, base_url: str, key: str) -> None:
        """Keep or forget the key for ``base_url``; the file is replaced as a whole."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self._path.with_suffix(".lock"), timeout=_KEYRING_S, mode=0o600):
                kept = {name: value for name, value in self._read().items() if name != base_url}
                self._write({**kept, base_url: key} if key else kept)
        except (OSError, TimeoutError) as error:
            raise LanguageModelError(
                f"The key cannot be saved in {self._path} ({error}). "
                "Set WORKBENCH_LANGUAGE_API_KEY instead."
            ) from error

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {k: v for k, v in found.items() if isinstance(v, str)}

    def _write(self, keys: Mapping[str, str]) -> None:
        # mkstemp creates the file with mode 0600, so others can never read the key.
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".keys-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(keys, file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


def _working_keyring() -> Any | None:
    """Return the system's keyring; None if no secure one works."""
    ring = keyring.get_keyring()
    kind = type(ring).__module__
    if ring.priority <= 0 or kind.startswith(("keyring.backends.fail", "keyring.backends.null")):
        return None
    return None if kind.startswith("keyrings.alt") else ring


def _bounded(call: Any, *arguments: str) -> Any:
    """Call the keyring with a time limit; raises ``LanguageModelError``."""
    pool = ThreadPoolExecutor(1, "workbench-keyring")
    try:
        return pool.submit(call, *arguments).result(_KEYRING_S)
    except FutureTimeout:
        raise LanguageModelError("The system's keyring does not answer. Is it locked?") from None
    except (KeyringError, RuntimeError, OSError) as error:
        # Without the cause: a backend's message may hold the key.
        raise LanguageModelError(
            f"The system's keyring refused ({type(error).__name__})."
        ) from None
    finally:
        pool.shutdown(wait=False)
