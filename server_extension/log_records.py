"""Log records that no handler shows are not made. Does not change what is logged."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["drop_unseen_records"]


def drop_unseen_records(log: logging.Logger | logging.LoggerAdapter[Any]) -> None:
    """Raise the level of ``log`` to that of its most detailed handler.

    Jupyter's logger takes every level and leaves the choice to its handler, so that each request
    makes several debug records that are thrown away.
    """
    logger = log.logger if isinstance(log, logging.LoggerAdapter) else log
    handlers: list[logging.Handler] = []
    current: logging.Logger | None = logger
    while current is not None:
        handlers += current.handlers
        current = current.parent if current.propagate else None
    level = min((handler.level for handler in handlers), default=logging.NOTSET)
    if level > logger.getEffectiveLevel():
        logger.setLevel(level)
