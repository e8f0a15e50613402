"""The process that serves a GGUF language model: llama.cpp's server on loopback, behind a key.

Serves chat completions with JSON-schema grammars, tools and several clients at once. Exits when
idle. The only module that imports xllamacpp.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path
from typing import Any, Final

from workbench.prompts.language_models.local.server_file import publish, sole_server

__all__ = ["CONTEXT_TOKENS", "main", "serve"]

_CHECK_S: Final = 1.0
CONTEXT_TOKENS: Final = 16_384
"""Total context, shared by the concurrent questions."""
_SLOTS: Final = 4
"""Concurrent questions; variations are split into several."""
_CACHE_MIB: Final = 256
_AT_WORK: Final = "llamacpp:requests_processing"
_COUNTERS: Final = frozenset(
    ["llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total", _AT_WORK]
)
"""Metrics that do not change while the server is idle."""


def serve(model: Path, file: Path, *, idle_exit_s: float) -> int:
    """Serve ``model`` until idle for ``idle_exit_s``; return the exit status.

    ``file`` receives the address and key once the model is loaded.
    """
    import xllamacpp  # noqa: PLC0415  100 MB of native code, in this process alone

    with sole_server(file) as is_sole:
        if not is_sole:
            return 0
        key = secrets.token_urlsafe(32)
        try:
            server = xllamacpp.Server(_parameters(xllamacpp, model, key))
        except RuntimeError as error:
            sys.stderr.write(f"{model} cannot be loaded: {error}\n")
            return 1
        publish(file, base_url=f"{server.listening_address}/v1", key=key, model=str(model))
        _wait_until_idle(server, idle_exit_s)
    return 0


def _parameters(xllamacpp: Any, model: Path, key: str) -> Any:
    asked = xllamacpp.CommonParams()
    asked.model.path = str(model)
    asked.model_alias = {str(model)}
    asked.hostnames = ["127.0.0.1"]
    asked.port = 0
    asked.api_keys = [key]
    asked.n_parallel = _SLOTS
    asked.n_ctx = CONTEXT_TOKENS
    asked.kv_unified = True
    asked.default_template_kwargs = {"enable_thinking": "false"}
    asked.cache_ram_mib = _CACHE_MIB
    asked.offline = True
    asked.ui = False
    asked.endpoint_slots = False
    asked.endpoint_metrics = True
    return asked


def _wait_until_idle(server: Any, idle_exit_s: float) -> None:
    """Return once the server has been idle for ``idle_exit_s``."""
    last_used, before = time.monotonic(), dict[str, str]()
    while time.monotonic() - last_used < idle_exit_s:
        time.sleep(_CHECK_S)
        counters = _counters(server.handle_metrics())
        if counters != before or float(counters.get(_AT_WORK, 0)) > 0:
            last_used, before = time.monotonic(), counters


def _counters(metrics: str) -> dict[str, str]:
    """Return the counters that change with each question, by name."""
    lines = (line.split() for line in metrics.splitlines() if line.startswith("llamacpp:"))
    return {line[0]: line[1] for line in lines if len(line) == 2 and line[0] in _COUNTERS}


def main() -> None:
    """Serve a GGUF file as the command line says."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--server-file", type=Path, required=True)
    parser.add_argument("--idle-exit-s", type=float, default=600.0)
    asked = parser.parse_args()
    sys.exit(serve(asked.model, asked.server_file, idle_exit_s=asked.idle_exit_s))


if __name__ == "__main__":
    main()
