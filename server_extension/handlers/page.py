"""The workbench's own address: a short one, which other pages and Jupyter's log can link to."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from server_extension.handlers.base import AUTH_RESOURCE
from server_extension.launch import NOTEBOOK

__all__ = ["PageHandler"]


class PageHandler(JupyterHandler):
    """GET /workbench: leads to the notebook in JupyterLab, asking for the workbench itself.

    Jupyter adds ``?token=…`` to the address that it prints and opens, so that may hold no query.
    """

    auth_resource = AUTH_RESOURCE

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Redirect; the cookie of the login comes along."""
        self.redirect(url_path_join(self.base_url, "lab/tree", NOTEBOOK) + "?workbench")
