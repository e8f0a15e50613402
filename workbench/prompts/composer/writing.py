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
_SHORT_WORDS: Final = 13
"""Words up to which an idea leaves room for a framing and for what it does not say itself; who wrote more
has chosen what is to be seen."""
_FOLLOWING: Final = frozenset({"view", "finish"})
"""Kinds that follow from a word for a viewpoint or a style, however much else is said."""


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
    """Return the prompt for what was read; nothing is added to a text in another language.

    The more the user has said, the less is added: whoever writes thirty words has chosen what is seen.
    """
    if reading.language:
        return Written((reading.text,), (), reading.scene)
    own = opening(reading)
    added = _added(reading, sum(len(sentence.split()) for sentence in own))
    values = {name: value for one in added for name, value in one.values}
    return Written(own, added, reading.scene.edit(values, origin=Origin.INFERRED))


def _added(reading: Reading, said: int) -> tuple[Support, ...]:
    """Return what is added to ``said`` words of the user's."""
    scene, room = reading.scene, _MOST_WORDS - said
    if said > _SHORT_WORDS or reading.unread:
        return supports(scene, most=1, room_words=room, kinds=_FOLLOWING)
    frame = framing(scene)
    if frame and len(frame.text.split()) > room:
        frame = None
    room -= len(frame.text.split()) if frame else 0
    return (*([frame] if frame else []), *supports(scene, room_words=room))
