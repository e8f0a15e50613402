"""The architecture: allowed imports between packages, and the packages of each library."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

NEVER = {
    "server_extension": ("workbench.widgets",),
    "workbench.widgets": ("server_extension",),
    "workbench.prompts": ("workbench.jobs", "workbench.engines", "workbench.studio"),
    "workbench.jobs": (
        "workbench.prompts", "workbench.studio", "workbench.widgets", "workbench.research",
    ),
    "workbench.engines": (
        "workbench.prompts", "workbench.measures", "workbench.jobs", "workbench.studio",
    ),
    "workbench.studio": (
        "workbench.widgets", "server_extension", "workbench.journey", "workbench.research",
    ),
    "workbench.render_requests": (
        "workbench.studio", "workbench.widgets", "server_extension", "workbench.journey",
        "workbench.research",
    ),
    "workbench.rollouts": (
        "workbench.studio", "workbench.widgets", "server_extension", "workbench.journey",
        "workbench.research",
    ),
    "workbench.live_worlds": (
        "workbench.studio", "workbench.widgets", "server_extension", "workbench.journey",
        "workbench.research",
    ),
    "workbench.live_journal": (
        "workbench.prompts", "workbench.render_requests", "workbench.live_worlds",
        "workbench.studio", "workbench.widgets", "server_extension", "workbench.journey",
        "workbench.research",
    ),
    "workbench.forks": (
        "workbench.prompts", "workbench.engines", "workbench.studio", "workbench.widgets",
        "server_extension", "workbench.journey", "workbench.research",
    ),
    "workbench.storyboard_strips": (
        "workbench.jobs", "workbench.studio", "workbench.widgets", "server_extension",
        "workbench.journey", "workbench.research",
    ),
    "workbench.direction": (
        "workbench.widgets", "server_extension", "workbench.journey", "workbench.research",
    ),
    "workbench.model_library": (
        "workbench.prompts", "workbench.widgets", "server_extension", "workbench.journey",
        "workbench.research",
    ),
    "workbench.journey": ("workbench.widgets", "workbench.research", "server_extension"),
    "workbench.presentation": (
        "workbench.studio", "workbench.journey", "workbench.widgets", "server_extension",
    ),
    "workbench.research": ("workbench.widgets", "server_extension"),
    "workbench.measures": (
        "workbench.prompts", "workbench.jobs", "workbench.studio", "workbench.journey",
        "workbench.research",
    ),
    "workbench.control": (
        "workbench.prompts", "workbench.engines", "workbench.jobs", "workbench.studio",
        "workbench.measures", "workbench.rendering", "workbench.research",
    ),
    "workbench.actions": (
        "workbench.prompts", "workbench.engines", "workbench.jobs", "workbench.studio",
    ),
    "workbench.rendering": (
        "workbench.prompts", "workbench.engines", "workbench.jobs", "workbench.studio",
    ),
    "workbench.lexicon": (
        "workbench.prompts", "workbench.engines", "workbench.jobs", "workbench.rendering",
    ),
    "workbench.scene": (
        "workbench.prompts", "workbench.engines", "workbench.jobs", "workbench.rendering",
    ),
    "workbench.settings": ("workbench.scene", "workbench.rendering", "workbench.jobs"),
    "workbench.frame_rates": ("workbench.scene", "workbench.rendering", "workbench.settings"),
    "workbench.errors": ("workbench.scene", "workbench.settings"),
    "workbench.database": ("workbench.scene", "workbench.settings", "workbench.jobs"),
}  # fmt: skip
"""Room → rooms that it must not know."""

THROUGH_STUDIO = {
    "workbench.jobs": ("client.manager", "cluster.status", "model"),
    "workbench.prompts": (
        "markers", "model", "language_models.choice", "language_models.overview",
    ),
    "workbench.engines": ("recipes",),
}  # fmt: skip
"""Room → its modules that a handler or a widget may import: types, and recipes in uploads.

