"""Keeps the module that BROKEN_MODULE names from being imported, in every process that sees this."""

import os
import sys

if broken := os.environ.get("BROKEN_MODULE"):
    sys.modules[broken] = None  # type: ignore[assignment]
