"""The words of a sentence outside its clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.requests import (
    without_politeness,
    written_out,
)
from workbench.prompts.intents.strange_words import means_something
from workbench.prompts.parsing.clauses import Clause, Parse, words_in

__all__ = ["runs_of", "strays"]


def strays(clauses: Sequence[Clause], said: str) -> bool:
    """Tell whether more than one content word of a sentence is outside its clauses."""
    rest = said
    for clause in clauses:
        rest = rest.replace(written_out(clause.text), " ")
    rest = without_politeness(rest)
    words = [w for w in re.findall(r"[\w'-]+", rest) if means_something(w)]
    return len(words) > 1


def runs_of(
    parse: Parse, start: int, end: int, taken: Mapping[Clause, Candidate]
) -> Iterator[Clause | str]:
    """Yield the taken clauses of a sentence and the text between them, in order."""
    if not taken:
        yield parse.text[start:end].strip(" ,.;:")
        return
    at = start
    for clause in sorted(taken, key=lambda c: c.start):
        begin, stop = parse.words[clause.start].start, parse.words[clause.end - 1].end
        if (words := _trimmed(parse.text[at:begin])) and begin > at:
            yield words
        yield clause
        at = stop
    if words := _trimmed(parse.text[at:end]):
        yield words


def _trimmed(text: str) -> str:
    """Return the text between clauses without conjunctions; empty if it has no content words."""
    text = re.sub(
        r"^(?:[\s,.;:()-]|(?:and|but|then|also|plus|with|while|so)\b(?! (?:he|she|it|they)\b))+|(?:[\s,.;:(-]|\b(?:and|but|then|also|plus|while|so|with|to)\b)+$",
        "",
        text,
        flags=re.IGNORECASE,
    )
    return text if any(means_something(w.text) for w in words_in(text)) else ""
