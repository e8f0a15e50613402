"""Detects an answer that repeats the instructions that were given to the model."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from workbench.lexicon.words import tokens

__all__ = ["instruction", "repeats_instruction"]

_WORDS: Final = 6
"""Words in a row that make a passage."""
_MOST_PASSAGES: Final = 1


def repeats_instruction(text: str) -> bool:
    """Tell whether ``text`` has passages of the instructions, word for word."""
    return len(_passages(text) & _given()) > _MOST_PASSAGES


@cache
def instruction(name: str) -> str:
    """Return the instruction for the task ``name``."""
    folder = resources.files("workbench.prompts").joinpath("instructions")
    return folder.joinpath(f"{name}.txt").read_text("utf-8").strip()


@cache
def _given() -> frozenset[tuple[str, ...]]:
    tasks = ("common", "enhance", "complete", "vary")
    return frozenset(passage for task in tasks for passage in _passages(instruction(task)))


def _passages(text: str) -> set[tuple[str, ...]]:
    words = [token.lower() for token in tokens(text)]
    return {tuple(words[at : at + _WORDS]) for at in range(len(words) - _WORDS + 1)}
