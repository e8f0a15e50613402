"""Trains the parser of requests on ``benchmarks/phrases`` and writes its weights.

- ``python -m benchmarks.parser_training check`` trains on 85 % of the lines and prints how the others
  are read: labels, slots and whole requests right.
- ``python -m benchmarks.parser_training write`` trains on all of them.

Both write ``workbench/prompts/parsing/data/network.npz``.

A word is its small vector, learned vectors of itself, its beginnings and endings, and what the
lexicon knows of it; a bidirectional recurrent layer reads them; two Markov layers, one over clauses
and one over the slots inside them, choose the likeliest tags. Needs torch; the parser itself runs
in numpy. Deterministic on one machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.phrases import Phrase, Span, phrases
from workbench.lexicon.tagging import tagged
from workbench.lexicon.words import content_words
from workbench.prompts.composer.composer import enhance
from workbench.prompts.parsing.clauses import words_in
from workbench.prompts.parsing.features import AFFIXES, FLAGS, Features, features_of
from workbench.prompts.parsing.labels import CLAUSE_TAGS, LABELS, SLOT_TAGS
from workbench.prompts.parsing.network import NETWORK, Network, network, write
from workbench.prompts.parsing.vectors import DIMENSIONS

_HELD_OUT: Final = 15
"""Percent of each writer's lines that are held out from training."""
_LEAST: Final = 2
"""How often a word must occur to have a vector of its own."""
_SIZES: Final = {"word": 32, "affix": 16, "flag": 40, "hidden": 128, "label": 24}
_EPOCHS: Final = 30
_BATCH: Final = 32
_POOLS: Final = 6
"""How many times each phrase is varied; epochs take turns with them."""
_JOINTS: Final = (", ", " and ", ". ", "; ", " also ", ", and ", " ", " - ", "\n")
_SEEDS: Final = (1, 2, 3)
_AS_IT_IS: Final = 0.4
_REFILLED: Final = 0.6
Fillers = dict[tuple[str, str, str, bool], list[tuple[Phrase, Span]]]


@dataclass(frozen=True, slots=True)
class Example:
    """One request as input of the network."""

    features: Features
    words: tuple[int, ...]
    clauses: tuple[int, ...]
    labels: tuple[int, ...]
    """For each word: 0, or 3 times its clause's label plus 1 for the first word, 2 for others."""
    slots: tuple[int, ...]


