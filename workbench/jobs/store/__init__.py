"""The job manager's tables: the only place under jobs/ that speaks SQL."""

from workbench.jobs.store.index import Index, IndexFailure, Writer
from workbench.jobs.store.keeping import Keeping, Removable
from workbench.jobs.store.ledger import Ledger, RunningRow
from workbench.jobs.store.reader import Reader
from workbench.jobs.store.requests import NewJob, Requests, Restored

__all__ = [
    "Index",
    "IndexFailure",
    "Keeping",
    "Ledger",
    "NewJob",
    "Reader",
    "Removable",
    "Requests",
    "Restored",
    "RunningRow",
    "Writer",
]
