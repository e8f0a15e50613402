"""Whether a value names a local file, which a page, a request or a language model may not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from workbench.rendering import NAMING_OPTIONS, Lora

__all__ = ["names_path"]

_PATH_FORM: Final = re.compile(
    r"\A(?:[/~.\\]|file:|[a-z]:[/\\])|(?:\A|[/\\])\.\.(?:[/\\]|\Z)|\\|\0"
    r"|/.*/|\.(?:safetensors|gguf|bin|ckpt|pth?|json)\Z",
    re.IGNORECASE,
)
"""Matches what is not a hub name: ``owner/name`` has one slash and no file suffix."""


def names_path(value: Any) -> bool:
    """Tell whether a value, or one inside it, is a path."""
    if isinstance(value, Mapping):
        return bool(set(NAMING_OPTIONS) & set(value)) or any(map(names_path, value.values()))
    if isinstance(value, list | tuple):
        return any(map(names_path, value))
    if isinstance(value, Lora):
        # A file in a hub repository may have folders and a suffix, but must stay inside.
        return names_path(value.path) or value.file.startswith(("/", "~")) or ".." in value.file
    return isinstance(value, str) and _is_path(value.strip())


def _is_path(text: str) -> bool:
    """Tell whether a text looks like a path, or names an existing file."""
    if _PATH_FORM.search(text):
        return True
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):
        return False
