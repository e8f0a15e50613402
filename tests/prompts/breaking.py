"""Breaks good answers of a language model as endpoints and weak models do.

Each kind takes a good answer, others, and a seeded generator, and returns the broken answer, or
None where that answer cannot be broken so. ``traces`` are words of the fault: an answer that is
taken without them has been mended.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["KINDS", "Broken", "Kind"]

Answer = dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """A broken answer to ``idea``; ``covers`` is its evidence."""

    idea: str
    prompt: str
    covers: Sequence[dict[str, str]] = ()
    ended: str = "stop"
    """The endpoint's finish reason."""
    traces: Sequence[str] = ()

    @property
    def line(self) -> Answer:
        """The answer in the form of the stored ones."""
        answer = {"prompt": self.prompt, "covers": list(self.covers)}
        return {"idea": self.idea, "answer": answer, "finish_reason": self.ended}


Break = Callable[[Answer, random.Random, Sequence[Answer]], Broken | None]


@dataclass(frozen=True)
class Kind:
    """A way of breaking, and the share of its answers that must not be taken as they are."""

    make: Break
    least: float = 1.0
    is_noted: bool = field(default=False)
    """Whether it suffices that what is missing is asked for once more, by name, and then told."""


KINDS: Final[dict[str, Kind]] = {}


def _kind(least: float = 1.0, *, is_noted: bool = False) -> Callable[[Break], Break]:
    def enter(make: Break) -> Break:
        KINDS[make.__name__.strip("_")] = Kind(make, least, is_noted)
        return make

    return enter


def _text(good: Answer) -> str:
    return str(good["answer"]["prompt"])


def _covers(good: Answer) -> list[dict[str, str]]:
    return list(good["answer"].get("covers") or [])


def _sentences(text: str) -> list[str]:
    return [one for one in re.split(r"(?<=[.!?。！？।؟])\s*", text) if one]


def _is_spaced(text: str) -> bool:
    return text.count(" ") > len(text) / 12


def _other(good: Answer, rng: random.Random, pool: Sequence[Answer]) -> Answer:
    return rng.choice([one for one in pool if one["idea"] != good["idea"] and _covers(one)])


def _around(before: str, after: str, *traces: str) -> Break:
    """Return a way of breaking that puts words around a text."""

    def make(good: Answer, rng: random.Random, pool: Sequence[Answer]) -> Broken:
        del rng, pool
        return Broken(good["idea"], before + _text(good) + after, _covers(good), traces=traces)

    return make


def _instead(*texts: str) -> Break:
    """Return a way of breaking that writes something else; ``{idea}`` stands for the idea."""

    def make(good: Answer, rng: random.Random, pool: Sequence[Answer]) -> Broken:
        del pool
        idea = good["idea"].rstrip(".?! ")
        return Broken(good["idea"], rng.choice(texts).replace("{idea}", idea))

    return make


