"""Installs a small distribution with scorers, as a user would, into a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["install"]

_PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "tiny-scorer"
version = "1.0"

[project.entry-points."workbench.scorers"]
brevity = "tiny_scorer:Brevity"

[tool.setuptools]
py-modules = ["tiny_scorer"]
"""

_CODE = """
import os, time

class Brevity:
    name = "brevity"
    range = (0.0, 1.0)
    direction = "higher"

    def score(self, video, recipe):
        print("a scorer may print")
        assert video.stat().st_size > 0
        return 1 / len(recipe["request"]["prompt"].split())

class Boundless(Brevity):
    def score(self, video, recipe):
        return 7.0

class Failing(Brevity):
    def score(self, video, recipe):
        raise ValueError("no weights here")

class Dying(Brevity):
    def score(self, video, recipe):
        os._exit(3)

class Greedy(Brevity):
    def score(self, video, recipe):
        return float(len(bytearray(1 << 50)))

class Measured(Brevity):
    range = (0.0, 1e18)

    def score(self, video, recipe):
        import resource
        return float(resource.getrlimit(resource.RLIMIT_DATA)[0])

class Hanging(Brevity):
    def score(self, video, recipe):
        time.sleep(3600)
"""


def install(folder: Path) -> Path:
    """Build and install the distribution below ``folder``; return the folder to import from."""
    source, target = folder / "source", folder / "site"
    source.mkdir(parents=True)
    (source / "pyproject.toml").write_text(_PROJECT, "utf-8")
    (source / "tiny_scorer.py").write_text(_CODE, "utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(target), str(source)], check=True)
    return target
