"""The learned network that reads requests: runs in numpy what ``benchmarks.parser_training`` made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.prompts.parsing.features import Features, Word, features_of, words_in
from workbench.prompts.parsing.labels import CLAUSE_TAGS, LABELS, SLOT_TAGS, slots_of

__all__ = ["NETWORK", "Clause", "Network", "Parse", "Slot", "network", "write"]

NETWORK: Final = Path(__file__).parent / "data" / "network.npz"
_Array = NDArray[np.float32]
_NEVER: Final = np.float32(-1e4)
_NAMES: Final = tuple(LABELS)


@dataclass(frozen=True, slots=True)
class Slot:
    """Some words of a clause that say one thing of the wish."""

    name: str
    text: str
    start: int
    """The first of its words, by number."""
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """One wish of a request."""

    label: str
    text: str
    start: int
    end: int
    slots: tuple[Slot, ...]
    sureness: float
    """How likely label and slots are, between 0 and 1."""

    def slot(self, name: str) -> str:
        """Return the words of the slot ``name``; empty where the clause has none."""
        return next((slot.text for slot in self.slots if slot.name == name), "")


@dataclass(frozen=True, slots=True)
class Parse:
    """A request with its wishes."""

    text: str
    words: tuple[Word, ...]
    clauses: tuple[Clause, ...]


class Network:
    """Several networks that vote, each trained from another beginning."""

    def __init__(self, members: Sequence[Mapping[str, Any]]) -> None:
        self._members = [
            {k: np.asarray(v, np.float32) for k, v in one.items() if k != "words"}
            for one in members
        ]
        self.words: Sequence[str] = members[0]["words"]
        self._index = {word: at for at, word in enumerate(self.words)}
        self._clause_step = sum(m["clause_step"] for m in self._members) / len(members) + _legal(
            CLAUSE_TAGS
        )
        self._slot_step = sum(m["slot_step"] for m in self._members) / len(members) + _legal(
            SLOT_TAGS
        )
        self._clause_ends = _ends(
            sum(m["clause_ends"] for m in self._members) / len(members), CLAUSE_TAGS
        )
        self._slot_ends = _ends(
            sum(m["slot_ends"] for m in self._members) / len(members), SLOT_TAGS
        )

    def parse(self, request: str, prompt: str) -> Parse:
        """Return the wishes of ``request``, which is about ``prompt``."""
        words = words_in(request)
        if not words:
            return Parse(request, (), ())
        seen = features_of(request, words, prompt)
        read = [_read(m, seen, self._index) for m in self._members]
        scores = sum(
            r @ m["clause_out.weight"].T + m["clause_out.bias"]
            for r, m in zip(read, self._members, strict=True)
        )
        scores = scores / len(read)
        tags, _ = _best(scores, self._clause_step, self._clause_ends)
        clause_sure = _marginals(scores, self._clause_step, self._clause_ends)[
            np.arange(len(words)), tags
        ]
        spans = _spans([CLAUSE_TAGS[t] for t in tags])
        slot_scores = sum(
            _slots(m, r, tags) for r, m in zip(read, self._members, strict=True)
        ) / len(read)
        slot_scores = slot_scores + _allowed(tags)
        slot_tags, _ = _best(slot_scores, self._slot_step, self._slot_ends)
        slot_sure = _marginals(slot_scores, self._slot_step, self._slot_ends)[
            np.arange(len(words)), slot_tags
        ]
        named = [SLOT_TAGS[t] for t in slot_tags]
        clauses = [
            _clause(
                label, a, b, found, (clause_sure[a:b].min() * slot_sure[a:b].min()), request, words
            )
            for label, start, end in spans
            for a, b, found in _apart(_spans(named[start:end]), start, end)
        ]
        return Parse(request, tuple(words), tuple(clauses))


def write(members: Sequence[Mapping[str, Any]]) -> None:
    """Write the weights of several networks, each with the words that it knows, to the one file."""
    data: dict[str, Any] = {}
    for at, one in enumerate(members):
        data |= {f"{at}.{k}": np.asarray(v, np.float16) for k, v in one.items() if k != "words"}
    words = "\n".join(members[0]["words"])
    np.savez_compressed(NETWORK, words=np.frombuffer(words.encode(), np.uint8), **data)


@cache
def network() -> Network:
    """Return the network of the file."""
    with np.load(NETWORK) as file:
        words = file["words"].tobytes().decode().split("\n")
        members: dict[str, dict[str, Any]] = {}
        for name in file.files:
            if name != "words":
                at, _, key = name.partition(".")
                members.setdefault(at, {"words": words})[key] = file[name]
    return Network(list(members.values()))


def _read(m: Mapping[str, _Array], seen: Features, index: Mapping[str, int]) -> _Array:
    """Return what one network reads of each word, from left and from right."""
    rows = [index.get(word, 0) for word in seen.words]
    flags = np.tanh(seen.flags @ m["flag.weight"].T + m["flag.bias"])
    affixes = m["affix.weight"][seen.affixes].sum(axis=1)
    inputs = np.concatenate([seen.vectors, m["word.weight"][rows], affixes, flags], axis=1)
    ahead = _recurrent(inputs, m, "")
    back = _recurrent(inputs[::-1], m, "_reverse")[::-1]
    return np.concatenate([ahead, back], axis=1)


def _recurrent(inputs: _Array, m: Mapping[str, _Array], suffix: str) -> _Array:
    """Run a gated recurrent layer over the words."""
    given = inputs @ m[f"reader.weight_ih_l0{suffix}"].T + m[f"reader.bias_ih_l0{suffix}"]
    weight, bias = m[f"reader.weight_hh_l0{suffix}"], m[f"reader.bias_hh_l0{suffix}"]
    size = weight.shape[1]
    state = np.zeros(size, np.float32)
    out = np.empty((len(inputs), size), np.float32)
    for at, given_here in enumerate(given):
        past = weight @ state + bias
        gates = 1.0 / (1.0 + np.exp(-(given_here[: 2 * size] + past[: 2 * size])))
        fresh = np.tanh(given_here[2 * size :] + gates[:size] * past[2 * size :])
        state = fresh + gates[size:] * (state - fresh)
        out[at] = state
    return out


def _slots(m: Mapping[str, _Array], read: _Array, tags: Sequence[int]) -> _Array:
    """Return the scores of the slot tags, given those of the clauses."""
    seen = np.concatenate([read, m["label.weight"][list(tags)]], axis=1)
    middle = np.maximum(seen @ m["slot_mid.weight"].T + m["slot_mid.bias"], 0.0)
    scores: _Array = middle @ m["slot_out.weight"].T + m["slot_out.bias"]
    return scores


def _clause(
    label: str,
    start: int,
    end: int,
    found: Sequence[tuple[str, int, int]],
    sureness: float,
    request: str,
    words: Sequence[Word],
) -> Clause:
    def said(a: int, b: int) -> str:
        return request[words[a].start : words[b - 1].end]

    slots = tuple(Slot(name, said(a, b), a, b) for name, a, b in found)
    return Clause(label, said(start, end), start, end, slots, float(sureness))


_WHO: Final = frozenset(["entity", "actor"])


def _apart(
    slots: Sequence[tuple[str, int, int]], start: int, end: int
) -> list[tuple[int, int, list[tuple[str, int, int]]]]:
    """Return the clauses that a run of slots tells: a second of whom begins one, others are joined."""
    made: list[tuple[int, int, list[tuple[str, int, int]]]] = [(start, end, [])]
    for name, a, b in slots:
        here = made[-1][2]
        at = next((i for i, one in enumerate(here) if one[0] == name), None)
        if at is None:
            here.append((name, a + start, b + start))
        elif name in _WHO and len(here) > 1:
            made[-1] = (made[-1][0], a + start, here)
            made.append((a + start, end, [(name, a + start, b + start)]))
        elif at == len(here) - 1:
            here[at] = (name, here[at][1], b + start)
    return made


@cache
def _legal(tags: Sequence[str]) -> _Array:
    """Return what a step from one tag to the next costs: no inside without its beginning."""
    made = np.zeros((len(tags), len(tags)), np.float32)
    for j, after in enumerate(tags):
        if after.startswith("I-"):
            for i, before in enumerate(tags):
                if before[2:] != after[2:]:
                    made[i, j] = _NEVER
    return made


def _ends(ends: _Array, tags: Sequence[str]) -> _Array:
    made = ends.copy()
    made[0] += np.array([_NEVER if tag.startswith("I-") else 0.0 for tag in tags], np.float32)
    return made


def _allowed(tags: Sequence[int]) -> _Array:
    """Return what slot tags cost where the clause's label does not have them."""
    made = np.full((len(tags), len(SLOT_TAGS)), _NEVER, np.float32)
    for at, tag in enumerate(tags):
        name = CLAUSE_TAGS[tag]
        made[at, 0] = 0.0
        if name != "O":
            made[at, _columns(name[2:], inside=name.startswith("I-"))] = 0.0
    return made


