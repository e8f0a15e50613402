"""Sphinx configuration: builds the Markdown pages strictly and without network access."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "World Model Workbench"
author = "The World Model Workbench's authors"
release = version = installed_version("world-model-workbench")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["images/*.md"]
myst_heading_anchors = 3

nitpicky = True
html_theme = "furo"
html_title = "World Model Workbench"
html_show_sourcelink = False
html_copy_source = False
