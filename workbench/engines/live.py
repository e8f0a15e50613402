"""What an engine offers for a live world: frames that follow the keys held while they are seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from workbench.engines.pixels import Image

__all__ = ["LiveFeed", "LiveFrame"]


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """One frame of a live world."""

    picture: Image
    """RGB, H×W×3, ``uint8``."""
    led_by: str
    """The keys that led to it, such as ``jw``; empty for none."""
    note: str = ""
    """Why held keys had no effect."""

    def jpeg(self, quality: int) -> bytes:
        """Return the picture as JPEG, ``quality`` from 1 to 100."""
        from workbench.engines.posters import jpeg  # noqa: PLC0415  loads OpenCV

        return jpeg(self.picture, quality=quality)


class LiveFeed(Protocol):
    """A world that is steered while it is seen.

    An engine offers one by ``live(request, num_frames) -> LiveFeed``. :meth:`hold` and :meth:`close`
    may be called from any thread while another one iterates over :meth:`frames`.
    """

    rests: bool
    """Whether its time stands still while no frame is taken; a server's goes on."""
    repeats: bool
    """Whether the same keys bring back the same frames, bit for bit."""

    def hold(self, keys: str) -> None:
        """Hold these keys, sorted as in ``jw``, from the next possible frame on."""

    def frames(self) -> Iterator[LiveFrame]:
        """Yield frames at the rate of the request until closed; raises ``RenderError``."""

    def replay(self, led_by: Sequence[str]) -> dict[str, Any]:
        """Return the fields of the request that replays the frames which these keys led to.

        ``camera`` is a text of keys.
        """

    def close(self) -> None:
        """End :meth:`frames`."""
