"""The prompt side's promises: understanding, prose, speed, tuning, history.

Run with ``python -m benchmarks.prompts``. What is measured on the lists of real prompts beside the
checkout is left out, and said so, where they are missing.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.report import Figure, percentile, print_report
from tests.prompts.labels import (
    MEASURING,
    Label,
    measuring_labels,
    measuring_prompts,
    own_labels,
    score,
)
from tests.prompts.requests import corpus
from tests.prompts.sense import contradictions, lost_words
from tests.prompts.test_sessions import filled_session
from workbench.prompts import PromptWriter, Sessions
from workbench.prompts.composer.composer import enhance, scene_of
from workbench.prompts.composer.tuning import revise
from workbench.prompts.composer.varying import vary
from workbench.prompts.composer.words import sentences
from workbench.settings import Settings

_FIRST = (
    "import time; t = time.perf_counter(); "
    "from workbench.prompts.composer.composer import enhance; "
    "enhance('dog running'); print(time.perf_counter() - t)"
)
_IMPORT = (
    "import time; t = time.perf_counter(); import workbench.prompts; print(time.perf_counter() - t)"
)


def main() -> None:
    """Measure and print."""
    lists = MEASURING.is_dir()
    prompts = measuring_prompts() if lists else [label.prompt for label in own_labels()]
    print_report("prompts: understanding", _understanding("own prompts", own_labels()))
    if lists:
        print_report(
            "prompts: understanding, real", _understanding("real prompts", measuring_labels())
        )
    else:
        print("The lists of real prompts are missing; what follows is measured on own prompts.\n")
    print_report(f"prompts: prose over {len(prompts)} prompts", _prose(prompts))
    print_report("prompts: tuning and variations", [*_tuning(), *_variations(prompts[:60])])
    print_report("prompts: speed", [*_speed(prompts), *_history()])


def _understanding(name: str, labels: Sequence[Label]) -> list[Figure]:
    scores = score((label, scene_of(label.prompt)) for label in labels)
    held = score((label, scene_of(label.prompt)) for label in labels[1::2])
    figures = [Figure(f"{name} labelled", len(labels), "")]
    for field, agreed in scores.items():
        figures += [
            Figure(f"{field}: F1", agreed.f1, "", 0.90, at_most=False),
            Figure(f"{field}: F1 on the held-out half", held[field].f1, ""),
            Figure(f"{field}: wholly right", agreed.exact / agreed.total, ""),
        ]
    return figures


def _prose(prompts: Sequence[str]) -> list[Figure]:
    drafts = [enhance(prompt) for prompt in prompts]
    pairs = list(zip(prompts, drafts, strict=True))
    words = [len(draft.prompt.split()) for draft in drafts]
    said = [set(sentences(draft.prompt)) for draft in drafts]
    common = Counter(s for own in said for s in own).most_common(1)[0][1]
    return [
        Figure("fewest words", min(words), "", 60, at_most=False),
        Figure("most words", max(words), "", 120),
        Figure(
            "prompts that lost a word", sum(bool(lost_words(p, d.prompt)) for p, d in pairs), "", 0
        ),
        Figure("prompts that contradict", sum(bool(contradictions(p, d)) for p, d in pairs), "", 0),
        Figure("share of the commonest sentence", 100 * common / len(prompts), "%", 2),
        Figure("pairs sharing half of their sentences", _alike(said), "", 0),
    ]


def _alike(said: Sequence[set[str]]) -> int:
    where = defaultdict(list)
    for number, own in enumerate(said):
        for sentence in own:
            where[sentence].append(number)
    shared = Counter(p for ns in where.values() for p in itertools.combinations(ns, 2))
    return sum(2 * n >= min(len(said[a]), len(said[b])) for (a, b), n in shared.items())


def _tuning() -> list[Figure]:
    asked = corpus()
    right = 0
    for one in asked:
        revision = revise(one.prompt, one.scene, one.request)
        right += not one.problems(revision.scene) and revision.understood is one.understood
    return [
        Figure("requests in the corpus", len(asked), "", 200, at_most=False),
        Figure("requests right field by field", 100 * right / len(asked), "%", 95, at_most=False),
    ]


def _variations(prompts: Sequence[str]) -> list[Figure]:
    fields = []
    for prompt in prompts:
        draft = enhance(prompt)
        fields += [len(v.changes) for v in vary([(draft.prompt, draft.scene)], 7)]
    return [
        Figure("fewest fields a variation changes", min(fields), "", 2, at_most=False),
        Figure("most fields a variation changes", max(fields), "", 4),
    ]


def _speed(prompts: Sequence[str]) -> list[Figure]:
    drafts = [enhance(prompt) for prompt in prompts[:50]]
    fresh = [f"{prompt} in {place}" for prompt in prompts[:100] for place in ("a valley", "Oslo")]
    asked = corpus()
    enhancing = [_timed(partial(enhance, p)) for p in fresh]
    varying = [_timed(partial(vary, [(d.prompt, d.scene)], 7, seed=1)) for d in drafts]
    tuning = [_timed(partial(revise, o.prompt, o.scene, o.request)) for o in asked]
    return [
        Figure("enhance, p95", percentile(enhancing, 0.95), "ms", 10),
        Figure("enhance, median", percentile(enhancing, 0.5), "ms"),
        Figure("8 variations, p95", percentile(varying, 0.95), "ms", 40),
        Figure("update, p95", percentile(tuning, 0.95), "ms", 10),
        Figure("first enhance of a process", _told(_FIRST) * 1e3, "ms", 300),
        Figure("import workbench.prompts", _told(_IMPORT) * 1e3, "ms", 500),
    ]


def _history() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(outputs=Path(folder) / "outputs")
        sessions = Sessions(settings, PromptWriter(settings))
        session_id = asyncio.run(filled_session(sessions, 10_000))
        pages = [
            _timed(partial(sessions.history, session_id, limit=100, after=a))
            for a in range(-1, 9_900, 500)
        ]
        sessions.close()
    return [Figure("page of 100 of 10,000 entries, p95", percentile(pages, 0.95), "ms", 20)]


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1e3


def _told(script: str) -> float:
    return min(
        float(
            subprocess.run(
                [sys.executable, "-c", script], check=True, capture_output=True, text=True
            ).stdout
        )
        for _ in range(3)
    )


if __name__ == "__main__":
    main()
