"""Runs a helper process; :mod:`workbench.helper_processes` starts this file as a script.

Undoes what a process should not inherit: ignored and blocked signals, a low descriptor limit, a
umask that hides files from their owner. Loads ``workbench`` from beside this file, whatever else is
on the import path. Reports an exception over the helper's own channel to the waiting parent.
Imports only the standard library.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import resource
import runpy
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["PARENT", "main"]

PARENT: Final = "--parent="
"""Prefix of the first argument of a helper that ends with the process of that pid."""
_PR_SET_PDEATHSIG: Final = 1
_MOST_DESCRIPTORS: Final = 65_536
_PACKAGE: Final = "workbench"


def main() -> None:
    """Run the module that the first argument names, with the other arguments."""
    if sys.argv[1].startswith(PARENT):
        _end_with(int(sys.argv.pop(1).removeprefix(PARENT)))  # first, as it may be stopped any time
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    os.chdir("/")
    _restore_signals()
    _raise_descriptor_limit()
    os.umask(os.umask(0o022) & 0o077)
    try:
        _load_package()
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  whatever it is, whoever waits is told
        traceback.print_exc()
        _tell(f"{type(error).__name__}: {error}")
        sys.stderr.flush()
        os._exit(1)


def _end_with(parent_pid: int) -> None:
    """Arrange for this process to be killed when its parent ends.

    Linux only; elsewhere the closed channel has to suffice. The signal follows the thread that
    started this process, so that thread must live as long as the parent.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def _restore_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _load_package() -> None:
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no package in {folder}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)


def _tell(reason: str) -> None:
    """Send ``reason`` over the channel that the first argument names, if any."""
    line = sys.argv[1] if len(sys.argv) > 1 else ""
    if line.isdecimal():
        message = json.dumps({"type": "worker_lost", "reason": reason[:2_000]})
        with suppress(OSError):
            os.write(int(line), f"{message}\n".encode())


if __name__ == "__main__":
    main()
