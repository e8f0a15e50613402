"""Finds the language that an idea requests for its prompt: "write it in German, please"."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

__all__ = ["asked_language", "without_request"]


def asked_language(idea: str) -> str:
    """Return the language that ``idea`` requests for its prompt; empty if none."""
    return next((name for name, asked in _requests().items() if asked.search(idea)), "")


def without_request(idea: str) -> str:
    """Return ``idea`` without its request for a language."""
    for asked in _requests().values():
        idea = asked.sub(" ", idea)
    return idea


@cache
def _requests() -> Mapping[str, re.Pattern[str]]:
    folder = resources.files("workbench.prompts").joinpath("data")
    data = tomllib.loads(folder.joinpath("guard.toml").read_text("utf-8"))["asked_languages"]
    return {language: re.compile(asked, re.IGNORECASE) for language, asked in data.items()}