@_kind(0.9)
def _cut_between_words(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken | None:
    words = _text(good).split(" ")
    if not _is_spaced(_text(good)) or len(_sentences(_text(good))) < 3:
        return None
    end = rng.randint(len(words) // 2, len(words) - 3)
    while end > 1 and not words[end - 1].isalpha():
        end -= 1
    return Broken(good["idea"], " ".join(words[:end]), ended="")


@_kind(0.9)
def _cut_within_a_word(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken | None:
    words = _text(good).split(" ")
    if not _is_spaced(_text(good)) or len(_sentences(_text(good))) < 3:
        return None
    long = [at for at in range(len(words) // 2, len(words) - 1) if words[at].isalpha()]
    at = rng.choice([one for one in long if len(words[one]) > 4] or long)
    return Broken(good["idea"], " ".join([*words[:at], words[at][: len(words[at]) // 2]]), ended="")


@_kind()
def _cut_behind_a_comma(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken | None:
    text = _text(good)
    ends = [m.end() for m in re.finditer("[,，、،]", text) if m.end() > len(text) / 3]
    return Broken(good["idea"], text[: rng.choice(ends)], ended="") if ends else None


@_kind(is_noted=True)
def _start_lost(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken | None:
    words = _text(good).split(" ")
    low = [at for at in range(3, len(words) // 2) if words[at].isalpha() and words[at].islower()]
    if not low or len(_sentences(_text(good))) < 5 or not words[0].isascii():
        return None
    text = " ".join(words[rng.choice(low) :])
    return Broken(good["idea"], text, [c for c in _covers(good) if c["shown_as"] in text])


@_kind(is_noted=True)
def _answer_to_another_idea(good: Answer, rng: random.Random, pool: Sequence[Answer]) -> Broken:
    other = _other(good, rng, pool)
    return Broken(good["idea"], _text(other), _covers(other))


@_kind(is_noted=True)
def _evidence_of_a_lost_text(good: Answer, rng: random.Random, pool: Sequence[Answer]) -> Broken:
    return Broken(good["idea"], _text(_other(good, rng, pool)), _covers(good))


@_kind(is_noted=True)
def _whole_text_as_evidence(good: Answer, rng: random.Random, pool: Sequence[Answer]) -> Broken:
    text = _text(_other(good, rng, pool))
    return Broken(good["idea"], text, [{"said": good["idea"], "shown_as": text}])


@_kind(is_noted=True)
def _shown_part_dropped(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken | None:
    covers = [c for c in _covers(good) if c["said"] and c["said"].lower() in c["shown_as"].lower()]
    covers = [c for c in covers if len(c["said"]) > 5 and " " not in c["said"]]
    if not covers:
        return None
    gone = rng.choice(covers)
    kept = [s for s in _sentences(_text(good)) if gone["said"].lower()[:4] not in s.lower()]
    return Broken(good["idea"], " ".join(kept), _covers(good)) if len(kept) > 2 else None


@_kind(is_noted=True)
def _number_changed(good: Answer, _: random.Random, __: Sequence[Answer]) -> Broken | None:
    for cover in _covers(good):
        said = re.match(r"(two|three|four|five|six|[2-6])\b", cover["said"])
        found = re.match(r"(two|three|four|five|six)\b", cover["shown_as"], re.IGNORECASE)
        if said and found and len(cover["shown_as"].split()) < 12:
            changed = [
                {**one, "shown_as": re.sub(rf"\b{found[1]}\b", "Nine", one["shown_as"])}
                for one in _covers(good)
            ]
            text = re.sub(rf"\b{found[1]}\b", "Nine", _text(good))
            return Broken(good["idea"], text, changed)
    return None


@_kind(0.9)
def _half_in_another_language(
    good: Answer, rng: random.Random, pool: Sequence[Answer]
) -> Broken | None:
    known = [one for one in pool if len(_text(one)) > 200]
    is_ascii = _text(good).isascii()
    others = [one for one in known if _text(one).isascii() is not is_ascii]
    others = [one for one in others if not re.search(r"[“”’—–é°×½]", _text(one) + _text(good))]
    if not others or len(_text(good)) < 200:
        return None
    mine, theirs = _sentences(_text(good)), _sentences(_text(rng.choice(others)))
    mixed = [*mine[: len(mine) // 2], *theirs[len(theirs) // 2 :]]
    return Broken(good["idea"], " ".join(mixed), _covers(good))


@_kind()
def _words_of_another_script(
    good: Answer, rng: random.Random, _: Sequence[Answer]
) -> Broken | None:
    words = _text(good).split(" ")
    if not _text(good).isascii() or len(words) < 40 or '"' in _text(good):
        return None
    for at in rng.sample(range(0, len(words), 2), 6):
        words[at] = rng.choice(["奔跑", "阳光", "镜头", "который", "медленно", "свет"])
    return Broken(good["idea"], " ".join(words), _covers(good))


@_kind()
def _sentence_in_a_loop(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken:
    several = _sentences(_text(good))
    at = rng.randrange(len(several))
    return Broken(good["idea"], " ".join([*several[: at + 1], *[several[at]] * 6]), _covers(good))


@_kind()
def _phrase_in_a_loop(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken:
    spaced = _is_spaced(_text(good))
    words = _text(good).split(" ") if spaced else list(_text(good))
    at, length = len(words) // 2, rng.randint(3, 5) if spaced else rng.randint(5, 9)
    looped = [*words[:at], *words[at : at + length] * 12]
    return Broken(good["idea"], (" " if spaced else "").join(looped), _covers(good))


@_kind()
def _whole_text_twice(good: Answer, _: random.Random, __: Sequence[Answer]) -> Broken | None:
    text = _text(good)
    return Broken(good["idea"], f"{text} {text}", _covers(good)) if len(text) > 120 else None


@_kind(0.9)
def _words_in_random_order(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken | None:
    words = _text(good).split(" ")
    if not _text(good).isascii() or len(words) < 60:
        return None
    rng.shuffle(words)
    return Broken(good["idea"], " ".join(words), _covers(good))


@_kind(0.95)
def _spaces_lost(good: Answer, _: random.Random, __: Sequence[Answer]) -> Broken | None:
    text = _text(good)
    if not text.isascii() or len(text) < 200:
        return None
    return Broken(good["idea"], text.replace(" ", ""), _covers(good))


@_kind()
def _wrong_encoding(good: Answer, _: random.Random, __: Sequence[Answer]) -> Broken | None:
    text = _text(good)
    if sum(ord(c) > 191 for c in text) < 4:
        return None
    return Broken(good["idea"], text.encode().decode("cp1252", "replace"), _covers(good))


@_kind()
def _letters_lost(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken:
    letters = list(_text(good))
    for at in rng.sample(range(len(letters)), max(4, len(letters) // 40)):
        letters[at] = "\N{REPLACEMENT CHARACTER}"
    return Broken(good["idea"], "".join(letters), _covers(good))


@_kind()
def _base64(good: Answer, _: random.Random, __: Sequence[Answer]) -> Broken:
    return Broken(good["idea"], base64.b64encode(_text(good).encode()).decode())


@_kind()
def _json_in_the_text(good: Answer, _: random.Random, __: Sequence[Answer]) -> Broken:
    text = json.dumps({"prompt": _text(good), "scene": {}}, ensure_ascii=False)
    return Broken(good["idea"], text, _covers(good))


@_kind()
def _numbered_lines(good: Answer, _: random.Random, __: Sequence[Answer]) -> Broken:
    lines = [f"{number}. {one}" for number, one in enumerate(_sentences(_text(good)), 1)]
    return Broken(good["idea"], "\n".join(lines), _covers(good), traces=["1. "])


@_kind()
def _person_added(good: Answer, rng: random.Random, _: Sequence[Answer]) -> Broken:
    name = rng.choice(["Tom Hanks", "Taylor Swift", "Barack Obama", "Lionel Messi", "Elon Musk"])
    return Broken(good["idea"], f"{_text(good)} {name} walks in and smiles.", _covers(good))


_PLACED: Final[dict[str, Break]] = {
    "fence": _around("```\n", "\n```", "```"),
    "heading": _around("## Scene\n\n- **Subject:** ", "", "##", "**"),
    "table": _around("| Field | Value |\n|---|---|\n| Scene | ", " |", "|"),
    "markup": _around("<p>", "<br/>&nbsp;</p>", "<p>", "&nbsp;"),
    "tags": _around("<prompt>", "</prompt>", "prompt>"),
    "rest of json": _around("", '", "scene": {"subject": "x"}}', '"scene"'),
    "key": _around('"prompt": "', '",', '"prompt"'),
    "tool call": _around(
        "", '<tool_call>{"name": "write", "arguments": {}}</tool_call>', "arguments"
    ),
    "end of turn": _around("", "<|im_end|>", "im_end"),
    "end of sequence": _around("", "</s>", "</s>"),
    "thought": _around("<think>Okay, the user wants a prompt.</think>", "", "the user wants"),
    "options": _around("Option 1: ", "\n\nOption 2: A wide shot of the same.", "Option 2"),
    "slot": _around("", " Style: [insert style here].", "[insert"),
    "link": _around("", " See https://example.com/look.jpg for the look.", "http"),
    "chat": _around("Sure! Here's your prompt: ", "\n\nLet me know what to change!", "Let me know"),
    "count": _around("", " (87 words)", "87 words"),
    "note on safety": _around("", " Note: I have avoided depicting anything harmful.", "avoided"),
    "turns": _around("User: write it\nAssistant: ", "\nUser: Thank you!", "User:"),
    "refusal behind a text": _around("", " I'm sorry, but I can't continue with this.", "sorry"),
}
_WRITTEN: Final[dict[str, Break]] = {
    "refusal": _instead(
        "I'm sorry, but I can't help with that.",
        'I cannot write a prompt about "{idea}". I\'d be glad to help with another scene.',
        "As an AI language model, I am unable to create content of this kind.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Lo siento, no puedo ayudarte con esa solicitud.",
        "抱歉，我无法协助完成这个请求。",
        "申し訳ありませんが、そのリクエストにはお応えできません。",
    ),
    "thinking aloud": _instead(
        "Okay, so the user wants a prompt about {idea}. Let me think step by step. First, the subject."
    ),
    "open thought": _instead("<think>The user wants {idea}. I should start with the light, then"),
    "instruction": _instead(
        "Turn the rough idea into one paragraph, as a good cinematographer would describe one"
        " continuous shot: who, doing what, in which order, where, in which light, seen how.",
        "Show everything that the idea names; understand slips of the pen. {idea}",
    ),
    "form": _instead(
        "A wide shot of [subject] doing [action] in [setting], with [lighting].",
        "A <subject> moves through <place>, filmed with a slow dolly, <lighting>, <mood>.",
    ),
    "error": _instead(
        "Error: upstream request timeout (503). Please try again later.",
        "Rate limit exceeded. Retry after 20 seconds.",
    ),
    "question back": _instead("Could you tell me more about {idea}? Which style would you like?"),
    "nothing": _instead(" ", "...", "null", "N/A", "string", "{}", "OK"),
    "code": _instead('def write(idea):\n    return f"A shot of {idea}"\n\nprint(write("x"))'),
}
KINDS.update({name: Kind(make) for name, make in {**_PLACED, **_WRITTEN}.items()})
