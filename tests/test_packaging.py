"""The set-up files agree with one another."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, cast

import yaml

from tests.pins import normalised, pins

ROOT = Path(__file__).resolve().parent.parent
FIXED_BY_THE_USER = (
    "jupyterlab", "ipywidgets", "voila", "torch", "diffusers", "transformers", "openai",
    "nvidia-ml-py", "tornado", "papermill", "pytest",
)  # fmt: skip


NEEDS_A_GPU = {"hopper", "nf4"}
"""Extras for a GPU alone."""


def _project() -> dict[str, Any]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return cast("dict[str, Any]", document["project"])


def _conda_pip_lines() -> list[str]:
    document = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    return next(d["pip"] for d in document["dependencies"] if isinstance(d, dict))


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return normalised(match[0])


def test_every_requirement_of_the_project_has_a_pin() -> None:
    project = _project()
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *(r for extra in extras.values() for r in extra)]
    missing = [r for r in requirements if _name(r) not in pins()]
    assert missing == []


def test_the_conda_environment_installs_everything_from_the_same_pins() -> None:
    lines = _conda_pip_lines()
    assert "--constraint constraints.txt" in lines
    (installed,) = (line for line in lines if line.startswith("--editable"))
    extras = set(installed.partition("[")[2].rstrip("]").split(","))
    assert extras == set(_project()["optional-dependencies"]) - NEEDS_A_GPU


def test_a_lab_with_the_real_models_has_what_each_family_needs() -> None:
    """Kandinsky and Cosmos cannot start without torchvision."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (recipe,) = re.findall(
        r"^\$\(VENV\)/\.with-diffusion:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE
    )
    assert "'.[diffusion,torchvision]'" in recipe


def test_versions_named_for_conda_are_those_of_the_constraints() -> None:
    named = dict(line.split("==") for line in _conda_pip_lines() if "==" in line)
    assert set(FIXED_BY_THE_USER) <= set(named)
    assert {name: pins()[normalised(name)] for name in named} == named


def test_the_base_install_has_no_model_libraries() -> None:
    base = {_name(requirement) for requirement in _project()["dependencies"]}
    assert not base & {"torch", "diffusers", "transformers", "accelerate", "ray"}
