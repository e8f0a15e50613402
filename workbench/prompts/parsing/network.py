"""Runs the request parser in numpy; ``benchmarks.parser_training`` trains it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.prompts.parsing.clauses import Clause, Parse, Slot, Word, words_in
from workbench.prompts.parsing.features import Features, features_of
from workbench.prompts.parsing.labels import ALIKE, CLAUSE_TAGS, LABELS, SLOT_TAGS, slots_of

__all__ = ["NETWORK", "Network", "network", "write"]

NETWORK: Final = Path(__file__).parent / "data" / "network.npz"
_Array = NDArray[np.float32]
_NEVER: Final = np.float32(-1e4)
_NAMES: Final = tuple(LABELS)


_UNREAD: Final = 0.5
"""Factor on a clause's confidence for each word that is neither in a slot nor a filler."""


class Network:
    """An ensemble of networks trained from different seeds; their scores are averaged."""

    def __init__(self, members: Sequence[Mapping[str, Any]], fillers: Iterable[str]) -> None:
        self._members = [
            {k: np.asarray(v, np.float32) for k, v in one.items() if k != "words"}
            for one in members
        ]
        self.words: Sequence[str] = members[0]["words"]
        self._fillers = frozenset(fillers)
        self._index = {word: at for at, word in enumerate(self.words)}
        self._layers = {
            name: _stacked(self._members, name)
            for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        }
        self._clause_step = self._mean("clause_step") + _legal(CLAUSE_TAGS)
        self._slot_step = self._mean("slot_step") + _legal(SLOT_TAGS)
        self._clause_ends = _ends(self._mean("clause_ends"), CLAUSE_TAGS)
        self._slot_ends = _ends(self._mean("slot_ends"), SLOT_TAGS)

    def _mean(self, name: str) -> _Array:
        return _mean([m[name] for m in self._members])

    def parse(self, request: str, prompt: str) -> Parse:
        """Return the clauses of ``request``, which is about ``prompt``."""
        words = words_in(request)
        if not words:
            return Parse(request, (), ())
        seen = features_of(request, words, prompt)
        given = [_seen_by(m, seen, self._index) for m in self._members]
        read = _recurrent(given, self._layers)
        both = list(zip(self._members, read, strict=True))
        scores = _mean([r @ m["clause_out.weight"].T + m["clause_out.bias"] for m, r in both])
        tags = _best(scores, self._clause_step, self._clause_ends)
        likely = _marginals(scores, self._clause_step, self._clause_ends)
        sure = _sureness(likely, tags, _alike(CLAUSE_TAGS))
        slot_scores = _mean([_slots(m, r, tags) for m, r in both]) + _allowed(tags)
        slot_tags = _best(slot_scores, self._slot_step, self._slot_ends)
        likely = _marginals(slot_scores, self._slot_step, self._slot_ends)
        sure += _sureness(likely, slot_tags, _alike(SLOT_TAGS))
        named = [SLOT_TAGS[t] for t in slot_tags]
        clauses = [
            _clause(label, a, b, found, np.exp(sure[a:b].mean()), request, words)
            for label, start, end in _spans([CLAUSE_TAGS[t] for t in tags])
            for a, b, found in _apart(_spans(named[start:end]), start, end)
        ]
        clauses = _rejoined(clauses, request, words)
        return Parse(request, tuple(words), tuple(self._doubted(c, words) for c in clauses))

    def _doubted(self, clause: Clause, words: Sequence[Word]) -> Clause:
        """Return the clause with its confidence lowered for each content word outside its slots."""
        held = {at for slot in clause.slots for at in range(slot.start, slot.end)}
        unread = sum(
            words[at].text[0].isalnum() and words[at].text.lower() not in self._fillers
            for at in range(clause.start, clause.end)
            if at not in held
        )
        return replace(clause, sureness=clause.sureness * _UNREAD**unread) if unread else clause


def _rejoined(clauses: Sequence[Clause], request: str, words: Sequence[Word]) -> list[Clause]:
    """Return the clauses, merging one with only an entity or actor with the next of its label."""
    made: list[Clause] = []
    for clause in clauses:
        last = made[-1] if made else None
        if last is None or last.label != clause.label or clause.start - last.end > 1:
            made.append(clause)
            continue
        names = {slot.name for slot in last.slots}
        others = {slot.name for slot in clause.slots}
        if names and others and names <= _WHO and not others & _WHO:
            slots = [(s.name, s.start, s.end) for s in (*last.slots, *clause.slots)]
            sureness = (last.sureness + clause.sureness) / 2
            made[-1] = _clause(
                clause.label, last.start, clause.end, slots, sureness, request, words
            )
        else:
            made.append(clause)
    return made


