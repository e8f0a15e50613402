"""First contact: how well the workbench handles words that no code was written for.

A round is a folder with ``requests.jsonl`` (``start``, ``prior``, ``request``, ``expect``),
``ideas.jsonl`` (``idea``, ``expect``) and ``dialogues.jsonl`` (``start``, ``turns``). It is written
by people who have not seen the code, and scored once, before any change, by a reader: this script
answers the round, and adds up the reader's verdicts.

- ``python -m benchmarks.first_contact answer ROUND > answers.jsonl`` answers every line.
- ``python -m benchmarks.first_contact tally verdicts.jsonl`` prints the figures. A verdict is
  ``{"id", "verdict"}`` with ``right``, ``partly``, ``wrong`` (silently), ``refused`` or ``helpful``
  (refused in words that help) for a request or a turn, and ``{"id", "faithful", "english",
  "useful", "wince"}`` (0 to 3, and whether it makes one wince) for an idea.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.report import Figure, print_report
from workbench.prompts import Sessions
from workbench.settings import Settings

__all__ = ["Line", "answered", "figures"]

Line = dict[str, Any]
_VERDICTS: Final = ("right", "partly", "wrong", "refused", "helpful")
_MARKS: Final = ("faithful", "english", "useful")


def main() -> None:
    """Answer a round, or add up its verdicts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=["answer", "tally"])
    parser.add_argument("path", type=Path, help="a round's folder, or a file of verdicts")
    asked = parser.parse_args()
    if asked.command == "tally":
        print_report(f"first contact: {asked.path.stem}", figures(_lines(asked.path)))
        return
    for line in answered(asked.path):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def answered(folder: Path) -> Iterator[Line]:
    """Yield each line of the round in ``folder`` with the workbench's answer.

    No language model takes part, and nothing is rendered.
    """
    with tempfile.TemporaryDirectory() as outputs:
        settings = Settings(outputs=Path(outputs), language_provider="builtin")
        sessions = Sessions(settings)
        try:
            for line in _lines(folder / "requests.jsonl"):
                turns = [*line["prior"], line["request"]]
                *_, last = _conversation(sessions, line["start"], turns)
                yield {**line, **last}
            for line in _lines(folder / "ideas.jsonl"):
                _, entry = asyncio.run(sessions.enhance(line["idea"]))
                scene = entry.scene.model_dump(
                    mode="json", exclude={"provenance"}, exclude_defaults=True
                )
                yield {**line, "prompt": entry.prompt, "scene": scene, "message": entry.message}
            for line in _lines(folder / "dialogues.jsonl"):
                requests = [turn["request"] for turn in line["turns"]]
                told = list(_conversation(sessions, line["start"], requests))
                yield {
                    **line,
                    "turns": [{**t, **a} for t, a in zip(line["turns"], told, strict=True)],
                }
        finally:
            sessions.close()


def _conversation(sessions: Sessions, start: str, requests: Sequence[str]) -> Iterator[Line]:
    """Yield the prompt after each request, one after the other."""
    session_id, entry = asyncio.run(sessions.enhance(start))
    prompt = entry.prompt
    for request in requests:
        before = prompt
        revision, made = asyncio.run(sessions.update(session_id, request))
        prompt = made.prompt if made is not None else prompt
        yield {
            "before": before,
            "after": prompt if prompt != before else "(unchanged)",
            "changes": [change.sentence for change in revision.changes],
            "actions": [
                a.model_dump(mode="json", exclude_defaults=False) for a in _actions(revision)
            ],
            "understood": revision.understood,
            "message": revision.message,
        }


def _actions(revision: Any) -> Sequence[Any]:
    return getattr(revision, "actions", ())


def figures(verdicts: Iterable[Line]) -> list[Figure]:
    """Return the sums of a reader's verdicts, shares in percent."""
    given = list(verdicts)
    judged = [line for line in given if "verdict" in line]
    marked = [line for line in given if "faithful" in line]
    found: list[Figure] = []
    for kind, targets in (
        ("requests", {"right": (75.0, False), "wrong": (3.0, True)}),
        ("turns", {"right": (77.0, False)}),
    ):
        group = [line for line in judged if line.get("of", "requests") == kind]
        counts = Counter(line["verdict"] for line in group)
        for name in _VERDICTS if group else ():
            target, at_most = targets.get(name, (None, True))
            share = 100 * counts[name] / len(group)
            found.append(
                Figure(f"{len(group)} {kind}: {name}", share, "%", target, at_most=at_most)
            )
    for name, target in zip(_MARKS, (2.6, 2.6, 2.0), strict=True):
        if marked:
            mean = sum(line[name] for line in marked) / len(marked)
            found.append(
                Figure(f"{len(marked)} ideas: {name}", mean, "of 3", target, at_most=False)
            )
    if marked:
        share = 100 * sum(bool(line["wince"]) for line in marked) / len(marked)
        found.append(Figure(f"{len(marked)} ideas: wince", share, "%", 12.0))
    return found


def _lines(path: Path) -> list[Line]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


if __name__ == "__main__":
    main()
