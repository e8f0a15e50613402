"""The scripts and sentence marks of a text. Knows no language and no prompt."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Final

__all__ = ["END_MARKS", "is_unspaced", "script_of", "scripts_in", "statements"]

END_MARKS: Final = ".!?…。！？।؟"
_UNSPACED: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI"})
_STATEMENT: Final = re.compile(r"[^.!?…。！？।؟\n]+(?:[.!?…。！？।؟]+[\"'”’»」』)）]*|\n|$)")


@cache
def script_of(character: str) -> str:
    """Return the first word of the character's Unicode name, such as LATIN or HANGUL."""
    return unicodedata.name(character, "UNKNOWN").split()[0].split("-")[0]


def scripts_in(text: str) -> Counter[str]:
    """Return the number of letters of each script in ``text``."""
    return Counter(script_of(c) for c in text if c.isalpha())


def is_unspaced(text: str) -> bool:
    """Tell whether most letters belong to a script that writes no spaces."""
    used = scripts_in(text)
    return 2 * sum(used[name] for name in _UNSPACED) > used.total()


def statements(text: str) -> list[str]:
    """Return the sentences of ``text`` with their marks, with or without spaces between them."""
    return [one for part in _STATEMENT.findall(text) if (one := part.strip())]
