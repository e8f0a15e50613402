"""JupyterLab, started in half the time: without a grammar that takes seconds and is never used.

``jsonschema`` loads a grammar of internationalised addresses (IRIs) at import where it can, to check
the format ``iri``. No schema of the server has one. It does without where the import fails.
"""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["main"]

_UNUSED_GRAMMAR: Final = "rfc3987_syntax"


def main(arguments: list[str] | None = None) -> Any:
    """Run JupyterLab; ``arguments`` default to those of the process."""
    sys.modules[_UNUSED_GRAMMAR] = None  # type: ignore[assignment]  # its import fails from now on
    from jupyterlab.labapp import LabApp  # noqa: PLC0415  after the line above

    return LabApp.launch_instance(arguments)


if __name__ == "__main__":
    sys.exit(main())
