"""Classifies parts of a request: talk, reasons, vague or impossible requests. Splits sentences."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from workbench.prompts.intents.words import (
    data,
)

__all__ = [
    "fixed_statement",
    "is_beyond",
    "is_talk",
    "is_vague",
    "parts_of",
    "reason_at",
    "statement_pattern",
]

_END: Final = re.compile(r"(?<=[\w\"')])[.;!?]+(?=\s|$)|\n+|\s+[-–—]+\s+")


@cache
def statement_pattern(name: str) -> re.Pattern[str]:
    """Return a pattern of ``statements.toml``, compiled."""
    return re.compile("".join(data("statements")[name].split("\n")), re.IGNORECASE)


def parts_of(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each sentence of a request."""
    found: list[tuple[int, int]] = []
    start = 0
    for mark in [*(m.span() for m in _END.finditer(text)), (len(text), len(text))]:
        end = mark[1] if text[mark[0] : mark[1]].strip().startswith("?") else mark[0]
        if text[start:end].strip():
            found.append((start, end))
        start = mark[1]
    return found


def is_talk(text: str) -> bool:
    """Tell whether a part asks for nothing: a comment, praise, a reason, a complaint."""
    return bool(_SIGH.match(text.strip()) or statement_pattern("talk").fullmatch(_bare(text)))


_SIGH: Final = re.compile(
    r"(?:hm+|ugh|meh)[ ,]+(?:it |that |this )?(?:hides|blocks|covers|ruins|kills|spoils|looks|feels|reads|distracts)\b.*",
    re.IGNORECASE,
)


def is_vague(text: str) -> bool:
    """Tell whether a part asks for a change without saying in which direction."""
    return bool(statement_pattern("vague").fullmatch(_bare(text)))


def is_beyond(text: str) -> bool:
    """Tell whether a part asks for something that neither a prompt nor a render can do."""
    return bool(statement_pattern("beyond").fullmatch(_bare(text)))


def fixed_statement(text: str) -> str:
    """Return the fixed sentence for a known request, such as a loop; empty for others."""
    bare = _bare(text)
    return next(
        (
            str(one["told"])
            for one in data("statements")["fixed"]
            if re.fullmatch(one["when"], bare, re.IGNORECASE)
        ),
        "",
    )


def reason_at(text: str) -> int:
    """Return where the reason in ``text`` begins ("because …"); its length if there is none."""
    found = statement_pattern("reason").search(text)
    return found.start() if found is not None and found.start() > 0 else len(text)


def _bare(text: str) -> str:
    bare = re.sub(
        r"^(?:hm+|ok(?:ay)?|so|and|but|well|oh|ah|yes|yeah|ja|oui|no)[ ,]+(?=\S)",
        "",
        text.strip(" .,!?:;"),
        flags=re.IGNORECASE,
    )
    return re.sub(
        r"[ ,]+(?:please|pls|plz|thanks|thx|lol|haha|tho|though)$", "", bare, flags=re.IGNORECASE
    )
