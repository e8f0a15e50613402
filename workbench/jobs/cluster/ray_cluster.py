"""The Ray cluster: joining it, its nodes, worker actors. The only module under jobs/ that loads Ray.

Any call may block for a long time; callers run them in threads, with timeouts.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from typing import Any, Final, cast

import psutil

from workbench.jobs.cluster.members import Survey
from workbench.jobs.cluster.worker_actor import WorkerActor
from workbench.jobs.devices import Nvml, Slot, cpu_label
from workbench.jobs.versions import installed_version

__all__ = ["RayCluster", "Unreachable", "survey"]

_CONNECT_S: Final = 5.0
_VACANCY_S: Final = 10.0


class Unreachable(Exception):
    """The cluster cannot be joined; the message says why and what to do."""


class RayCluster:
    """A cluster that was joined."""

    def __init__(self, ray: Any, namespace: str, *, through_client: bool) -> None:
        self._ray = ray
        self._namespace = namespace
        self.home = "" if through_client else str(ray.get_runtime_context().get_node_id())
        """The node that this process runs on; empty outside the cluster."""
        self._actor = ray.remote(WorkerActor)
        self._survey = ray.remote(num_cpus=0, max_retries=0)(survey)

    @classmethod
    def join(cls, address: str, namespace: str) -> RayCluster:
        """Join the cluster at ``address``; raises ``Unreachable``."""
        _knock(address)
        for name, value in _RAY_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        # Two seconds for a grammar of jsonschema's, which Ray loads and does not use.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
        try:
            import ray  # noqa: PLC0415  seconds of import, in the bridge alone
        except ImportError as error:
            raise Unreachable(
                "Ray is not installed: pip install 'world-model-workbench[cluster]'."
            ) from error
        options: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        try:
            ray.init(
                address=address,
                namespace=namespace,
                log_to_driver=False,
                logging_level=logging.WARNING,
                **options,
            )
        except Exception as error:  # whatever Ray raises, it is not joined
            raise Unreachable(_advice(address, error)) from error
        return cls(ray, namespace, through_client=address.startswith("ray://"))

    def nodes(self) -> list[dict[str, Any]]:
        """Return every node as Ray lists them, including dead ones."""
        return cast("list[dict[str, Any]]", self._ray.nodes())

    def survey(self, node_id: str) -> Any:
        """Start a survey of a node; returns an awaitable :class:`Survey`."""
        return self._survey.options(scheduling_strategy=self._on(node_id)).remote()

    def actor(self, slot: Slot, node_id: str, *, share: float, absence_s: float) -> Any:
        """Return the worker actor of ``slot``; creates it on its node if needed."""
        needs = {"num_gpus": share, "num_cpus": 0} if slot.kind == "cuda" else {"num_cpus": 1}
        return self._actor.options(
            name=slot.name,
            namespace=self._namespace,
            get_if_exists=True,
            lifetime="detached",  # it outlives this process, and exits by itself
            max_restarts=0,
            max_concurrency=16,
            scheduling_strategy=self._on(node_id),
            **needs,
        ).remote(slot.kind, absence_s=absence_s, vacancy_s=_VACANCY_S)

    def kill(self, actor: Any) -> None:
        """Kill a worker actor that does not leave when asked."""
        self._ray.kill(actor, no_restart=True)

    def explain(self, error: BaseException) -> str:
        """Return one line on why a worker actor cannot be reached or does not respond."""
        cause = getattr(error, "cause", None) or error
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        if isinstance(error, self._ray.exceptions.RayActorError):
            told = next((line for line in lines if "node" in line.lower()), "")
            return f"its worker actor has died{f': {told}' if told else ''}"[:300]
        return f"{type(cause).__name__}: {lines[-1] if lines else ''}"[:300]

    def has_died(self, error: BaseException) -> bool:
        """Tell whether ``error`` means that a worker actor is gone."""
        return isinstance(error, self._ray.exceptions.RayActorError)

    def _on(self, node_id: str) -> Any:
        from ray.util.scheduling_strategies import (  # noqa: PLC0415
            NodeAffinitySchedulingStrategy,
        )

        return NodeAffinitySchedulingStrategy(node_id, soft=False)


_RAY_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no usage reports
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
}


def survey() -> Survey:
    """Return the facts about this machine; runs on a node of the cluster."""
    return Survey(
        version=installed_version(),
        cpu_label=cpu_label(),
        memory_total_bytes=psutil.virtual_memory().total,
        gpus=Nvml().gpus(),
    )


def _knock(address: str) -> None:
    """Check that the port is open: Ray itself takes a minute to report a closed one."""
    if address in {"auto", "local"}:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except OSError as error:
        raise Unreachable(
            f"nothing answers at {host}:{port} ({error.strerror or error})"
        ) from error


def _advice(address: str, error: Exception) -> str:
    told = " ".join(str(error).split())[:300] or type(error).__name__
    if address == "auto":
        return f"no Ray runs on this machine: start it with `ray start` ({told})"
    if not address.startswith("ray://") and address != "local" and "raylet" in told:
        return (
            f"this machine is not a node of that cluster: `ray start --address={address}` ({told})"
        )
    return told
