"""The local language model on a cluster's GPU: a Ray actor loads it, this process serves it.

Replaces the transformers server, with the same server file, key and protocol, so clients see no
difference. Nothing listens on the network. The actor ends with this process. The only module
of the prompt side that loads Ray.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from workbench.prompts.language_models.local.transformers_server import Answer, LocalModel, serve

__all__ = ["ClusterModel", "Resident", "main"]

_NAMESPACE: Final = "workbench-language"


class Resident:
    """The actor that holds the model on a machine of the cluster."""

    def __init__(self, model: str, *, allow_hub: bool) -> None:
        self._model = LocalModel(model, allow_hub=allow_hub)

    def ready(self) -> bool:
        """Return true once the model is loaded."""
        return True

    def answer(
        self, messages: list[dict[str, str]], max_tokens: int, *, in_pieces: bool
    ) -> Iterator[str | Answer]:
        """Yield the pieces of the answer as they are generated, if streamed, then the whole."""
        said: queue.SimpleQueue[str | Answer | BaseException] = queue.SimpleQueue()

        def work() -> None:
            try:
                tell = said.put if in_pieces else None
                said.put(self._model.answer(messages, max_tokens, tell))
            except BaseException as error:  # noqa: BLE001  raised where it is awaited
                said.put(error)

        threading.Thread(target=work, daemon=True).start()
        while not isinstance(one := said.get(), Answer):
            if isinstance(one, BaseException):
                raise one
            yield one
        yield one


class ClusterModel:
    """A language model on the cluster, with the interface of a local one."""

    def __init__(self, cluster: str, model: str, *, gpus: float, allow_hub: bool) -> None:
        """Join ``cluster`` and load ``model`` on ``gpus`` of it; raises what Ray raises."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage statistics
        # Ray imports jsonschema, whose unused grammar takes two seconds to load.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
        import ray  # noqa: PLC0415  seconds of import, in this process alone

        ray.init(address=cluster, namespace=_NAMESPACE, log_to_driver=False)
        self._ray = ray
        needs = {"num_gpus": gpus} if gpus else {"num_cpus": 1}
        remote: Any = ray.remote(Resident)
        self._resident = remote.options(max_restarts=-1, **needs).remote(model, allow_hub=allow_hub)
        ray.get(self._resident.ready.remote())

    def answer(
        self,
        messages: list[dict[str, str]],
        max_tokens: int,
        tell: Callable[[str], None] | None = None,
    ) -> Answer:
        """Return the answer to ``messages``; ``tell`` gets each piece as it is generated."""
        asked = self._resident.answer.options(num_returns="streaming")
        for said in asked.remote(messages, max_tokens, in_pieces=tell is not None):
            one: str | Answer = self._ray.get(said)
            if isinstance(one, Answer):
                return one
            if tell is not None:
                tell(one)
        raise RuntimeError("The model on the cluster returned nothing.")


def main() -> None:
    """Serve a model as the command line says."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--gpus", type=float, default=1.0)
    parser.add_argument("--model", required=True)
    parser.add_argument("--server-file", type=Path, required=True)
    parser.add_argument("--idle-exit-s", type=float, default=600.0)
    parser.add_argument("--allow-hub", action="store_true")
    asked = parser.parse_args()

    def load() -> ClusterModel:
        return ClusterModel(asked.cluster, asked.model, gpus=asked.gpus, allow_hub=asked.allow_hub)

    serve(asked.model, asked.server_file, idle_exit_s=asked.idle_exit_s, load=load)


if __name__ == "__main__":
    main()
