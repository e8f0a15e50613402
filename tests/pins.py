"""Writes constraints.txt from the installed packages, so that installs match the tested versions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
_OWN = "world-model-workbench"
_FOR_OTHER_MACHINES = ("bitsandbytes", "fa3-fwd", "torchvision")
"""Pinned, yet not installed where there is no such GPU, or no torch that they are built for."""
_HEADER = """\
# The exact versions of the last full test run; pip and conda both use these pins.
# Written by `make constraints`.
"""


def pins() -> dict[str, str]:
    """Return the pinned version of every package in constraints.txt, by normalised name."""
    found = {}
    for line in CONSTRAINTS.read_text("utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
            found[normalised(match[1])] = match[2]
    return found


def normalised(name: str) -> str:
    """Return a distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Print the pins, or write them with ``--write``."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze", "--exclude-editable"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # a local build's suffix (+cpu) names a machine, not a version
    lines = [
        re.sub(r"\+.*$", "", line)
        for line in listed.splitlines()
        if "==" in line and not line.lower().startswith((_OWN, "pip==", "setuptools=="))
    ]
    installed = {normalised(line.partition("==")[0]) for line in lines}
    kept = [
        f"{name}=={pins()[name]}" for name in _FOR_OTHER_MACHINES
        if name in pins() and name not in installed
    ]  # fmt: skip
    text = _HEADER + "\n".join(sorted(lines + kept)) + "\n"
    if "--write" in sys.argv:
        CONSTRAINTS.write_text(text, "utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
