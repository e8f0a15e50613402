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

from workbench.prompts.composer import bank
from workbench.prompts.composer.facts import Ground, ground
from workbench.prompts.composer.opening import opening
from workbench.prompts.composer.reading import Reading
from workbench.prompts.composer.words import content_words, lemma, sentence_case
from workbench.scene import Origin, Scene

__all__ = ["LONGEST", "SHORTEST", "clause_for", "mood_sentence", "write"]

SHORTEST: Final = 60
LONGEST: Final = 120
"""Words in a written prompt, where the user's own text leaves the choice."""


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
    if _words(text) < SHORTEST:
        extra = _more(at, rng, used)
        text = " ".join([text, *extra])
    missing = _missing(reading, text)
    return _tidy(_with_missing(text, reading, missing))


def clause_for(
    slot: str, key: str, at: Ground, rng: random.Random, used: set[str] | None = None
) -> str:
    """Return one fitting clause of the bank, filled in; empty where there is none."""
    options = bank.clauses(slot, key, at.facts)
    if at.cast.subj == at.cast.place:
        options = tuple(c for c in options if not ("{subj}" in c.text and "{place}" in c.text))
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
    return mood or (
        f"The whole is made {style}"
        if style.startswith(("in ", "as "))
        else f"The whole is shown {style}"
        if style
        else ""
    )


def _body(
    scene: Scene, at: Ground, rng: random.Random, said: frozenset[str], used: set[str]
) -> list[_Part]:
    life = clause_for("life", _life_key(at), at, rng, used) or clause_for(
        "life", "any", at, rng, used
    )
    if scene.pace and scene.pace != "real time" and "pace" not in said:
        pace = clause_for("pace", scene.pace, at, rng)
        life = f"{life}, {pace}" if life else sentence_case(pace)
    place = _place_clause(at, rng, used) if scene.setting else ""
    light = clause_for("light", scene.lighting, at, rng)
    palette = clause_for("palette", scene.color_palette, at, rng) if scene.color_palette else ""
    if light and palette:
        light = f"{light}, {palette}"
    weather = ""
    if scene.weather and (scene.origin("weather") is not Origin.INFERRED):
        weather = clause_for("weather", scene.weather, at, rng)
    camera = (
        clause_for("camera", scene.camera_movement, at, rng)
        if "camera_movement" not in said or not said & {"glued"}
        else ""
    )
    lens = clause_for("lens", scene.lens, at, rng) if scene.lens and "lens" not in said else ""
    if camera and lens:
        camera = f"{camera}, {lens}"
    closing = mood_sentence(scene, at, rng, with_style="style" not in said)
    parts = {
        "life": life,
        "place": place,
        "light": light,
        "weather": weather,
        "camera": camera,
        "closing": closing,
    }
    orders = (
        "life place weather light camera closing",
        "place weather life light camera closing",
        "light weather life place camera closing",
        "camera life place weather light closing",
        "life light weather place camera closing",
    )
    return [_Part(role, _stop(parts[role])) for role in rng.choice(orders).split() if parts[role]]


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


def _more(at: Ground, rng: random.Random, used: set[str]) -> list[str]:
    extra = clause_for("life", _life_key(at), at, rng, used) or clause_for(
        "life", "any", at, rng, used
    )
    return [_stop(extra)] if extra else []


def _missing(reading: Reading, text: str) -> list[str]:
    """Return the user's content words that no inflection of stands in ``text``."""
    have = {form for word in content_words(text) for form in _forms(word)}
    return [word for word in content_words(reading.text) if not _forms(word) & have]


def _forms(word: str) -> set[str]:
    forms = {word, lemma(word), lemma(word, "NOUN"), lemma(word, "VERB")}
    return forms | {part for form in (word,) for part in form.split("-")}


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
