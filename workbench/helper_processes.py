"""Starts all helper processes: supervisor, workers, scorer, bridge, language models.

A helper must start whatever the user's environment is. It runs in ``/`` without the current folder
on its import path, in UTF-8, with a temporary folder that exists, and bypasses proxies for
loopback. ``helper_main`` restores signals and limits before anything else is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from workbench.helper_main import PARENT

__all__ = [
    "WORKING_FOLDER",
    "helper_command",
    "helper_environment",
    "start_detached",
    "start_helper",
]

WORKING_FOLDER: Final = "/"
_PYTHON: Final = (sys.executable, "-P", str(Path(__file__).with_name("helper_main.py")))
_SHELL: Final = "/bin/sh"
_LAUNCH_LIMIT_S: Final = 10.0
_LONGEST_TEMPORARY: Final = 60
"""Characters: libraries put sockets below the temporary folder, whose paths hold 107 bytes."""
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_MISLEADING: Final = (
    "PYTHONCASEOK",
    "PYTHONINSPECT",
    "PYTHONIOENCODING",  # a render's log must accept any text
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",  # as errors, they would keep libraries from being imported
)


def helper_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module`` as a helper process."""
    return [*_PYTHON, module, *arguments]


def helper_environment(
    changes: Mapping[str, str] | None = None, *, fallback: Path | None = None
) -> dict[str, str]:
    """Return this process's environment with ``changes``, fit for a helper.

    ``fallback`` is the temporary folder if the machine has no usable one.
    """
    environment = {**os.environ, **(changes or {})}
    for name in _MISLEADING:
        environment.pop(name, None)
    environment["PYTHONUTF8"] = "1"
    _set(environment, "PYTHONPATH", _import_path(environment.get("PYTHONPATH", "")))
    home = environment.get("PYTHONHOME", "").split(os.pathsep)[0]
    if not home or Path(home).resolve() != Path(sys.base_prefix).resolve():
        environment.pop("PYTHONHOME", None)  # set after this process started
    _set(environment, "TMPDIR", _temporary_folder(environment.get("TMPDIR", ""), fallback))
    if any(name.lower().endswith("_proxy") for name in environment):
        for name in ("no_proxy", "NO_PROXY"):
            environment[name] = _without_loopback(environment.get(name, ""))
    return environment


def start_helper(
    module: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    output: IO[Any] | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``module`` in a session of its own, to end with this process; raises ``OSError``.

    The calling thread must live as long as the helper should. The helper's output goes to
    ``output``, or to this process's output.
    """
    return subprocess.Popen(
        [*_PYTHON, f"{PARENT}{os.getpid()}", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
        start_new_session=True,
        cwd=WORKING_FOLDER,
        env=helper_environment(environment),
    )


def start_detached(
    module: str,
    *,
    environment: Mapping[str, str],
    errors: int,
    fallback: Path | None = None,
) -> int:
    """Start ``module`` so that it outlives this process, and return its pid.

    Its output goes to the descriptor ``errors`` until it opens a log of its own. Raises
    ``OSError`` or ``subprocess.SubprocessError``.
    """
    # The intermediate shell exits at once, so that init adopts and reaps the helper.
    script = '"$0" "$@" >&2 & echo $!'
    done = subprocess.run(
        [_SHELL, "-c", script, *helper_command(module)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        cwd=WORKING_FOLDER,
        env=helper_environment(environment, fallback=fallback),
        timeout=_LAUNCH_LIMIT_S,
    )
    return int(done.stdout)


def _set(environment: dict[str, str], name: str, value: str) -> None:
    if value:
        environment[name] = value
    else:
        environment.pop(name, None)


def _import_path(path: str) -> str:
    """Return PYTHONPATH without the current folder: neither an empty entry nor a relative ``.``."""
    kept = [entry for entry in path.split(os.pathsep) if entry and os.path.normpath(entry) != "."]
    try:
        return os.pathsep.join(str(Path(entry).absolute()) for entry in kept)
    except FileNotFoundError:  # the current folder was removed, so relative entries lead nowhere
        return os.pathsep.join(entry for entry in kept if Path(entry).is_absolute())


def _temporary_folder(named: str, fallback: Path | None) -> str:
    for folder in (named, "/tmp", "/var/tmp"):  # noqa: S108  tempfile's own order
        if folder and len(folder) <= _LONGEST_TEMPORARY and _is_usable(folder):
            return str(Path(folder))
    if fallback is not None:
        try:
            fallback.mkdir(parents=True, exist_ok=True)
        except OSError:
            return named
        return str(fallback)
    return named


def _is_usable(folder: str) -> bool:
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x" * 4_096)
            file.flush()
    except OSError:
        return False
    return Path(folder).is_absolute()


def _without_loopback(names: str) -> str:
    """Return ``no_proxy`` with loopback in it."""
    listed = [name.strip() for name in names.split(",") if name.strip()]
    if "*" in listed:
        return names
    return ",".join([*listed, *(name for name in _LOOPBACK if name not in listed)])
