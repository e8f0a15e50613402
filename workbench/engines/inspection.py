"""Decodes one image or video in a process of its own, bounded in memory and time.

Started as ``python -m workbench.engines.inspection PATH``: prints the facts as JSON, or an error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final, Literal

from workbench.errors import DamagedFile, InvalidRequest

__all__ = ["decode_apart"]

_TIMEOUT_S: Final = 60
_MEMORY_BYTES: Final = 3 << 30
"""Address space: the largest image that is accepted, twice at 16 bits, and the libraries."""
_TOO_LARGE, _DAMAGED = 3, 4
_VIDEOS: Final = frozenset({".mp4", ".webm"})

Facts = tuple[Literal["image", "video"], int, int, int]
"""Kind, width, height, number of frames."""


def decode_apart(path: Path) -> Facts:
    """Decode the file at ``path`` in a process of its own and return its facts.

    Raises ``InvalidRequest`` if it is too large, ``DamagedFile`` if it does not decode within 60 s
    and 3 GiB.
    """
    command = [sys.executable, "-P", "-m", "workbench.engines.inspection", str(path.resolve())]
    surroundings = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=os.sep,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DamagedFile(f"{path.name} did not decode within {_TIMEOUT_S} s.") from error
    if done.returncode == 0:
        kind, width, height, num_frames = json.loads(done.stdout)
        return kind, width, height, num_frames
    told = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    if done.returncode == _TOO_LARGE:
        raise InvalidRequest(told)
    raise DamagedFile(told)


def main(path: Path) -> int:
    """Decode ``path`` within bounds, print its facts and return the exit status."""
    _bound()
    try:
        print(json.dumps(_facts(path)))  # noqa: T201  the answer to the process that asks
    except (DamagedFile, MemoryError) as error:
        sys.stderr.write(f"{error or 'It needs too much memory to decode.'}\n")
        return _DAMAGED
    except InvalidRequest as error:
        sys.stderr.write(f"{error}\n")
        return _TOO_LARGE
    return 0


def _facts(path: Path) -> Facts:
    if path.suffix in _VIDEOS:
        from workbench.engines.probe import probe_video  # noqa: PLC0415  loads PyAV

        facts = probe_video(path)
        return "video", facts.width, facts.height, facts.num_frames
    from workbench.engines.images import open_image  # noqa: PLC0415  loads OpenCV and PyAV

    height, width = open_image(path).shape[:2]
    return "image", width, height, 1


def _bound() -> None:
    """Limit this process's memory and processor time, where the system can."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    for what, limit in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CPU, _TIMEOUT_S)):
        _, most = resource.getrlimit(what)
        resource.setrlimit(what, (limit if most < 0 else min(limit, most), most))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
