"""Reads one image or video in a separate process, limited in memory and time.

Started with ``facts PATH`` or ``tag PATH NAME``: prints the answer as JSON, or an error.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Literal

from workbench.errors import DamagedFile, InvalidRequest
from workbench.helper_processes import WORKING_FOLDER, helper_command, helper_environment

__all__ = ["decode_apart", "read_tag_apart"]

_TIMEOUT_S: Final = 60
_MEMORY_BYTES: Final = 3 << 30
"""Address space: the largest image that is accepted, twice at 16 bits, and the libraries."""
_TAG_LIMIT: Final = 8 << 20
_TOO_LARGE, _DAMAGED = 3, 4
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
        raise DamagedFile(f"{path.name} did not decode within {_TIMEOUT_S} s.") from error
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
        found = _tag(path, *further) if what == "tag" else _facts(path)
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
        raise DamagedFile(f"{path.name} is damaged: it does not open as a video.") from error
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
