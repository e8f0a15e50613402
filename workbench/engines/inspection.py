"""Reads one image or video in a separate process, limited in memory and time.

Started with ``facts PATH``, ``tag PATH NAME`` or ``preview PATH SIDE``: prints the answer as JSON, or an error.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from workbench.errors import DamagedFile, InvalidRequest
from workbench.helper_processes import WORKING_FOLDER, helper_command, helper_environment

__all__ = ["decode_apart", "preview_apart", "read_tag_apart"]

_TIMEOUT_S: Final = 60
_MEMORY_BYTES: Final = 3 << 30
"""Address space: the largest image that is accepted, twice at 16 bits, and the libraries."""
_TAG_LIMIT: Final = 8 << 20
_TOO_LARGE, _DAMAGED = 3, 4
_JPEG_QUALITY: Final = 85
_VIDEOS: Final = frozenset({".mp4", ".webm"})

Facts = tuple[Literal["image", "video"], int, int, int]
"""Kind, width, height, number of frames."""


def decode_apart(path: Path) -> Facts:
    """Decode the file at ``path`` in a separate process and return its facts.

    Raises ``InvalidRequest`` if it is too large, ``DamagedFile`` if it does not decode within 60 s
    and 3 GiB.
    """
    kind, width, height, num_frames = _ask("facts", path)
    return kind, width, height, num_frames


def read_tag_apart(path: Path, name: str) -> str:
    """Return a tag of the video at ``path``, read in a separate process; empty if it has none.

    Raises ``DamagedFile`` if the video does not open within 60 s and 3 GiB, or the tag is larger
    than 8 MiB.
    """
    return str(_ask("tag", path, name))


def preview_apart(path: Path, longest_side: int) -> str:
    """Return an image, or a video's last frame, as a base64 JPEG of at most ``longest_side`` pixels.

    It is decoded in a separate process. Raises as :func:`decode_apart` does.
    """
    return str(_ask("preview", path, str(longest_side)))


def _ask(what: str, path: Path, *further: str) -> Any:
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            helper_command("workbench.engines.inspection", what, str(path.resolve()), *further),
            cwd=WORKING_FOLDER,
            env=helper_environment(threads),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DamagedFile(f"{path.name} could not be decoded within {_TIMEOUT_S} s.") from error
    if done.returncode == 0:
        return json.loads(done.stdout)
    told = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    if done.returncode == _TOO_LARGE:
        raise InvalidRequest(told)
    raise DamagedFile(told)


def main(what: str, path: Path, *further: str) -> int:
    """Read the facts or a tag of ``path`` within limits, print them, return the exit status."""
    _bound()
    try:
        found = _READERS[what](path, *further)
        print(json.dumps(found))  # noqa: T201  the answer to the process that asks
    except (DamagedFile, MemoryError) as error:
        sys.stderr.write(f"{error or 'It needs too much memory to decode.'}\n")
        return _DAMAGED
    except InvalidRequest as error:
        sys.stderr.write(f"{error}\n")
        return _TOO_LARGE
    return 0


def _tag(path: Path, name: str) -> str:
    import av  # noqa: PLC0415  loaded in this process alone

    try:
        with av.open(str(path)) as container:
            text = container.metadata.get(name, "")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise DamagedFile(f"{path.name} is damaged: it cannot be opened as a video.") from error
    if len(text) > _TAG_LIMIT:
        raise DamagedFile(f"{path.name} is too large to be a recipe.")
    return text


def _facts(path: Path) -> Facts:
    if path.suffix in _VIDEOS:
        from workbench.engines.probe import probe_video  # noqa: PLC0415  loads PyAV

        facts = probe_video(path)
        return "video", facts.width, facts.height, facts.num_frames
    from workbench.engines.images import open_image  # noqa: PLC0415  loads OpenCV and PyAV

    height, width = open_image(path).shape[:2]
    return "image", width, height, 1


def _preview(path: Path, longest_side: str) -> str:
    import cv2  # noqa: PLC0415  loaded in this process alone

    from workbench.engines.images import start_frame  # noqa: PLC0415

    frame = start_frame(path)
    height, width = frame.shape[:2]
    scale = int(longest_side) / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return base64.b64encode(encoded.tobytes()).decode("ascii")


_READERS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {"facts": _facts, "tag": _tag, "preview": _preview}
)


def _bound() -> None:
    """Limit this process's memory and processor time, if the system can."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    for what, limit in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CPU, _TIMEOUT_S)):
        _, most = resource.getrlimit(what)
        resource.setrlimit(what, (limit if most < 0 else min(limit, most), most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
