"""Loaded by every process of a test cluster: keeps Ray from building a grammar it never uses.

``import ray`` loads jsonschema, which builds a parser for internationalised addresses where
JupyterLab has installed one: two seconds of processor for each of a cluster's many processes.
"""

from __future__ import annotations

import sys

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
