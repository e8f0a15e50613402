"""Packages that a model needs are checked before it loads; what is missing is told with the command."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from workbench.engines.diffusers import packages
from workbench.engines.diffusers.packages import package_problem, torchvision_for


@pytest.mark.parametrize(
    ("torch", "torchvision"),
    [("2.9.1", "0.24.1"), ("2.13.0+cpu", "0.28.0"), ("2.14.1", "0.29.1"), ("3.0.0", "")],
)
def test_each_torch_has_its_torchvision(torch: str, torchvision: str) -> None:
    assert torchvision_for(torch) == torchvision


def test_the_extra_torchvision_fits_the_pinned_torch() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    (torch,) = (one for one in extras["diffusion"] if one.startswith("torch=="))
    fitting = torchvision_for(torch.removeprefix("torch=="))
    assert extras["torchvision"] == [f"torchvision=={fitting}"]


def test_a_missing_torchvision_is_told_with_the_release_that_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    monkeypatch.setattr(packages, "version", lambda name: "2.13.0+cpu")
    told = package_problem("Kandinsky 5", ["torchvision", "ftfy"])
    assert told == "Kandinsky 5 needs torchvision, ftfy: pip install torchvision==0.28.0 ftfy"


def test_a_torchvision_built_for_another_torch_is_told_with_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "torchvision"
    broken.mkdir()
    text = 'raise RuntimeError("operator torchvision::nms does not exist")'
    (broken / "__init__.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    told = package_problem("Cosmos 2", ["torchvision"])
    assert "does not fit torch" in told
    assert "operator torchvision::nms does not exist" in told
    assert "pip install torchvision" in told
    (broken / "__init__.py").write_text("")
    assert package_problem("Cosmos 2", ["torchvision"]) == ""
