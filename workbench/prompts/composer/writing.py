"""Writes a scene as one paragraph of 60 to 120 words, around the user's own words.

The user's main clause opens the paragraph nearly as it was written; what was left open follows in
clauses from the bank. Nothing here chooses values of fields: the scene comes complete.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workbench.lexicon.morphology import lemma
from workbench.lexicon.words import content_words, sentence_case, tokens
from workbench.prompts.composer import bank
from workbench.prompts.composer.casting import NOWHERE
from workbench.prompts.composer.facts import Ground, ground
from workbench.prompts.composer.opening import opening
from workbench.prompts.composer.reading import Reading
from workbench.scene import Origin, Scene

__all__ = ["LONGEST", "SHORTEST", "clause_for", "mood_sentence", "write"]

SHORTEST: Final = 60
LONGEST: Final = 120
"""Words in a written prompt, where the user's own text leaves the choice."""

_MOST_ADDED: Final = 3


@dataclass(frozen=True, slots=True)
class _Part:
    role: str
    text: str


def write(reading: Reading, scene: Scene, rng: random.Random) -> str:
    """Return the paragraph for ``scene``, whose user's words are in ``reading``."""
    at = ground(scene)
    first, said = opening(reading, scene, at, rng)
    parts = [_Part("own", _stop(text)) for text in reading.others]
    used: set[str] = set()
    body = _body(scene, at, rng, said, used)
    budget = LONGEST - 4 - _words(first) - sum(_words(p.text) for p in parts)
    body = _within(body, budget)
    text = " ".join([_stop(first), *(p.text for p in parts), *(p.text for p in body)])
    for _ in range(_MOST_ADDED):
        if _words(text) >= SHORTEST:
            break
        text = " ".join([text, _stop(_life_clause(at, rng, used))])
    missing = _missing(reading, text)
    return _tidy(_with_missing(text, reading, missing))


def clause_for(
    slot: str, key: str, at: Ground, rng: random.Random, used: set[str] | None = None
) -> str:
    """Return one fitting clause of the bank, filled in; empty where there is none."""
    options = bank.clauses(slot, key, at.facts)
    if at.cast.place == NOWHERE:
        elsewhere = tuple(c for c in options if "{place}" not in c.text and "{there}" not in c.text)
        options = elsewhere or options
    if at.cast.subj == at.cast.place:
        options = tuple(
            c
            for c in options
            if not ("{subj}" in c.text and ("{place}" in c.text or "{there}" in c.text))
        )
    if used is not None:
        options = tuple(c for c in options if c.text not in used)
    if not options:
        return ""
    chosen = rng.choice(options)
    if used is not None:
        used.add(chosen.text)
    return bank.fill(chosen, at.cast)


def mood_sentence(scene: Scene, at: Ground, rng: random.Random, *, with_style: bool) -> str:
    """Return the closing sentence: the mood and, where it is not said elsewhere, the style."""
    mood = clause_for("mood", scene.mood, at, rng) if scene.mood else ""
    style = clause_for("style", scene.style, at, rng) if scene.style and with_style else ""
    if mood and style:
        return f"{mood}, {style}"
    if mood or not style:
        return mood
    if style.startswith(("in ", "as ", "with ")):
        return f"The whole is shown {style}"
    return f"The whole is shown with {style}" if style.startswith("every ") else f"All is {style}"


_ORDERS: Final = (
    "life place weather light camera closing",
    "place weather life light camera closing",
    "light weather life place camera closing",
    "camera life place weather light closing",
    "life light weather place camera closing",
)


def _body(
    scene: Scene, at: Ground, rng: random.Random, said: frozenset[str], used: set[str]
) -> list[_Part]:
    told = {name: "" if name in said else getattr(scene, name) for name in _TAIL_FIELDS}
    life = _life_clause(at, rng, used)
    if told["pace"] != "real time":
        life = _hung(life, "pace", told["pace"], at, rng)
    light = clause_for("light", scene.lighting, at, rng)
    moves = "" if "camera_movement" in said else scene.camera_movement
    camera = clause_for("camera", moves, at, rng)
    if not camera:
        life = _hung(life, "lens", told["lens"], at, rng)
    spoken = scene.origin("weather") is not Origin.INFERRED
    spoken = spoken and scene.weather not in scene.subject.lower().split()
    parts = {
        "life": life,
        "place": _place_clause(at, rng, used) if scene.setting else "",
        "light": _hung(light, "palette", told["color_palette"], at, rng),
        "weather": clause_for("weather", scene.weather, at, rng) if spoken else "",
        "camera": _hung(camera, "lens", told["lens"], at, rng) if camera else "",
        "closing": mood_sentence(scene, at, rng, with_style=bool(told["style"])),
    }
    order = rng.choice(_ORDERS).split()
    return [_Part(role, _stop(parts[role])) for role in order if parts[role]]


