"""Tells a running IPython how a scene looks; elsewhere does nothing."""

from __future__ import annotations

import sys

from workbench.journey.showing import scene_html
from workbench.scene import Scene

__all__ = ["register_scene"]


def register_scene() -> None:
    """Show scenes as tables where this process is a notebook's kernel or an IPython shell.

    A scene lives below everything that draws, so it cannot say this itself.
    """
    if "IPython" not in sys.modules:
        return
    from IPython.core.getipython import get_ipython  # noqa: PLC0415

    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        shell.display_formatter.formatters["text/html"].for_type(Scene, scene_html)
