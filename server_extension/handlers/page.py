"""The workbench's short address, for links from other pages and Jupyter's log."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from server_extension.handlers.base import AUTH_RESOURCE
from server_extension.launch import NOTEBOOK

__all__ = ["PageHandler"]


class PageHandler(JupyterHandler):
    """GET /workbench: redirects to the notebook in JupyterLab, which then opens the workbench.

    Jupyter appends ``?token=…`` to the address that it prints, so the address has no query itself.
    """

    auth_resource = AUTH_RESOURCE

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Redirect; the login cookie is kept."""
        self.redirect(url_path_join(self.base_url, "lab/tree", NOTEBOOK) + "?workbench")
