"""Makes the import of the module named by BROKEN_MODULE fail in every process that loads this."""

import os
import sys

if broken := os.environ.get("BROKEN_MODULE"):
    sys.modules[broken] = None  # type: ignore[assignment]
