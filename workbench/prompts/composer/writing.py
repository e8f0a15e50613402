"""Writes a prompt: the user's words first, whole, then what can be seen of them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.prompts.composer.evidence import Support, framing, supports
from workbench.prompts.composer.opening import opening
from workbench.prompts.reading.reading import Reading
from workbench.scene import Origin, Scene

__all__ = ["Written", "write"]

_MOST_WORDS = 110


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
    own = (reading.text,) if reading.language else opening(reading)
    if reading.language:
        return Written(own, (), reading.scene)
    scene = reading.scene
    words = sum(len(sentence.split()) for sentence in own)
    added: list[Support] = []
    frame = framing(scene)
    for one in (*supports(scene), *([frame] if frame else [])):
        words += len(one.text.split())
        if words > _MOST_WORDS:
            break
        added.append(one)
    values = {name: value for one in added for name, value in one.values}
    return Written(own, tuple(added), scene.edit(values, origin=Origin.INFERRED))
