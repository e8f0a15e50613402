"""Finds or installs the Firefox for the playback test and drives it by WebDriver BiDi.

Firefox has no H.264 decoder of its own: it uses the system's libavcodec, which Debian's package
recommends.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

__all__ = ["Firefox", "find_firefox", "opened"]

_NAMES: Final = ("firefox-esr", "firefox")
_PATIENCE_S: Final = 120
_PREFERENCES: Final = {
    "media.autoplay.default": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


def find_firefox() -> str | None:
    """Return the path of a Firefox, or None; ``WORKBENCH_FIREFOX`` sets it."""
    if named := os.environ.get("WORKBENCH_FIREFOX"):
        return named
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Firefox:
    """One tab of a headless Firefox."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._numbers = socket, count(1)
        self.ask("session.new", capabilities={})
        self._tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def visit(self, url: str) -> None:
        """Go to ``url`` and wait until it is loaded."""
        self.ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return the value of the JavaScript ``expression``, a promise of a string."""
        answer = self.ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._tab},
            awaitPromise=True,
        )
        if answer["type"] != "success":
            raise AssertionError(answer)
        return answer["result"]["value"]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result; skip events that arrive meanwhile."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise AssertionError(answer)
                result: dict[str, Any] = answer["result"]
                return result


@contextmanager
def opened(path: str, profile: Path) -> Iterator[Firefox]:
    """Run the Firefox at ``path`` with a fresh profile, and end it."""
    import websocket

    profile.mkdir()
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in _PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines), "utf-8")
    command = [path, "--headless", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(
        [*command, "--remote-debugging-port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(profile), "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
    )
    try:
        address = _address(process)
        socket = websocket.create_connection(
            f"{address}/session", timeout=_PATIENCE_S, suppress_origin=True
        )
        try:
            yield Firefox(socket)
        finally:
            socket.close()
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()


def _address(process: subprocess.Popen[str]) -> str:
    """Return the address that Firefox prints."""
    told = []
    for line in process.stderr or ():
        told.append(line)
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
            return found[1]
    raise AssertionError("Firefox ended before it listened:\n" + "".join(told))


def _install() -> None:
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
        command = ["apt-get", "install", "-y", "-qq", "firefox-esr"]
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print the path of the Firefox; ``--install`` installs one if needed."""
    if find_firefox() is None and "--install" in sys.argv:
        _install()
    if found := find_firefox():
        print(f"Firefox for the playback test: {found}")
    else:
        print("No Firefox found: PLAYBACK IN FIREFOX WILL NOT BE TESTED.")


if __name__ == "__main__":
    main()
