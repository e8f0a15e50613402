"""The process of one installed scorer: questions on standard input, answers on standard output.

Run as ``python -m workbench.measures.scorer_process MODULE:CLASS``. Each line is a JSON object.
The scorer's own output goes to standard error.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

__all__ = ["main"]

_LEAST_BYTES: Final = 2 << 30


def main(arguments: list[str]) -> None:
    """Answer questions until the input ends, using at most half of the machine's memory."""
    _bound_memory()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    (target,) = arguments
    scorer: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if scorer is None:
                module, _, name = target.partition(":")
                scorer = getattr(import_module(module), name)()
            low, high = scorer.range
            value = float(scorer.score(Path(asked["video"]), asked["recipe"]))
            answer: dict[str, Any] = {"score": value, "low": float(low), "high": float(high)}
            answer["direction"] = scorer.direction
        except Exception as error:  # noqa: BLE001  a scorer may raise anything
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _bound_memory() -> None:
    """Limit this process's memory, so that it cannot starve others."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        most = max(_LEAST_BYTES, whole // 2)
        resource.setrlimit(
            resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1])
        )


if __name__ == "__main__":
    main(sys.argv[1:])