What is done with prompts, jobs and engines goes through Studio.
"""

HOMES = {
    "torch": (
        "workbench.engines",
        "workbench.prompts.language_models.local.transformers_server",
        "workbench.measures.agreement",
    ),
    "diffusers": ("workbench.engines",),
    "transformers": (
        "workbench.engines",
        "workbench.prompts.language_models.local.transformers_server",
        "workbench.measures.agreement",
    ),
    "ray": (
        "workbench.jobs.cluster.ray_cluster",
        "workbench.prompts.language_models.local.cluster_server",
    ),
    "xllamacpp": ("workbench.prompts.language_models.local.llama_server",),
    "keyring": ("workbench.prompts.language_models.keys",),
    "ipywidgets": ("workbench.widgets",),
    "anywidget": ("workbench.widgets",),
    "tornado": ("server_extension",),
    "jupyter_server": ("server_extension",),
    "sqlite3": ("workbench.database", "workbench.jobs.store", "workbench.prompts.store"),
}
"""Library → the rooms that it may be used in."""


@cache
def _modules() -> list[tuple[str, Path]]:
    found = []
    for package in ("workbench", "server_extension"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


@cache
def _imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} has a relative import"
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def _within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


@pytest.mark.parametrize("room", NEVER)
def test_imports_between_packages_are_allowed(room: str) -> None:
    broken = [
        f"{module} imports {imported}"
        for module, path in _modules()
        if _within(module, room)
        for imported in _imports(path)
        for forbidden in NEVER[room]
        if _within(imported, forbidden)
    ]
    assert broken == []


@pytest.mark.parametrize("edge", ["server_extension", "workbench.widgets"])
def test_handlers_and_widgets_reach_prompts_jobs_and_engines_through_studio(edge: str) -> None:
    around = [
        f"{module} imports {imported}"
        for module, path in _modules()
        if _within(module, edge)
        for imported in _imports(path)
        for room, allowed in THROUGH_STUDIO.items()
        if _within(imported, room)
        and not any(_within(imported, f"{room}.{name}") for name in allowed)
    ]
    assert around == []


@pytest.mark.parametrize("library", HOMES)
def test_each_library_is_imported_only_in_its_packages(library: str) -> None:
    strays = [
        f"{module} imports {imported}"
        for module, path in _modules()
        if not any(_within(module, home) for home in HOMES[library])
        for imported in _imports(path)
        if _within(imported, library)
    ]
    assert strays == []


def test_importing_the_package_loads_nothing_heavy_and_starts_nothing() -> None:
    script = """
import sys, threading, workbench
dir(workbench)
heavy = {"torch", "cv2", "av", "ipywidgets", "tornado", "openai", "pydantic"} & set(sys.modules)
assert not heavy, heavy
assert threading.active_count() == 1
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_studio_is_made_without_the_heavy_libraries() -> None:
    script = """
import sys
from workbench.studio import Studio
heavy = {"torch", "cv2", "av", "ipywidgets", "tornado", "openai"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_control_loads_only_numpy() -> None:
    script = """
import sys, workbench.control, workbench.jobs.supervisor.supervisor, workbench.render_requests
heavy = {"numpy", "torch", "cv2", "av", "diffusers", "scipy", "PIL"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_page_about_the_architecture_names_every_package_and_module() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    folder = ROOT / "workbench"
    names = [path.name for path in folder.glob("[!_]*.py")]
    names += [f"{path.parent.name}/" for path in folder.glob("*/__init__.py")]
    assert {"jobs/", "studio.py"} <= set(names)
    assert [
        name for name in sorted(names) if f"`{name}`" not in page.replace("workbench/", "")
    ] == []


def test_every_public_name_can_be_imported() -> None:
    import workbench

    assert all(getattr(workbench, name) is not None for name in workbench.__all__)
    assert callable(workbench.render)


def test_every_benchmark_runs_by_the_command_that_names_it() -> None:
    folder = ROOT / "benchmarks"
    docs = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    named = set(re.findall(r"python -m benchmarks\.(\w+)", docs))
    for path in folder.glob("*.py"):
        if f"python -m benchmarks.{path.stem}" in path.read_text("utf-8"):
            named.add(path.stem)
    for name in named:
        file = folder / f"{name}.py"
        if not file.exists():
            assert (folder / name / "__main__.py").exists(), name
            continue
        assert '\nif __name__ == "__main__":\n' in file.read_text("utf-8"), name