_TAIL_FIELDS: Final = ("pace", "lens", "color_palette", "style")


def _hung(head: str, slot: str, key: str, at: Ground, rng: random.Random) -> str:
    """Return ``head`` with a clause for ``key`` hung on it, not two that begin alike."""
    if not key:
        return head
    lead = head.rsplit(", ", 1)[-1].split(" ", 1)[0] if ", " in head else ""
    for _ in range(4):
        tail = clause_for(slot, key, at, rng)
        if not lead or not tail.startswith(f"{lead} "):
            break
    return f"{head}, {tail}" if head and tail else head or sentence_case(tail)


def _life_key(at: Ground) -> str:
    return "person" if at.kind in {"man", "woman"} else at.kind


def _place_clause(at: Ground, rng: random.Random, used: set[str]) -> str:
    if at.kind == "scenery" and at.place is None:
        return ""
    kind = at.place.kind if at.place else "any"
    if kind == "any" or rng.random() < 0.2:
        return clause_for("place", "any", at, rng, used)
    return clause_for("place", kind, at, rng, used) or clause_for("place", "any", at, rng, used)


def _within(parts: list[_Part], budget: int) -> list[_Part]:
    """Drop what the paragraph can spare until it has at most ``budget`` words."""
    kept = list(parts)
    for role in ("place", "life", "closing", "light"):
        if sum(_words(p.text) for p in kept) <= budget:
            break
        kept = [p for p in kept if p.role != role]
    return kept


def _life_clause(at: Ground, rng: random.Random, used: set[str]) -> str:
    return clause_for("life", _life_key(at), at, rng, used) or clause_for(
        "life", "any", at, rng, used
    )


def _missing(reading: Reading, text: str) -> list[str]:
    """Return the user's content words that no inflection of stands in ``text``."""
    as_written = {part for word in tokens(text.lower()) for part in (word, *_parts(word))}
    unlike = [w for w in content_words(reading.text) if not {w, *_parts(w)} & as_written]
    if not unlike:
        return []
    have = {form for word in tokens(text.lower()) for form in _forms(word)}
    return [word for word in unlike if not _forms(word) & have]


def _forms(word: str) -> set[str]:
    return {word, lemma(word), lemma(word, "NOUN"), lemma(word, "VERB"), *_parts(word)}


def _parts(word: str) -> list[str]:
    return word.split("-")


def _with_missing(text: str, reading: Reading, missing: Sequence[str]) -> str:
    """Put back what would be lost: the modifier, or the bare words, that hold a missing word."""
    if not missing:
        return text
    glued = []
    left = list(missing)
    for modifier in reading.modifiers:
        if set(content_words(modifier.text)) & set(left):
            glued.append(modifier.text)
            left = [w for w in left if w not in content_words(modifier.text)]
    if left and reading.lead and set(content_words(reading.lead)) & set(left):
        glued.append(reading.lead)
        left = [w for w in left if w not in content_words(reading.lead)]
    first, stop, rest = text.partition(". ")
    additions = [*glued, *([" ".join(left)] if left else [])]
    return f"{first}, {', '.join(additions)}{stop}{rest}"


def _words(text: str) -> int:
    return len(text.split())


def _stop(text: str) -> str:
    text = sentence_case(text.strip())
    return text if not text or text.endswith((".", "!", "?", "。")) else f"{text}."


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,.])", r"\1", text)
    text = re.sub(
        r"\b(\w+) \1\b(?! \1)",
        lambda m: m[1] if m[1].lower() not in {"that", "had", "tuk", "bora"} else m[0],
        text,
    )
    return text.strip()
