"""Requests as people type them, each with the actions that it ends in.

``python -m tests.prompts.intents.asked "PROMPT" "REQUEST"`` prints the row of a request as it is understood now.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.actions.model import Action
from workbench.actions.render_settings import RenderSettings
from workbench.prompts.composer.composer import scene_of
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.revising import revise

__all__ = ["Asked", "asked", "signature"]

_LEFT_OUT: Final = frozenset({"kind", "help", "id", "noun", "entity_kind", "answer", "question"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request about a prompt, what it ends in, and the prompt afterwards."""

    start: str
    request: str
    actions: str
    """Kind and values of each action, as :func:`signature` writes them."""
    prompt: str
    """The text afterwards; empty where it stays."""

    @property
    def context(self) -> Context:
        """What the request is understood against."""
        return Context(
            scene_of(self.start),
            self.start,
            lambda: RenderSettings(seconds=5.0, fps=16, width=832, height=480, short_side=480),
            current=0,
        )


def signature(actions: Sequence[Action]) -> str:
    """Return actions in one line: their kinds and what matters of their values."""
    told = []
    for action in actions:
        values = action.model_dump(mode="json", exclude_defaults=True)
        shown = [f"{k}={v}" for k, v in values.items() if k not in _LEFT_OUT]
        told.append(" ".join([action.kind, *shown]))
    return "; ".join(told)


def asked() -> list[Asked]:
    """Return every request of the file, in order."""
    path = Path(__file__).parent / "asked.tsv"
    rows = path.read_text("utf-8").splitlines()
    return [Asked(*row.split("\t")) for row in rows if row and not row.startswith("#")]


def main() -> None:
    """Print the row of the prompt and the request on the command line."""
    start, request = sys.argv[1:3]
    revision = revise(request, Asked(start, request, "", "").context)
    prompt = "" if revision.prompt == start else revision.prompt
    sys.stdout.write("\t".join([start, request, signature(revision.actions), prompt]) + "\n")


if __name__ == "__main__":
    main()
