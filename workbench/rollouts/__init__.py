"""Rollouts: worlds that continue segment by segment, and branch; each segment is a durable job."""

from workbench.rollouts.model import Branch, Outlook, RolloutParameters, segment_of
from workbench.rollouts.rollouts import Rollouts
from workbench.rollouts.telling import takes_told

__all__ = ["Branch", "Outlook", "RolloutParameters", "Rollouts", "segment_of", "takes_told"]
