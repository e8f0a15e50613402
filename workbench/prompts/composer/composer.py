"""The composer's face: enhance a rough prompt, read a prompt's scene. Deterministic for a seed."""

from __future__ import annotations

import hashlib
import random

from workbench.prompts.composer.completing import complete
from workbench.prompts.composer.reading import Reading, clean, read
from workbench.prompts.composer.writing import write
from workbench.prompts.model import Draft
from workbench.scene import Scene

__all__ = ["NAME", "enhance", "message_about", "rng_for", "scene_of"]

NAME = "builtin"


def enhance(rough: str, *, seed: int = 0) -> Draft:
    """Return ``rough`` as a full prompt with its completed scene."""
    reading = read(rough)
    rng = rng_for(reading.text, seed)
    scene = complete(reading.scene, rng, reading.text, is_read=not reading.is_unread)
    return Draft(
        prompt=write(reading, scene, rng),
        scene=scene,
        provider=NAME,
        message=message_about(reading),
    )


def scene_of(prompt: str) -> Scene:
    """Return what ``prompt`` says as a scene; fields that it does not mention stay empty."""
    return read(clean(prompt)).scene


def message_about(reading: Reading) -> str:
    """Return what the user should know about how the text was read; empty when nothing."""
    notes = []
    if reading.slips:
        taken = ", ".join(f"“{slip}” as “{word}”" for slip, word in reading.slips[:5])
        notes.append(f"Read {taken}.")
    if reading.unread:
        shown = ", ".join(reading.unread[:5])
        notes.append(f"Kept as written, but not understood: {shown}.")
    return " ".join(notes)


def rng_for(*parts: object) -> random.Random:
    """Return a random source that depends on ``parts`` alone, on every machine alike."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))
