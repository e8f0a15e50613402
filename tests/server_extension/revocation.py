"""An authoriser for tests that refuses everybody while a file exists."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_server.auth.authorizer import Authorizer

__all__ = ["REVOKED", "RevocableAuthorizer"]

REVOKED = "WORKBENCH_TEST_REVOKED"
"""Environment variable with the file's path."""


class RevocableAuthorizer(Authorizer):
    """Allows everything until the file exists."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Return whether access is still allowed."""
        del handler, user, action
        return resource != "workbench" or not Path(os.environ[REVOKED]).exists()
