"""Workers on other machines, through a Ray cluster: the same worker, the same messages, another way there.

The supervisor speaks to one process of its own, the bridge (:mod:`~workbench.jobs.cluster.bridge`),
which alone loads Ray; the bridge speaks to one outpost (:mod:`~workbench.jobs.cluster.outpost`) a
place, a Ray actor that starts the worker on its machine and holds its line.
"""
