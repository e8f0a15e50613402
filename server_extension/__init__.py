"""The Jupyter server extension: the workbench over REST."""

from __future__ import annotations

from typing import Any

__all__ = ["_jupyter_server_extension_points"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter server what to load."""
    from server_extension.extension import WorkbenchExtension  # noqa: PLC0415  only when asked

    return [{"module": "server_extension", "app": WorkbenchExtension}]
