"""A language model that knows what to do in a turn: a script whose names are found in what it is told.

``@entity dog`` stands for the id of the dog in the scene that it was told last, ``@beat run`` for a
beat's, ``@card 3`` for the entry on card 3, ``@here`` for the present entry, ``@sentence rain`` for the
sentence of the prompt with that word. So the script works only where the workbench tells the model
what it needs.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.prompts.agent.scripted import Scripted, call, say, scripted
from workbench.lexicon.words import sentences

__all__ = ["Turn", "capable", "turns"]

Turn = Mapping[str, Any]
_SKIES = (
    "drifting fog",
    "heavy rain",
    "slow snow",
    "a dust storm",
    "high haze",
    "hail",
    "sleet",
    "wind",
)
_DATA = Path(__file__).parent.parent / "data" / "agent_turns.jsonl"


def turns() -> list[Turn]:
    """Return the turns: how each begins, what the model does, and what must come of it."""
    return [json.loads(line) for line in _DATA.read_text("utf-8").splitlines() if line.strip()]


@contextmanager
def capable(turn: Turn, *, knows_tools: bool) -> Iterator[Scripted]:
    """Serve the model of one turn, by tools or by JSON."""
    moves = itertools.count()

    def reply(body: Mapping[str, Any]) -> Mapping[str, Any]:
        if (wanted := _variations_wanted(body)) is not None:
            return say(json.dumps({"variations": _variations(*wanted)}))
        return _answer(turn, next(moves), body, knows_tools=knows_tools)

    with scripted([reply], knows_tools=knows_tools) as script:
        yield script


def _variations_wanted(body: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return the prompt and how many variations of it are asked for; None for another question."""
    found = (_data(m.get("content")) for m in body["messages"])
    return next(((one["prompt"], one["count"]) for one in found if one and "count" in one), None)


def _variations(prompt: str, count: int) -> list[dict[str, Any]]:
    """Return variations by the sky alone: enough for a turn that asks for some."""
    skies = itertools.cycle(_SKIES)
    return [
        {
            "name": f"Under {sky}",
            "prompt": f"{prompt} Over it all {sky}.",
            "scene": {"weather": sky},
        }
        for sky in itertools.islice(skies, count)
    ]


def _answer(
    turn: Turn, number: int, body: Mapping[str, Any], *, knows_tools: bool
) -> Mapping[str, Any]:
    plan = turn["steps"]
    knows_tools = knows_tools and "tools" in body  # else it is asked for JSON
    if number >= len(plan):
        text = turn.get("say", "Done.")
        return say(text if knows_tools else json.dumps({"actions": [], "message": text}))
    told = _Told(body["messages"])
    actions = [{k: told.meant(v) for k, v in one.items()} for one in plan[number]]
    if not knows_tools:
        return say(json.dumps({"actions": actions, "message": ""}))
    return call(*((one.pop("kind"), one) for one in actions))


class _Told:
    """What the model was told: the session, and the state after what was done since."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        found = [_data(m.get("content")) for m in messages if m["role"] in {"user", "tool"}]
        told = [one for one in found if one]
        self._session = next(one["session"] for one in told if "session" in one)
        self._scene = self._session["prompt"]["scene"]
        self._text, self._here = self._session["prompt"]["text"], self._session["prompt"]["entry"]
        for one in told:
            if "done" in one:
                self._scene, self._text = one.get("scene", self._scene), one["prompt"]
                self._here = self._here if one["entry"] is None else one["entry"]

    def meant(self, value: Any) -> Any:
        """Return ``value`` with the names that stand for something in it put in."""
        if isinstance(value, list):
            return [self.meant(one) for one in value]
        if isinstance(value, dict):
            return {k: self.meant(v) for k, v in value.items()}
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        name, _, word = value[1:].partition(" ")
        if name == "here":
            return self._here
        if name == "card":
            return next(c["entry"] for c in self._session["cards"] if c["card"] == int(word))
        if name == "sentence":
            return next(s for s in sentences(self._text) if word in s)
        kind, field = ("cast", "phrase") if name == "entity" else ("beats", "text")
        return next(one["id"] for one in self._scene[kind] if word in one[field])


def _data(content: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except (TypeError, ValueError):
        return None
    return found.get("data") if isinstance(found, dict) else None
