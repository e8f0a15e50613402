"""Workers on other machines, through a Ray cluster: the same worker, the same messages, another way there.

The supervisor speaks to one process of its own, the bridge (:mod:`~workbench.jobs.cluster.bridge`),
which alone loads Ray; the bridge speaks to one worker actor (:mod:`~workbench.jobs.cluster.worker_actor`) a
place, a Ray actor that starts the worker on its machine and holds its line.
"""
