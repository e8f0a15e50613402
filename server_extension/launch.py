"""``make lab``: starts JupyterLab with the workbench, its REST interface and the dashboard.

Becomes the Jupyter server (exec), so that Ctrl-C reaches it and leaves nothing else behind.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["main", "server_command"]

ROOT: Final = Path(__file__).resolve().parent.parent
NOTEBOOK: Final = "notebooks/workbench.ipynb"
"""Asked for with ``?workbench``, its first cell is run: our extension in JupyterLab sees to that."""
DASHBOARD: Final = "voila/render/notebooks/dashboard.ipynb"
LAB_CONFIG: Final = Path(__file__).resolve().parent / "lab_config"
"""JupyterLab's own settings where ours differ; what users set for themselves still wins."""
SHARE: Final = ROOT / "workbench" / "widgets" / "share"
"""The launcher tile and the dashboard's page as they stand here, before any installed copy."""
_FIRST_PORT: Final = 8888
_PORTS_TRIED: Final = 50
_IDLE_KERNEL_S: Final = 1800


def main(arguments: Sequence[str] | None = None) -> None:
    """Print where the workbench is, then become the server."""
    parser = argparse.ArgumentParser(prog="make lab", description=__doc__)
    parser.add_argument("--dashboard", action="store_true", help="serve others on the network")
    asked, further = parser.parse_known_args(arguments)
    host = "0.0.0.0" if asked.dashboard else "127.0.0.1"  # noqa: S104  asked for by name
    port = _port(host)
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(16)
    shown = socket.gethostname() if asked.dashboard else "127.0.0.1"
    _announce(f"http://{shown}:{port}/", token)
    command = server_command(host, port, dashboard=asked.dashboard, further=further)
    os.chdir(ROOT)
    _add_path("JUPYTER_CONFIG_PATH", LAB_CONFIG)
    _add_path("JUPYTER_PATH", SHARE)
    os.environ["JUPYTER_TOKEN"] = token  # not on the command line, where others could read it
    os.execv(command[0], command)  # noqa: S606


def server_command(
    host: str, port: int, *, dashboard: bool = False, further: Sequence[str] = ()
) -> list[str]:
    """Return the command that starts the server on ``host`` and ``port``."""
    page = f"/{DASHBOARD}" if dashboard else f"/lab/tree/{NOTEBOOK}?workbench"
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.ip={host}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url={page}",
        "--ServerApp.answer_yes=True",  # Ctrl-C ends it at once
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--MappingKernelManager.cull_idle_timeout={_IDLE_KERNEL_S}",
        "--VoilaConfiguration.show_tracebacks=True",
    ]
    if dashboard:
        command += ["--no-browser", "--MappingKernelManager.cull_connected=False"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    named = {_option(argument) for argument in further} - {""}
    return [*(one for one in command if _option(one) not in named), *further]


def _option(argument: str) -> str:
    """Return the name of an option, so that one given by hand replaces ours."""
    return argument.partition("=")[0] if argument.startswith("--") else ""


def _add_path(name: str, folder: Path) -> None:
    """Add ``folder`` to a list of folders in the environment, after those that a user named."""
    named = os.environ.get(name)
    os.environ[name] = os.pathsep.join(filter(None, (named, str(folder))))


def _port(host: str) -> int:
    """Return ``JUPYTER_PORT``, or the first free port from 8888 on; leaves with a word if taken."""
    named = os.environ.get("JUPYTER_PORT")
    if named:
        if not named.isdecimal() or not 0 < int(named) < 65_536:
            sys.exit(f"JUPYTER_PORT must be a port number, not {named!r}.")
        if not _is_free(host, int(named)):
            sys.exit(f"Port {named} is taken; set JUPYTER_PORT to another, or end what holds it.")
        return int(named)
    for port in range(_FIRST_PORT, _FIRST_PORT + _PORTS_TRIED):
        if _is_free(host, port):
            return port
    sys.exit("No free port was found from 8888 on; set JUPYTER_PORT.")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _announce(base: str, token: str) -> None:
    print(  # noqa: T201  this is what the command is for
        f"""
  World Model Workbench

  Lab        {base}lab/tree/{NOTEBOOK}?token={token}&workbench
  Dashboard  {base}{DASHBOARD}?token={token}
  API        {base}api   (header: Authorization: token {token})

  Ctrl-C ends the server; renders that are under way go on.
""",
        flush=True,
    )


if __name__ == "__main__":
    main()
