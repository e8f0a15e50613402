"""``make lab``: starts JupyterLab with the workbench, its REST interface and the dashboard.

Replaces itself with the Jupyter server (exec), so that Ctrl-C reaches the server. The server prints
the links: it alone knows its final port, base URL and token.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Final

from jupyter_core.paths import jupyter_runtime_dir

from workbench.errors import InvalidSettings, Unavailable
from workbench.settings import Settings, check_folders, export_paths

__all__ = ["main", "server_command"]

ROOT: Final = Path(__file__).resolve().parent.parent
NOTEBOOK: Final = "notebooks/workbench.ipynb"
"""Our JupyterLab extension runs the first cell if the link ends in ``?workbench``."""
PAGE: Final = "/workbench"
"""Redirects to the workbench in JupyterLab."""
_NOT_IN_A_DASHBOARD: Final = ("@voila-dashboards/jupyterlab-preview", "jupyterlab_pygments")
"""JupyterLab extensions that a dashboard does not need."""
DASHBOARD: Final = "voila/render/notebooks/dashboard.ipynb"
LAB_CONFIG: Final = Path(__file__).resolve().parent / "lab_config"
"""Our defaults for JupyterLab's settings; the user's own settings win."""
SHARE: Final = ROOT / "workbench" / "widgets" / "share"
"""The launcher tile and the dashboard's page of this checkout, before any installed copy."""
_FIRST_PORT: Final = 8888
_PORTS_TRIED: Final = 50
_IDLE_KERNEL_S: Final = 1800
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PORT_OPTIONS: Final = frozenset({"--ServerApp.port", "--port", "--LabApp.port"})


def main(arguments: Sequence[str] | None = None) -> None:
    """Check the settings, then exec the server."""
    parser = argparse.ArgumentParser(
        prog="make lab", description=__doc__, allow_abbrev=False, add_help=False
    )
    parser.add_argument("--dashboard", action="store_true", help="serve others on the network")
    asked, further = parser.parse_known_args(arguments)
    if os.name == "nt":
        sys.exit("The workbench needs Linux or macOS; on Windows run it inside WSL 2.")
    try:
        settings = Settings()
        check_folders(settings)
    except (InvalidSettings, Unavailable) as error:
        sys.exit(str(error))
    _check_home()
    host = "0.0.0.0" if asked.dashboard else "127.0.0.1"  # noqa: S104  asked for by name
    names_port = any(_option(argument) in _PORT_OPTIONS for argument in further)
    port = None if names_port else _port(host)
    command = server_command(host, port, dashboard=asked.dashboard, further=further)
    export_paths(settings, os.environ)
    _bypass_proxies(os.environ)
    os.chdir(ROOT)
    _add_path("JUPYTER_CONFIG_PATH", LAB_CONFIG)
    _add_path("JUPYTER_PATH", SHARE)
    os.execv(command[0], command)  # noqa: S606


def server_command(
    host: str, port: int | None, *, dashboard: bool = False, further: Sequence[str] = ()
) -> list[str]:
    """Return the command that starts the server; options in ``further`` override ours."""
    page = f"/{DASHBOARD}" if dashboard else PAGE
    command = [
        *(sys.executable, "-m", "server_extension.lab"),
        f"--ServerApp.ip={host}",
        *([] if port is None else [f"--ServerApp.port={port}"]),
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url={page}",
        "--ServerApp.answer_yes=True",  # Ctrl-C ends it at once
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--MappingKernelManager.cull_idle_timeout={_IDLE_KERNEL_S}",
        f"--VoilaConfiguration.show_tracebacks={not dashboard}",
        f"--VoilaConfiguration.extension_denylist={list(_NOT_IN_A_DASHBOARD)}",
        "--VoilaConfiguration.file_denylist=.*",  # our dashboard needs no files from there
        "--WorkbenchExtension.announce=True",
    ]
    if dashboard:
        command += ["--no-browser", "--MappingKernelManager.cull_connected=False"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    named = {_option(argument) for argument in further} - {""}
    return [*(one for one in command if _option(one) not in named), *further]


def _option(argument: str) -> str:
    """Return the name of an option, so that the user's can override ours."""
    return argument.partition("=")[0] if argument.startswith("--") else ""


def _add_path(name: str, folder: Path) -> None:
    """Append ``folder`` to a path list in the environment, after the user's own."""
    named = os.environ.get(name)
    os.environ[name] = os.pathsep.join(filter(None, (named, str(folder))))


def _bypass_proxies(environment: MutableMapping[str, str]) -> None:
    """Bypass any proxy for this machine's own addresses."""
    for name in ("NO_PROXY", "no_proxy"):
        said = environment.get(name) or environment.get(name.swapcase()) or ""
        known = [host.strip() for host in said.split(",") if host.strip()]
        environment[name] = ",".join(dict.fromkeys([*known, *_LOOPBACK]))


def _check_home() -> None:
    """Exit with a message if Jupyter's runtime folder is not writable."""
    folder = Path(jupyter_runtime_dir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        sys.exit(
            f"Jupyter cannot write to {folder} ({error.strerror}); set HOME to a folder of yours."
        )


def _port(host: str) -> int:
    """Return ``JUPYTER_PORT``, or the first free port from 8888; exits if it is taken."""
    named = os.environ.get("JUPYTER_PORT", "").strip()
    if named:
        if not named.isdecimal() or not 0 < int(named) < 65_536:
            sys.exit(f"JUPYTER_PORT must be a port number, not {named!r}.")
        if not _is_free(host, int(named)):
            sys.exit(
                f"Port {named} is in use; set JUPYTER_PORT to another port, or stop what uses it."
            )
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


if __name__ == "__main__":
    main()
