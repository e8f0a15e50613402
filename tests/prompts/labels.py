"""Hand-made labels of prompts, and how well a reading agrees with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workbench.lexicon.morphology import lemma
from workbench.scene import Scene, terms

FIELDS: Final = (
    "subject",
    "action",
    "setting",
    "time_of_day",
    "weather",
    "camera_movement",
    "shot_size",
    "style",
)
MEASURING: Final = Path(__file__).parents[3] / "shared" / "data"
"""The folder of prompt lists for measuring, beside the checkout; not part of the project."""
_DATA: Final = Path(__file__).parent / "data"
_SMALL: Final = frozenset(["a", "an", "the", "of", "in", "on", "at", "his", "her", "its", "their"])


@dataclass(frozen=True, slots=True)
class Label:
    """One prompt and, by field, what readers say of it: any of the alternatives is right."""

    name: str
    prompt: str
    said: dict[str, tuple[str, ...]]


@dataclass(slots=True)
class Score:
    """Agreement on one field over many prompts."""

    credit: float = 0.0
    predicted: int = 0
    labelled: int = 0
    exact: int = 0
    total: int = 0
    misses: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; partly right free text counts in part."""
        if not self.predicted + self.labelled:
            return 1.0
        return 2 * self.credit / (self.predicted + self.labelled)


def own_labels() -> list[Label]:
    """Return the labelled prompts that were written for this project."""
    return [Label(f"own:{i}", row[0], _said(row[1:])) for i, row in enumerate(_rows("own_labels"))]


def measuring_labels() -> list[Label]:
    """Return the labelled prompts of the measuring lists; needs their folder."""
    lists: dict[str, list[str]] = {}
    found = []
    for row in _rows("vbench_labels"):
        name, line = row[0], int(row[1])
        if name not in lists:
            lists[name] = (MEASURING / f"{name}.txt").read_text("utf-8").splitlines()
        found.append(Label(f"{name}:{line}", lists[name][line - 1], _said(row[2:])))
    return found


def measuring_prompts() -> list[str]:
    """Return all prompts of the measuring lists; needs their folder."""
    names = ("vbench_category", "vbench_dimension")
    return [
        line for n in names for line in (MEASURING / f"{n}.txt").read_text("utf-8").splitlines()
    ]


def score(pairs: Iterable[tuple[Label, Scene]]) -> dict[str, Score]:
    """Return the agreement between labels and scenes, field by field."""
    scores = {name: Score() for name in FIELDS}
    for label, scene in pairs:
        for name, agreed in scores.items():
            _count(agreed, label, name, str(getattr(scene, name)))
    return scores


def _count(agreed: Score, label: Label, name: str, found: str) -> None:
    right = label.said[name]
    agreed.total += 1
    if not found and "" in right:
        agreed.exact += 1
        return
    credit = max(_likeness(found, one, exact=bool(terms(name))) for one in right)
    agreed.credit += credit
    agreed.predicted += bool(found)
    agreed.labelled += "" not in right or credit > 0
    agreed.exact += credit == 1.0
    if credit < 1.0:
        agreed.misses.append((label.name, found, right))


def _likeness(found: str, right: str, *, exact: bool) -> float:
    if exact:
        return float(found.lower() == right.lower() and bool(right))
    mine, theirs = _words(found), _words(right)
    if not mine or not theirs:
        return 0.0
    shared = sum(min(mine.count(w), theirs.count(w)) for w in set(mine))
    return 2 * shared / (len(mine) + len(theirs))


def _words(text: str) -> list[str]:
    found = [w.lower() for w in re.findall(r"[\w'-]+", text)]
    kept = [w for w in found if w not in _SMALL] or found
    return [lemma(w, "VERB") if w.endswith(("ing", "ed")) else lemma(w, "NOUN") for w in kept]


def stem(word: str) -> str:
    """Return what the forms of a word share: "flying" and "flies" are one."""
    return lemma(lemma(word, "VERB"), "NOUN")[:4]


def _rows(name: str) -> list[list[str]]:
    lines = (_DATA / f"{name}.tsv").read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")][1:]


def _said(row: Sequence[str]) -> dict[str, tuple[str, ...]]:
    alternatives = [tuple(a.strip() for a in cell.split(" / ")) for cell in row]
    cleaned = [tuple("" if a == "-" else a for a in cell) for cell in alternatives]
    return dict(zip(FIELDS, cleaned, strict=True))
