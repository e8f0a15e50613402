"""The targets of prompts: understanding, prose, speed, tuning, history.

Run with ``python -m benchmarks.prompts``. Measurements on the lists of real prompts beside the
checkout are skipped, with a message, if the lists are missing.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import Figure, percentile, print_report
from tests.prompts.labels import (
    MEASURING,
    Label,
    measuring_labels,
    measuring_prompts,
    own_labels,
    score,
    stem,
)
from tests.prompts.requests import corpus
from tests.prompts.test_sessions import filled_session
from workbench.lexicon.words import content_words, sentences
from workbench.prompts import Sessions
from workbench.prompts.composer.composer import enhance, scene_of
from workbench.prompts.composer.varying import vary
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.revising import revise
from workbench.scene import Origin
from workbench.settings import Settings

_FIRST = "from workbench.prompts.composer.composer import enhance; enhance('dog running')"
_IMPORT = "import workbench.prompts"
_NEVER_CHOSEN = ("mood", "lighting", "weather", "setting", "time_of_day", "style", "color_palette")


class Times(NamedTuple):
    """Wall-clock and CPU time of something, in milliseconds."""

    wall_ms: float
    cpu_ms: float


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
    words = [len(draft.prompt.split()) for draft in drafts]
    said = [set(sentences(draft.prompt)) for draft in drafts]
    common = Counter(s for own in said for s in own).most_common(1)[0][1]
    lost = sum(
        not {stem(w) for w in content_words(rough)}
        <= {stem(w) for w in content_words(draft.prompt)}
        for rough, draft in zip(prompts, drafts, strict=True)
    )
    invented = sum(
        any(draft.scene.origin(name) is Origin.INFERRED for name in _NEVER_CHOSEN)
        for draft in drafts
    )
    return [
        Figure("fewest words", min(words), ""),
        Figure("median words", sorted(words)[len(words) // 2], ""),
        Figure("most words", max(words), "", 120),
        Figure("prompts that lost a word", lost, "", 0),
        Figure(
            "prompts with a mood, light, weather, place or time that nobody said", invented, "", 0
        ),
        Figure("share of the commonest sentence", 100 * common / len(prompts), "%", 5),
    ]


def _tuning() -> list[Figure]:
    asked = corpus()
    right = 0
    for one in asked:
        revision = revise(one.request, Context(one.scene, one.prompt))
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
    tuning = [_timed(partial(revise, o.request, Context(o.scene, o.prompt))) for o in asked]
    first, loaded = _of_a_process(_FIRST), _of_a_process(_IMPORT)
    return [
        *_figures("enhance, p95", enhancing, 0.95, 10),
        *_figures("enhance, median", enhancing, 0.5),
        *_figures("8 variations, p95", varying, 0.95, 40),
        *_figures("update, p95", tuning, 0.95, 10),
        *_figures("first enhance of a process", first, 0, 300),
        *_figures("import workbench.prompts", loaded, 0, 500),
    ]


def _figures(
    name: str, times: Sequence[Times], share: float, target: float | None = None
) -> list[Figure]:
    """Return the figure in wall-clock and in CPU time, which other load affects less."""
    return [
        Figure(name, percentile([t.wall_ms for t in times], share), "ms", target),
        Figure(f"{name}, processor time", percentile([t.cpu_ms for t in times], share), "ms"),
    ]


def _history() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(outputs=Path(folder) / "outputs")
        sessions = Sessions(settings)
        session_id = asyncio.run(filled_session(sessions, 10_000))
        pages = [
            _timed(partial(sessions.history, session_id, limit=100, after=a))
            for a in range(-1, 9_900, 500)
        ]
        sessions.close()
    return _figures("page of 100 of 10,000 entries, p95", pages, 0.95, 20)


def _timed(call: Callable[[], object]) -> Times:
    begun, worked = time.perf_counter(), time.process_time()
    call()
    return Times((time.perf_counter() - begun) * 1e3, (time.process_time() - worked) * 1e3)


def _of_a_process(script: str) -> list[Times]:
    """Return the times of ``script`` in fresh processes, without the start of Python.

    Bytecode is cached from the first run on, as for an installed package.
    """
    told = (
        "import time; t, p = time.perf_counter(), time.process_time(); "
        f"{script}; print(time.perf_counter() - t, time.process_time() - p)"
    )
    command = [sys.executable, "-c", told]
    with tempfile.TemporaryDirectory() as folder:
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        runs = [
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                env=kept | {"PYTHONPYCACHEPREFIX": folder},
            ).stdout.split()
            for _ in range(6)
        ]
    return [Times(float(wall) * 1e3, float(cpu) * 1e3) for wall, cpu in runs]


if __name__ == "__main__":
    main()
