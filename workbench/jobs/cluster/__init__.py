"""Workers on other machines, through a Ray cluster: the same workers and messages.

The supervisor talks to one process of its own, the bridge (:mod:`~workbench.jobs.cluster.bridge`),
which alone loads Ray. The bridge talks to one worker actor
(:mod:`~workbench.jobs.cluster.worker_actor`) per slot, a Ray actor that starts the worker on its
machine and holds its socket.
"""
