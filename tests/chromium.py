"""Finds or installs the Chromium for the browser tests.

Order: a system Chromium, Playwright's own, Debian's package (as root). The headless shell, which
Playwright uses too, comes before the whole browser: it draws no window around the page.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ARGUMENTS", "find_chromium"]

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
)
"""What a headless Chromium needs in a container without a network."""

_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
_PACKAGES = ("chromium-headless-shell", "chromium")
"""Debian's; the second where a release lacks the first."""


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None; ``WORKBENCH_CHROMIUM`` sets it."""
    if named := os.environ.get("WORKBENCH_CHROMIUM"):
        return named
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _install() -> None:
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
        for package in _PACKAGES:
            command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
            if not subprocess.run(
                command, check=False, env=environment, stdout=subprocess.DEVNULL
            ).returncode:
                break
    if find_chromium() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    """Print the path of the Chromium; ``--install`` installs one if needed."""
    found = find_chromium()
    if found is None and "--install" in sys.argv:
        _install()
        found = find_chromium()
    if found:
        print(f"Chromium for the browser tests: {found}")
    else:
        print("No Chromium found: THE BROWSER TESTS WILL BE SKIPPED.")


if __name__ == "__main__":
    main()
