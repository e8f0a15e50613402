"""What ``make lab`` prints: the links of the running server."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

from server_extension.launch import DASHBOARD, NOTEBOOK

__all__ = ["announcement"]

_TEXT: Final = """
  World Model Workbench

  Lab        {lab}
  Dashboard  {dashboard}
  API        {api}

  Ctrl-C stops the server; running renders continue.
"""


def announcement(serverapp: Any) -> str:
    """Return the links to the Lab, the dashboard and the API of ``serverapp``."""
    base: str = serverapp.connection_url
    token: str = serverapp.identity_provider.token
    asked = "?" + urlencode({"token": token}, quote_via=quote) if token else ""
    header = f"   (header: Authorization: token {token})" if token else ""
    return _TEXT.format(
        lab=f"{base}lab/tree/{NOTEBOOK}{asked}{'&' if asked else '?'}workbench",
        dashboard=f"{base}{DASHBOARD}{asked}",
        api=f"{base}api{header}",
    )