def write(members: Sequence[Mapping[str, Any]], fillers: Sequence[str]) -> None:
    """Write the weights and vocabulary of the ensemble to ``NETWORK``.

    ``fillers`` are words that occur in clauses outside their slots. Matrices are written as int8
    with a scale for each row.
    """
    data: dict[str, Any] = {}
    for at, one in enumerate(members):
        for name, value in one.items():
            if name == "words":
                continue
            table = np.asarray(value, np.float32)
            if table.ndim == 2 and not name.endswith(("_step", "_ends")):
                scale = np.abs(table).max(axis=1, keepdims=True) / 127 + 1e-9
                data[f"{at}.{name}"] = np.round(table / scale).astype(np.int8)
                data[f"{at}.{name}.scale"] = scale.astype(np.float16)
            else:
                data[f"{at}.{name}"] = table.astype(np.float16)
    data["words"] = np.frombuffer("\n".join(members[0]["words"]).encode(), np.uint8)
    data["fillers"] = np.frombuffer("\n".join(fillers).encode(), np.uint8)
    np.savez_compressed(NETWORK, **data)


@cache
def network() -> Network:
    """Return the network stored in ``NETWORK``."""
    with np.load(NETWORK) as file:
        words, fillers = (file[n].tobytes().decode().split("\n") for n in ("words", "fillers"))
        members: dict[str, dict[str, Any]] = {}
        for name in file.files:
            at, _, key = name.partition(".")
            if key and not key.endswith(".scale"):
                table = file[name].astype(np.float32)
                scale = f"{name}.scale"
                members.setdefault(at, {"words": words})[key] = (
                    table * file[scale].astype(np.float32) if scale in file.files else table
                )
    return Network(list(members.values()), fillers)


def _mean(tables: Sequence[_Array]) -> _Array:
    found: _Array = np.mean(np.stack(tables), axis=0, dtype=np.float32)
    return found


def _seen_by(m: Mapping[str, _Array], seen: Features, index: Mapping[str, int]) -> _Array:
    """Return one member's input vector for each word."""
    rows = [index.get(word, 0) for word in seen.words]
    flags = np.tanh(seen.flags @ m["flag.weight"].T + m["flag.bias"])
    affixes = m["affix.weight"][seen.affixes].sum(axis=1)
    return np.concatenate([seen.vectors, m["word.weight"][rows], affixes, flags], axis=1)


def _stacked(members: Sequence[Mapping[str, _Array]], name: str) -> _Array:
    """Return one weight of all members' recurrent layers, forward and backward, stacked."""
    return np.stack([m[f"reader.{name}_l0{way}"] for m in members for way in ("", "_reverse")])


def _recurrent(inputs: Sequence[_Array], layers: Mapping[str, _Array]) -> list[_Array]:
    """Return the outputs of the bidirectional gated recurrent layer of each member.

    All members step together. Uses ``einsum``, because the threads of ``matmul`` cost more than
    they save for matrices this small.
    """
    ways = np.stack([one[::step] for one in inputs for step in (1, -1)], axis=1)
    given = np.einsum("nkd,kgd->nkg", ways, layers["weight_ih"]) + layers["bias_ih"]
    weight, bias = layers["weight_hh"], layers["bias_hh"]
    count, _, size = weight.shape
    state = np.zeros((count, size), np.float32)
    out = np.empty((len(given), *state.shape), np.float32)
    for at, here in enumerate(given):
        past = np.einsum("kgh,kh->kg", weight, state) + bias
        gates = 1.0 / (1.0 + np.exp(-(here[:, : 2 * size] + past[:, : 2 * size])))
        fresh = np.tanh(here[:, 2 * size :] + gates[:, :size] * past[:, 2 * size :])
        state = fresh + gates[:, size:] * (state - fresh)
        out[at] = state
    return [np.concatenate([out[:, k], out[::-1, k + 1]], axis=1) for k in range(0, count, 2)]


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
    """Split a run of slots into clauses: a second entity or actor begins one, others are merged."""
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
    """Return the transition scores that forbid an inside tag without its beginning."""
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
    """Return scores that forbid the slot tags which each clause's label does not have."""
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


def _sureness(likely: _Array, tags: Sequence[int], alike: _Array) -> _Array:
    """Return for each word the log probability of its tag or an equivalent one."""
    both = (likely @ alike)[np.arange(len(tags)), list(tags)]
    found: _Array = np.log(np.clip(both, 1e-6, 1.0))
    return found


@cache
def _alike(tags: Sequence[str]) -> _Array:
    """Return the matrix of equivalent tags: B and I tags, and labels of one group of ``ALIKE``."""
    groups = [
        next((group for group in ALIKE if tag[2:] in group.split()), tag[2:] or tag) for tag in tags
    ]
    return np.array([[float(a == b) for b in groups] for a in groups], np.float32)


def _best(scores: _Array, step: _Array, ends: _Array) -> list[int]:
    """Return the most likely tag sequence (Viterbi)."""
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
    return tags[::-1]


def _marginals(scores: _Array, step: _Array, ends: _Array) -> _Array:
    """Return the probability of each tag at each word (forward-backward)."""
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
    """Return the name, start and end of each tagged span."""
    made: list[tuple[str, int, int]] = []
    for at, tag in enumerate(tags):
        if tag.startswith("B-"):
            made.append((tag[2:], at, at + 1))
        elif tag.startswith("I-") and made and made[-1][2] == at:
            made[-1] = (made[-1][0], made[-1][1], at + 1)
    return made