@cache
def _columns(label: str, *, inside: bool) -> list[int]:
    return [
        i
        for i, tag in enumerate(SLOT_TAGS)
        if tag[2:] in slots_of(label) and (inside or tag.startswith("B-"))
    ]


def _best(scores: _Array, step: _Array, ends: _Array) -> tuple[list[int], float]:
    """Return the likeliest row of tags, and its score."""
    total = ends[0] + scores[0]
    back: list[NDArray[np.int64]] = []
    for here in scores[1:]:
        ways = total[:, None] + step
        back.append(ways.argmax(axis=0))
        total = ways.max(axis=0) + here
    total = total + ends[1]
    tags = [int(total.argmax())]
    for row in reversed(back):
        tags.append(int(row[tags[-1]]))
    return tags[::-1], float(total.max())


def _marginals(scores: _Array, step: _Array, ends: _Array) -> _Array:
    """Return how likely each tag is at each word."""
    grown = np.exp(np.maximum(step, -50.0))
    ahead = np.empty(scores.shape, np.float32)
    total = ends[0] + scores[0]
    ahead[0] = total
    for at in range(1, len(scores)):
        top = total.max()
        total = np.log(np.exp(total - top) @ grown + 1e-30) + top + scores[at]
        ahead[at] = total
    back = np.empty(scores.shape, np.float32)
    total = ends[1].copy()
    back[-1] = total
    for at in range(len(scores) - 2, -1, -1):
        given = total + scores[at + 1]
        top = given.max()
        total = np.log(grown @ np.exp(given - top) + 1e-30) + top
        back[at] = total
    both = ahead + back
    both -= both.max(axis=1, keepdims=True)
    likely: _Array = np.exp(both)
    likely /= likely.sum(axis=1, keepdims=True)
    return likely


def _spans(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return name, start and end of each run of tags."""
    made: list[tuple[str, int, int]] = []
    for at, tag in enumerate(tags):
        if tag.startswith("B-"):
            made.append((tag[2:], at, at + 1))
        elif tag.startswith("I-") and made and made[-1][2] == at:
            made[-1] = (made[-1][0], made[-1][1], at + 1)
    return made
