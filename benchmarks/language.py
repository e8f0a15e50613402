"""The targets of language models: answers accepted and discarded, agent turns, time to first words.

Run with ``python -m benchmarks.language``. The models are scripted endpoints: their answers were
written as capable and failing models would write them; one streams 50 tokens a second.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from unittest.mock import patch

import openai  # noqa: F401  its import is no part of an answer

from benchmarks.report import Figure, percentile, print_report
from benchmarks.workplace import workplace
from tests.prompts.agent.capable import turns
from tests.prompts.agent.turns import Played, play
from tests.prompts.test_guard import fault_of, lines
from workbench.jobs.client.contact import Contact
from workbench.jobs.model import Job
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.studio import Studio

_TOKENS_PER_S: Final = 50
_TIMES: Final = 5
_CHARACTERS_PER_TOKEN: Final = 4
_IDEA_OF: Final = "two dogs fighting over a stick then both fall in the pond"


def main() -> None:
    """Measure and print."""
    print_report("language models: answers", _answers())
    print_report(
        "language models: agent turns", [*_turns(knows_tools=True), *_turns(knows_tools=False)]
    )
    print_report(f"language models: first words at {_TOKENS_PER_S} tokens/s", asyncio.run(_first()))


def _answers() -> list[Figure]:
    good = [fault_of(line) for line in lines("answers_good.jsonl")]
    broken = [fault_of(line) for line in lines("answers_broken.jsonl")]
    return [
        Figure("good answers", len(good), "", 150, at_most=False),
        Figure("of these discarded", sum(map(bool, good)), "", 0),
        Figure("broken answers", len(broken), "", 100, at_most=False),
        Figure("of these let through", sum(not fault for fault in broken), "", 0),
    ]


def _turns(*, knows_tools: bool) -> list[Figure]:
    """Play every turn; its renders stay in the queue."""
    way = "tools" if knows_tools else "JSON"
    played: list[Played] = []
    for turn in turns():
        with tempfile.TemporaryDirectory() as folder, patch.object(Contact, "_launch"):
            played.append(play(turn, Path(folder), knows_tools=knows_tools))
    model = [one for one in played if one.questions]
    return [
        Figure(f"turns ({way})", len(played), "", 40, at_most=False),
        Figure(
            f"turns right ({way})",
            sum(not one.wrong for one in played),
            "",
            len(played),
            at_most=False,
        ),
        Figure(f"steps a turn, mean ({way})", _mean([one.steps for one in model]), "", 6),
        Figure(f"questions a turn, most ({way})", max(one.questions for one in model), "", 6),
        Figure(f"tokens a turn, mean ({way})", _mean([one.tokens for one in model]), ""),
    ]


async def _first() -> list[Figure]:
    """Measure from the idea's submission to first words, whole prompt and first storyboard."""
    with _slow_model() as url, workplace() as (settings, manager):
        manager.ensure_supervisor()
        with Studio(settings) as studio:
            await asyncio.to_thread(_until_moving, studio, "a warm-up")
            composed = [await _one(studio, number) for number in range(_TIMES)]
            choice = LanguageChoice(provider="openai", model="m", base_url=url)
            await asyncio.wrap_future(studio.begin(studio.choose_language(choice, as_default=True)))
            modelled = [await _one(studio, number) for number in range(_TIMES)]
    return [
        Figure("idea → first words", _median(modelled, 0), "s", 1.0),
        Figure("idea → first moving picture", _median(modelled, 1), "s", 1.0),
        Figure("idea → whole prompt", _median(modelled, 2), "s"),
        Figure("built-in composer: idea → whole prompt", _median(composed, 2), "s"),
        Figure("built-in composer: idea → first moving picture", _median(composed, 1), "s", 1.0),
    ]


async def _one(studio: Studio, number: int) -> tuple[float, float, float]:
    """Return the seconds to the first words, to the end of the storyboard, and to the whole prompt.

    As on the screen, the storyboard of the idea renders while the prompt is written.
    """
    begun, seen = time.monotonic(), list[float]()
    asked = studio.begin(
        studio.enhance(_IDEA_OF, seed=number, on_text=lambda _: seen.append(time.monotonic()))
    )
    picture = asyncio.create_task(asyncio.to_thread(_until_moving, studio, _IDEA_OF))
    await asyncio.wrap_future(asked)
    whole = time.monotonic()
    moved = await picture
    return (seen or [whole])[0] - begun, moved - begun, whole - begun


def _median(measured: Sequence[tuple[float, float, float]], place: int) -> float:
    return percentile([one[place] for one in measured], 0.5)


def _until_moving(studio: Studio, idea: str) -> float:
    """Render the storyboard of ``idea`` as the screen does while the model writes; return its end."""
    job: Job = studio.run(studio.render(idea))
    studio.jobs.wait([job.job_id], 120)
    return time.monotonic()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


@contextmanager
def _slow_model() -> Iterator[str]:
    """Serve a model that streams one good answer at 50 tokens a second."""
    line = next(one for one in lines("answers_good.jsonl") if one["idea"] == _IDEA_OF)
    answer = line["answer"]
    text = json.dumps(answer)
    pieces = [
        text[i : i + _CHARACTERS_PER_TOKEN] for i in range(0, len(text), _CHARACTERS_PER_TOKEN)
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for piece in pieces:
                self._tell({"delta": {"content": piece}, "index": 0, "finish_reason": None})
                time.sleep(1 / _TOKENS_PER_S)
            self._tell({"delta": {}, "index": 0, "finish_reason": "stop"})
            self.wfile.write(b"data: [DONE]\n\n")

        def _tell(self, choice: dict[str, object]) -> None:
            shell = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
            self.wfile.write(f"data: {json.dumps({**shell, 'choices': [choice]})}\n\n".encode())
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
