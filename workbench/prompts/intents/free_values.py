"""Field values in the user's words."""

from __future__ import annotations

import re
from typing import Final

from workbench.prompts.intents.slots import exact_terms, titled
from workbench.prompts.intents.viewing import viewed
from workbench.prompts.intents.words import (
    is_known,
)

__all__ = ["free_value"]

_SMALL: Final = frozenset({"i", "tv", "vhs", "pov", "imax", "cctv", "hdr", "gopro", "iphone"})


def free_value(field: str, said: str) -> str:
    """Return the user's words as a value of ``field``, phrased for the field's sentence."""
    said = re.sub(r"^(?:no|nah|yes|ok),\s*(?=\S)", "", viewed(said, is_ego=False))
    said = re.sub(
        r"^(?:just |only )?(?:the )?(?:colou?rs?|camera|light|style|look)\s*[:,]\s*(?=\S)",
        "",
        said,
        flags=re.IGNORECASE,
    )
    if field == "style":
        words = re.sub(
            r"^(?:in the style of|like(?: an?)?|as(?: if)?(?: an?)?|more|make it|a)\s+(?=\S)",
            "",
            said,
            flags=re.IGNORECASE,
        )
        words = (
            re.sub(r"\s+(?:style|vibes?|look|films?|movies?)$", "", words)
            if len(words.split()) <= 5
            else words
        )
        on = re.match(r"(?:shot |filmed |recorded )?on (?:an? |my )?(.+)", words, re.IGNORECASE)
        if on:
            return f"shot on {_device(on[1])}"
        return (
            titled(words)
            if len(words.split()) <= 3
            and not exact_terms(words)
            and any(not is_known(w) for w in words.split())
            and not re.search(r"\d", words)
            else words
        )
    return (
        said[:1].lower() + said[1:]
        if said.split(maxsplit=1)[0].lower() not in _SMALL and not said.isupper()
        else said
    )


def _device(name: str) -> str:
    known = {
        "iphone": "iPhone",
        "gopro": "GoPro",
        "imax": "IMAX",
        "vhs": "VHS",
        "dslr": "DSLR",
        "arri": "ARRI",
        "red": "RED",
    }
    return " ".join(known.get(w.lower(), w) for w in name.split())
