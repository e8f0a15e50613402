"""Normalises a request: quotes, abbreviations, politeness, spelling. Knows nothing of scenes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Final

from workbench.prompts.intents.words import data, is_known
from workbench.scene import vocabulary

__all__ = ["clean", "correction_in", "mended", "without_politeness", "written_out"]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


@cache
def _pattern(name: str, form: str) -> re.Pattern[str]:
    text = re.sub(r"\((?!\?)", "(?:", data("requests")[name])
    return re.compile(form.format(text), re.IGNORECASE)


def clean(request: str) -> str:
    """Return a request normalised for the parser: quotes, spaces, shorthand, repetitions."""
    text = re.sub(r"[’‘`´]", "'", request)
    text = re.sub(r"[“”]", '"', text)
    text = re.sub(r"…|\.\.\.+", " ", text)
    text = re.sub(r"(?<=\w)\s+[+&]\s+(?=\w)", " and ", text)
    text = re.sub(r"\bb ?& ?w\b", "black and white", text, flags=re.IGNORECASE)
    text = re.sub(
        r"\b(?:there'?s|there is|there has) (?:got to|gotta)\b",
        "there should",
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(
        r"\b(?:has|have|'ve|'s)? ?(?:got to|gotta) (?=be\b)", " should ", text, flags=re.IGNORECASE
    )
    text = re.sub(r"\bhow bout\b", "how about", text, flags=re.IGNORECASE)
    text = re.sub(
        r"\b((?:some|any|every|no)(?:body|one))s (?=\w)", r"\1's ", text, flags=re.IGNORECASE
    )
    text = re.sub(r"[ ,]+(?:btw|tbh|imo|imho|fyi|ngl|lol|haha+)\b", "", text, flags=re.IGNORECASE)
    text = re.sub(r"\bw/o\b", "without", text, flags=re.IGNORECASE)
    text = re.sub(r"\bw/\s*(?=\w)", "with ", text)
    text = re.sub(r"^([^.,;]{2,40}?)\s*(?:->|=>|→)\s*(?=\S)", r"replace \1 with ", text)
    text = re.sub(
        r"\b(?!other|after|over|ever|never|under)([a-z]{3,}er) still\b(?! is)", r"even \1", text
    )
    text = "".join(" " if unicodedata.category(c) in {"So", "Sk", "Cs"} else c for c in text)
    text = re.sub(r"([!?.])\1+", r"\1", text)
    text = _MENDED_BY_HAND.sub(lambda m: m["new"], text)
    return re.sub(r"\s+", " ", text).strip()


_MENDED_BY_HAND: Final = re.compile(
    r"(?<=\s)an? [\w' -]{2,30}?,? (?:no,? (?:wait,? )?(?:i mean|sorry|rather)|i mean|scratch that|or rather),? (?P<new>an? )",
    re.IGNORECASE,
)
"""A value corrected in the same sentence: "a bear, no i mean a swarm of geese"."""


def written_out(text: str) -> str:
    """Return ``text`` with short forms expanded: "thru", "hes"."""
    short = data("requests")["short"]

    def written(found: re.Match[str]) -> str:
        return str(short.get(found[0].lower(), found[0]))

    # "w-40" is a camera's key, held for 40 frames.
    text = re.sub(r"(?<![\w'])[A-Za-z0-9]+(?![\w']|-\d)", written, text)
    text = re.sub(r"\b(he|she|it)'s got\b", r"\1 has", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(they|we)'ve got\b", r"\1 have", text, flags=re.IGNORECASE)
    text = re.sub(
        r"\b([a-z]+)'s (?=(?:an?|not|too|so|very)\s)", r"\1 is ", text, flags=re.IGNORECASE
    )
    text = re.sub(r"\b(he|she|it|there)'s\b", r"\1 is", text, flags=re.IGNORECASE)
    text = re.sub(r"\bthey're\b", "they are", text, flags=re.IGNORECASE)
    return _IT_IS.sub("it is ", text)


_IT_IS: Final = re.compile(
    r"\bits (?=(?:an?|the|just|not|so|too|very|all|really|for|in|on|like|only|still|now|been|gone|what|my|more|less|already|getting|going|almost|dark|night|full|normal|raining|snowing|nothing)\b|\w{3,}ing(?:$|[,.!]))",
    re.IGNORECASE,
)
""""its" in place of "it's"."""


def without_politeness(text: str) -> str:
    """Return ``text`` without polite phrases at its beginning and end."""
    lead = _pattern("politeness", r"(?:{0})(?![\w'-])[\s,:]*")
    trail = _pattern("trailing", r"[\s,]+(?:{0})[\s.!]*\Z")
    text = text.strip(" ,.!?;:-")
    while (found := lead.match(text)) and found.end() < len(text):
        if text[found.end() - 1].isalnum():
            break
        text = text[found.end() :]
    while (found := trail.search(text)) and found.start() > 0:
        text = text[: found.start()]
    return text.strip(" ,.!;:-")


def correction_in(text: str) -> tuple[bool, str]:
    """Return whether ``text`` begins with a correction ("no, …"), and the rest of it."""
    found = _pattern("correction", r"(?:{0})(?:\s*[,:.!-]+\s*|\s+)(?=\S)").match(text)
    if found is None:
        return False, text
    said = found[0].strip().lower()
    if said == "no":  # "no rain" is an intent, "no, rain" a correction
        return False, text
    return True, text[found.end() :].strip()


def mended(text: str, known: Collection[str]) -> str:
    """Return ``text`` with unknown words corrected to an expected word one edit away.

    ``known`` are the words of the scene; they count as expected.
    """
    words = re.findall(r"[^\W\d_]+", text.lower())
    strange = [w for w in words if not is_known(w) and w not in known and w not in _expected()]
    if len(strange) > max(1, len(words) // 4):
        return text  # another language, or nonsense: not typing errors

    def mend(found: re.Match[str]) -> str:
        word = found[0]
        low = word.lower()
        if (
            len(low) < 4
            or not word.islower()
            or is_known(low)
            or low in known
            or low in _expected()
        ):
            return word
        options = [
            w for w in _one_slip_away(low) if (w in _expected() or w in known) and w[0] == low[0]
        ]
        return options[0] if options else word

    return re.sub(r"(?<![\w'-])[a-z]{4,}(?![\w'-])", mend, text)


@cache
def _expected() -> frozenset[str]:
    """Return the words expected in requests: the parser's, the rules' and the vocabulary's."""
    from workbench.prompts.parsing.network import network  # noqa: PLC0415  imports numpy

    texts = chain(
        network().words,
        (f for r in data("session_rules")["rule"] for f in r["forms"]),
        (p for table in vocabulary().values() for t, ps in table.items() for p in (t, *ps)),
    )
    return frozenset(w for text in texts for w in re.findall(r"[a-z]{4,}", text.lower()))


@lru_cache(maxsize=512)
def _one_slip_away(word: str) -> Sequence[str]:
    """Return the words one swap, deletion or insertion away; swaps first."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    swapped = [a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1]
    less = [a + b[1:] for a, b in cuts if b]
    more = [a + c + b for a, b in cuts for c in _LETTERS]
    return tuple(dict.fromkeys([*swapped, *less, *more]))
