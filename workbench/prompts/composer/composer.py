"""The composer's interface: enhances a rough prompt, reads a prompt's scene. Deterministic."""

from __future__ import annotations

import hashlib
import random

from workbench.prompts.composer.writing import write
from workbench.prompts.model import Draft
from workbench.prompts.reading.reader import clean, read
from workbench.prompts.reading.reading import Reading
from workbench.scene import Scene

__all__ = ["NAME", "enhance", "message_about", "rng_for", "scene_of"]

NAME = "builtin"


def enhance(rough: str, *, seed: int = 0) -> Draft:
    """Return ``rough`` as a full prompt with its scene; ``seed`` is unused."""
    del seed  # enhancing uses no random numbers
    written = write(read(rough))
    return Draft(
        prompt=written.text,
        scene=written.scene,
        provider=NAME,
        message=message_about(read(rough)),
    )


def scene_of(prompt: str) -> Scene:
    """Return what ``prompt`` says as a scene; fields that it does not mention stay empty."""
    return read(clean(prompt)).scene


def message_about(reading: Reading) -> str:
    """Return what the user should know about how the text was read, or an empty string."""
    if reading.language:
        return _about_language(reading)
    notes = []
    if reading.slips:
        taken = ", ".join(f"“{slip}” as “{word}”" for slip, word in reading.slips[:5])
        notes.append(f"Read {taken}.")
    if reading.unread:
        shown = ", ".join(f"“{words}”" for words in reading.unread[:5])
        notes.append(f"Kept as written, but not understood: {shown}.")
    return " ".join(notes)


def _about_language(reading: Reading) -> str:
    name = reading.language if reading.language[0].isupper() else "another language"
    understood = ", ".join(f"{word} ({english})" for word, english in reading.known[:6])
    read = f"Read of it: {understood}. " if understood else ""
    return (
        f"Kept word for word: this is {name}, which the built-in composer does not write. {read}"
        "A language model reads and enhances it whole: connect one under Language model, or with "
        "WORKBENCH_LANGUAGE_PROVIDER (docs/prompts.md)."
    )


def rng_for(*parts: object) -> random.Random:
    """Return a random source seeded by ``parts``; the same on every machine."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))
