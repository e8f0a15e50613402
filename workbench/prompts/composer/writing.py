"""Writes a prompt: all of the user's words first, then visible details that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workbench.prompts.composer.evidence import Support, framing, supports
from workbench.prompts.composer.opening import opening
from workbench.prompts.reading.reading import Reading
from workbench.scene import Origin, Scene

__all__ = ["Written", "write"]

_MOST_WORDS: Final = 110
_SHORT_WORDS: Final = 13
"""Maximum words of an idea that gets a framing and details that it does not name itself."""
_FOLLOWING: Final = frozenset({"view", "finish"})
"""Kinds that follow from a word for a viewpoint or a style, whatever the length of the idea."""


@dataclass(frozen=True, slots=True)
class Written:
    """A prompt's sentences: the user's own, then the added ones, each with its evidence."""

    own: tuple[str, ...]
    added: tuple[Support, ...]
    scene: Scene

    @property
    def text(self) -> str:
        """The whole prompt."""
        return " ".join([*self.own, *(one.text for one in self.added)])


def write(reading: Reading) -> Written:
    """Return the prompt for ``reading``; nothing is added to a text in another language.

    The longer the idea, the less is added.
    """
    if reading.language:
        return Written((reading.text,), (), reading.scene)
    own = opening(reading)
    added = _added(reading, sum(len(sentence.split()) for sentence in own))
    values = {name: value for one in added for name, value in one.values}
    return Written(own, added, reading.scene.edit(values, origin=Origin.INFERRED))


def _added(reading: Reading, said: int) -> tuple[Support, ...]:
    """Return the sentences to add to an idea of ``said`` words."""
    scene, room = reading.scene, _MOST_WORDS - said
    if said > _SHORT_WORDS or reading.unread:
        return supports(scene, most=1, room_words=room, kinds=_FOLLOWING)
    frame = framing(scene)
    if frame and len(frame.text.split()) > room:
        frame = None
    room -= len(frame.text.split()) if frame else 0
    return (*([frame] if frame else []), *supports(scene, room_words=room))
