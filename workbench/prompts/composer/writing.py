"""Writes a prompt: the user's words first, whole, then what can be seen of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workbench.prompts.composer.evidence import Support, framing, supports
from workbench.prompts.composer.opening import opening
from workbench.prompts.reading.reading import Reading
from workbench.scene import Origin, Scene

__all__ = ["Written", "write"]

_MOST_WORDS: Final = 110


@dataclass(frozen=True, slots=True)
class Written:
    """A prompt by its sentences: the user's own, then those that were added, each with its evidence."""

    own: tuple[str, ...]
    added: tuple[Support, ...]
    scene: Scene

    @property
    def text(self) -> str:
        """The whole prompt."""
        return " ".join([*self.own, *(one.text for one in self.added)])


def write(reading: Reading) -> Written:
    """Return the prompt for what was read; nothing is added to a text in another language."""
    if reading.language:
        return Written((reading.text,), (), reading.scene)
    own = opening(reading)
    scene = reading.scene
    room = _MOST_WORDS - sum(len(sentence.split()) for sentence in own)
    frame = framing(scene)
    if frame and len(frame.text.split()) > room:
        frame = None
    room -= len(frame.text.split()) if frame else 0
    added = (*([frame] if frame else []), *supports(scene, room_words=room))
    values = {name: value for one in added for name, value in one.values}
    return Written(own, added, scene.edit(values, origin=Origin.INFERRED))
