"""The job manager's tables: the only place under jobs/ that speaks SQL."""

from workbench.jobs.store.deletion import Deleted, Deletions
from workbench.jobs.store.index import Index, IndexFailure, Writer
from workbench.jobs.store.keeping import Keeping, Removable
from workbench.jobs.store.ledger import Ledger
from workbench.jobs.store.listing import Listing
from workbench.jobs.store.reader import Reader
from workbench.jobs.store.requests import NewJob, Requests, Restored
from workbench.jobs.store.scores import DueVideo, ScoreBook

__all__ = [
    "Deleted",
    "Deletions",
    "DueVideo",
    "Index",
    "IndexFailure",
    "Keeping",
    "Ledger",
    "Listing",
    "NewJob",
    "Reader",
    "Removable",
    "Requests",
    "Restored",
    "ScoreBook",
    "Writer",
]