class Tagger(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The network during training."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        size = _SIZES
        self.word = nn.Embedding(vocabulary, size["word"])
        self.affix = nn.EmbeddingBag(AFFIXES, size["affix"], mode="sum")
        self.flag = nn.Linear(len(FLAGS), size["flag"])
        wide = DIMENSIONS + size["word"] + size["affix"] + size["flag"]
        self.reader = nn.GRU(wide, size["hidden"], bidirectional=True, batch_first=True)
        self.label = nn.Embedding(1 + 2 * len(LABELS), size["label"])
        self.clause_out = nn.Linear(2 * size["hidden"], len(CLAUSE_TAGS))
        self.slot_mid = nn.Linear(2 * size["hidden"] + size["label"], 96)
        self.slot_out = nn.Linear(96, len(SLOT_TAGS))
        for name, count in (("clause", len(CLAUSE_TAGS)), ("slot", len(SLOT_TAGS))):
            setattr(self, f"{name}_step", nn.Parameter(torch.zeros(count, count)))
            setattr(self, f"{name}_ends", nn.Parameter(torch.zeros(2, count)))
        self.drop = nn.Dropout(0.4)

    def read(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the features of each word, ``(requests, words, 2 hidden)``."""
        shape = batch["words"].shape
        affixes = self.affix(batch["affixes"].view(-1, 4)).view(*shape, -1)
        seen = torch.cat(
            [batch["vectors"], self.word(batch["words"]), affixes, torch.tanh(self.flag(batch["flags"]))],
            dim=-1,
        )  # fmt: skip
        packed = nn.utils.rnn.pack_padded_sequence(
            self.drop(seen), batch["lengths"], batch_first=True, enforce_sorted=False
        )
        out, _ = nn.utils.rnn.pad_packed_sequence(self.reader(packed)[0], batch_first=True)
        return self.drop(out)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the mean negative log-likelihood of the correct tags."""
        read = self.read(batch)
        mask = batch["mask"]
        clauses = _likelihood(
            self.clause_out(read), batch["clauses"], mask, self.clause_step, self.clause_ends
        )
        seen = torch.cat([read, self.drop(self.label(batch["labels"]))], dim=-1)
        slots = _likelihood(
            self.slot_out(torch.relu(self.slot_mid(seen))),
            batch["slots"], mask, self.slot_step, self.slot_ends,
        )  # fmt: skip
        return -(clauses + slots).mean()


def _likelihood(scores: Tensor, tags: Tensor, mask: Tensor, step: Tensor, ends: Tensor) -> Tensor:
    """Return the log-likelihood of each row of tags in a linear chain."""
    count, length, _ = scores.shape
    rows = torch.arange(count)
    total = ends[0] + scores[:, 0]
    grown = torch.exp(step)
    right = ends[0][tags[:, 0]] + scores[rows, 0, tags[:, 0]]
    for at in range(1, length):
        here = mask[:, at]
        top = total.max(dim=1, keepdim=True).values
        ahead = torch.log(torch.exp(total - top) @ grown + 1e-30) + top + scores[:, at]
        total = torch.where(here.unsqueeze(1), ahead, total)
        gain = step[tags[:, at - 1], tags[:, at]] + scores[rows, at, tags[:, at]]
        right = right + gain * here
    last = mask.sum(dim=1) - 1
    right = right + ends[1][tags[rows, last]]
    return right - torch.logsumexp(total + ends[1], dim=1)


def main() -> None:
    """Check the parser on held-out lines, or write its weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=["check", "write"])
    parser.add_argument("--seeds", type=int, default=len(_SEEDS))
    asked = parser.parse_args()
    known = phrases()
    held = [p for p in known if is_held_out(p)]
    if asked.command == "check":
        known = [p for p in known if not is_held_out(p)]
    with ProcessPoolExecutor(asked.seeds) as pool:
        made = list(pool.map(partial(trained, known), _SEEDS[: asked.seeds]))
    write(made, fillers(known))
    sys.stdout.write(f"{len(known)} phrases, {NETWORK.stat().st_size:,} bytes\n")
    if asked.command == "check":
        _report(network(), held)


def fillers(known: Sequence[Phrase]) -> list[str]:
    """Return the words that occur more than once in clauses outside slots."""
    counted = Counter[str]()
    for phrase in known:
        held = {at for slot in phrase.slots for at in range(slot.start, slot.end)}
        inside = {at for clause in phrase.clauses for at in range(clause.start, clause.end)}
        counted.update(phrase.words[at].text.lower() for at in inside - held)
    return sorted(word for word, times in counted.items() if times >= _LEAST)


def is_held_out(phrase: Phrase) -> bool:
    """Tell whether a phrase is held out for checks."""
    return zlib.crc32(phrase.request.encode()) % 100 < _HELD_OUT


def trained(known: Sequence[Phrase], seed: int) -> dict[str, Any]:
    """Return the trained weights by name, and the words that have a vector."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    choice = random.Random(seed)
    counted = Counter(w for p in known for w in features_of(p.request, p.words, p.start).words)
    words = ["", *sorted(w for w, n in counted.items() if n >= _LEAST)]
    index = {word: at for at, word in enumerate(words)}
    tagger = Tagger(len(words))
    optimizer = torch.optim.AdamW(tagger.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = _EPOCHS * (len(known) // _BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 4e-3, total_steps=steps + 1, pct_start=0.15
    )
    began = time.perf_counter()
    told = {p.start: _composed(p.start) for p in known}
    pools = []
    for number in range(_POOLS):
        # Half of the time the request is about the idea alone, half about the whole prompt.
        about = known if number % 2 else [replace(p, start=told[p.start]) for p in known]
        pools.append([_example(p, index) for p in _varied(about, choice)])
    sys.stderr.write(f"seed {seed}: read ({time.perf_counter() - began:.0f} s)\n")
    for epoch in range(_EPOCHS):
        examples = _by_length(pools[epoch % _POOLS], choice)
        tagger.train()
        total = 0.0
        for group in examples:
            batch = _batch(group, choice)
            optimizer.zero_grad()
            loss = tagger.loss(batch)
            loss.backward()
            nn.utils.clip_grad_norm_(tagger.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        if epoch % 5 == 4 or epoch == _EPOCHS - 1:
            spent = time.perf_counter() - began
            sys.stderr.write(f"seed {seed} epoch {epoch + 1}: {total:.1f} ({spent:.0f} s)\n")
    weights = {k: v.detach().numpy() for k, v in tagger.state_dict().items()}
    return {**weights, "words": words}


@cache
def _composed(start: str) -> str:
    return enhance(start).prompt


def _by_length(examples: Sequence[Example], choice: random.Random) -> list[list[Example]]:
    """Return batches of examples of similar length, in random order."""
    mixed = sorted(examples, key=lambda e: len(e.words) + choice.random() * 4)
    batches = [mixed[at : at + _BATCH] for at in range(0, len(mixed), _BATCH)]
    choice.shuffle(batches)
    return batches


def _varied(known: Sequence[Phrase], choice: random.Random) -> Iterator[Phrase]:
    """Yield the phrases, unchanged or in other letter case, some with another phrase appended."""
    fillers = _fillers(known)
    for phrase in known:
        chosen = phrase if choice.random() < _AS_IT_IS else _refilled(phrase, fillers, choice)
        if choice.random() < 0.25:
            other = choice.choice(known)
            if len(phrase.words) + len(other.words) < 34:
                chosen = _joined(phrase, other, choice.choice(_JOINTS))
        way = choice.random()
        if way < 0.2:
            yield _respelled(chosen, chosen.request.lower())
        elif way < 0.27:
            yield _respelled(chosen, chosen.request[:1].upper() + chosen.request[1:])
        else:
            yield chosen


def _fillers(known: Sequence[Phrase]) -> Fillers:
    """Return the contents of each slot of each label, by the kind of their first word."""
    made: Fillers = {}
    for phrase in known:
        for span in phrase.slots:
            made.setdefault(_filler_key(phrase, span), []).append((phrase, span))
    return made


def _filler_key(phrase: Phrase, span: Span) -> tuple[str, str, str, bool]:
    label = next(c.name for c in phrase.clauses if c.start <= span.start < c.end)
    first = phrase.words[span.start].text.lower()
    tag = next(
        (t.tag for t in tagged(phrase.request) if t.start == phrase.words[span.start].start), ""
    )
    return label, span.name, tag, first.endswith(("ing", "s"))


def _refilled(phrase: Phrase, fillers: Fillers, choice: random.Random) -> Phrase:
    """Return the phrase with other words in some of its slots, from phrases of the same label."""
    start, request, moved, ahead = phrase.start, phrase.request, [], 0
    spans = {
        id(s): (phrase.words[s.start].start, phrase.words[s.end - 1].end) for s in phrase.slots
    }
    for span in phrase.slots:
        begin, end = (at + ahead for at in spans[id(span)])
        text = request[begin:end]
        if choice.random() < _REFILLED:
            other, place = choice.choice(fillers[_filler_key(phrase, span)])
            text = other.request[other.words[place.start].start : other.words[place.end - 1].end]
            if other is not phrase and span.name in {"entity", "actor", "old", "a", "b", "what"}:
                start = f"{start}. {other.start}"
        request = request[:begin] + text + request[end:]
        moved.append((span.name, begin, begin + len(text)))
        ahead += len(text) - (end - begin)
    words = tuple(words_in(request))

    def shifted(at: int) -> int:
        """Return where the character ``at`` of the phrase is in the new request."""
        gone = 0
        for (_, begin, end), (old_begin, old_end) in zip(moved, spans.values(), strict=True):
            if old_end <= at:
                gone = end - old_end
            elif old_begin <= at:
                return begin + min(at - old_begin, end - begin)
        return at + gone

    def covering(name: str, begin: int, end: int) -> Span | None:
        inside = [i for i, w in enumerate(words) if w.start < end and w.end > begin]
        return Span(name, inside[0], inside[-1] + 1) if inside else None

    slots = [covering(*one) for one in moved]
    clauses = [
        covering(c.name, shifted(phrase.words[c.start].start), shifted(phrase.words[c.end - 1].end))
        for c in phrase.clauses
    ]
    if None in slots or None in clauses:
        return phrase
    return Phrase(start, request, words, tuple(filter(None, clauses)), tuple(filter(None, slots)))


def _respelled(phrase: Phrase, request: str) -> Phrase:
    words = tuple(words_in(request))
    if len(words) != len(phrase.words):
        return phrase
    return replace(phrase, request=request, words=words)


def _joined(one: Phrase, other: Phrase, joint: str) -> Phrase:
    request = one.request + joint + other.request
    words = tuple(words_in(request))
    ahead = len(words) - len(other.words)

    def moved(spans: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(Span(s.name, s.start + ahead, s.end + ahead) for s in spans)

    return Phrase(
        f"{one.start}. {other.start}", request, words,
        (*one.clauses, *moved(other.clauses)), (*one.slots, *moved(other.slots)),
    )  # fmt: skip


def _example(phrase: Phrase, index: dict[str, int]) -> Example:
    seen = features_of(phrase.request, phrase.words, phrase.start)
    count = len(phrase.words)
    clauses, labels, slots = [0] * count, [0] * count, [0] * count
    for span in phrase.clauses:
        for at in range(span.start, span.end):
            tag = f"{'B' if at == span.start else 'I'}-{span.name}"
            clauses[at] = labels[at] = CLAUSE_TAGS.index(tag)
    for span in phrase.slots:
        for at in range(span.start, span.end):
            slots[at] = SLOT_TAGS.index(f"{'B' if at == span.start else 'I'}-{span.name}")
    words = tuple(index.get(word, 0) for word in seen.words)
    return Example(seen, words, tuple(clauses), tuple(labels), tuple(slots))


def _batch(examples: Sequence[Example], choice: random.Random) -> dict[str, Tensor]:
    """Return the examples as tensors; some words are masked, so that context must suffice."""
    count, length = len(examples), max(len(e.words) for e in examples)
    made = {
        name: torch.zeros(count, length, dtype=torch.long)
        for name in ("words", "clauses", "labels", "slots")
    }
    vectors = torch.zeros(count, length, DIMENSIONS)
    flags = torch.zeros(count, length, len(FLAGS))
    affixes = torch.zeros(count, length, 4, dtype=torch.long)
    for row, one in enumerate(examples):
        size = len(one.words)
        for name in ("clauses", "labels", "slots"):
            made[name][row, :size] = torch.tensor(getattr(one, name))
        hidden = [0 if choice.random() < 0.12 else w for w in one.words]
        made["words"][row, :size] = torch.tensor(hidden)
        vectors[row, :size] = torch.from_numpy(one.features.vectors)
        flags[row, :size] = torch.from_numpy(one.features.flags)
        affixes[row, :size] = torch.from_numpy(one.features.affixes)
    lengths = torch.tensor([len(e.words) for e in examples])
    mask = torch.arange(length).unsqueeze(0) < lengths.unsqueeze(1)
    return made | {
        "vectors": vectors, "flags": flags, "affixes": affixes, "lengths": lengths, "mask": mask,
    }  # fmt: skip


def _report(network: Network, held: Sequence[Phrase]) -> None:
    """Print how many of the phrases are read as annotated."""
    whole = 0
    names, loose, near = Counter[str](), Counter[str](), 0
    slot = Counter[str]()
    wrong: list[str] = []
    sure: list[tuple[float, bool]] = []
    for phrase in held:
        found = network.parse(phrase.request, phrase.start)
        labels = Counter(c.label for c in found.clauses)
        slots = {(c.label, s.name, s.start, s.end) for c in found.clauses for s in c.slots}
        owners = {
            s: next(c.name for c in phrase.clauses if c.start <= s.start < c.end)
            for s in phrase.slots
        }
        want_slots = {(owners[s], s.name, s.start, s.end) for s in phrase.slots}
        slot += Counter(right=len(slots & want_slots), found=len(slots), want=len(want_slots))
        wanted = Counter(c.name for c in phrase.clauses)
        names += Counter(right=(labels & wanted).total(), found=labels.total(), want=wanted.total())
        said = Counter((c.label, s.name, _content(s.text)) for c in found.clauses for s in c.slots)
        text = phrase.request
        want_said = Counter(
            (
                owners[s],
                s.name,
                _content(text[phrase.words[s.start].start : phrase.words[s.end - 1].end]),
            )
            for s in phrase.slots
        )
        loose += Counter(
            right=(said & want_said).total(), found=said.total(), want=want_said.total()
        )
        near += labels == wanted and said == want_said
        is_right = labels == wanted and slots == want_slots
        sure += [
            (
                c.sureness,
                all(x in want_slots for x in [(c.label, s.name, s.start, s.end) for s in c.slots])
                and c.label in wanted,
            )
            for c in found.clauses
        ]
        whole += is_right
        if not is_right:
            marks = " ".join(
                f"({c.label} {' '.join(f'[{s.name} {s.text}]' for s in c.slots)})"
                for c in found.clauses
            )
            wrong.append(f"{phrase.start} | {phrase.request}\n     {marks}")
    for line in wrong:
        sys.stdout.write(line + "\n")
    for name, counts in (("label", names), ("slot", slot), ("slot in content words", loose)):
        f1 = 2 * counts["right"] / max(1, counts["found"] + counts["want"])
        sys.stdout.write(f"{name} F1 {100 * f1:.1f}\n")
    for low in (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95):
        group = [right for s, right in sure if s >= low]
        sys.stdout.write(
            f"  sureness ≥ {low}: {len(group)} clauses, {100 * sum(group) / max(1, len(group)):.1f} % right\n"
        )
    sys.stdout.write(
        f"{len(held)} requests, {100 * whole / len(held):.1f} % whole, "
        f"{100 * near / len(held):.1f} % in content words\n"
    )


def _content(text: str) -> str:
    return " ".join(content_words(text)) or text.lower()


if __name__ == "__main__":
    main()
