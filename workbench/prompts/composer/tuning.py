"""Tunes a prompt by a request in plain words: the smallest change of the scene that satisfies it.

A request is split into wishes; each is understood on its own and in order. What is locked or asked
to be kept stays. Undo, redo and starting over are recognised here and carried out by the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final

from workbench.prompts.composer.carrying import carry
from workbench.prompts.composer.composer import NAME, rng_for
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.harmony import harmonize
from workbench.prompts.composer.wish_steps import by_table
from workbench.prompts.composer.wish_terms import held_terms, mentions
from workbench.prompts.composer.wishes import Values, field_named, understand_wish
from workbench.prompts.model import Revision
from workbench.scene import Origin, Scene

__all__ = ["HINT", "Control", "Understanding", "control_of", "revise", "understand"]

HINT = (
    "I can change the time of day, weather, light, mood, style, colours, camera, lens and pace; "
    "swap, add or remove what is seen; and undo, redo or start over. For example: "
    "“make it night”, “add rain”, “pan left”, “replace the dog with a cat”."
)
"""What can be asked, for requests that were not understood."""

_SAME: Final = re.compile(
    r"(?:keep |leave )?(?:everything|all|the rest|it)?(?: else)?(?: is| stays)?(?: exactly)?"
    r" ?(?:the )?same(?: (?:as|like) (?:before|it (?:is|was)|now))?"
)


class Control(StrEnum):
    """A request about the session rather than about the scene."""

    UNDO = "undo"
    REDO = "redo"
    START_OVER = "start_over"


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a request asks for."""

    values: Values = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    """Wishes that were not understood."""
    kept: frozenset[str] = frozenset()
    """Fields that the request wants unchanged."""
    already: bool = False
    """Whether a wish was understood that is already true."""


def control_of(request: str) -> Control | None:
    """Return the control that ``request`` is, or None when it speaks of the scene."""
    text = _plain(request)
    for control in Control:
        if _pattern(control.value).fullmatch(text):
            return control
    return None


def revise(prompt: str, scene: Scene, request: str) -> Revision:
    """Return ``prompt`` and ``scene`` tuned by ``request``; unchanged when it is not understood."""
    found = understand(request, scene)
    wanted = {k: v for k, v in found.values.items() if k not in found.kept}
    locked = sorted(k for k in wanted if scene.is_locked(k) and getattr(scene, k) != wanted[k])
    wanted = {k: v for k, v in wanted.items() if k not in locked and getattr(scene, k) != v}
    if not wanted:
        return _unchanged(prompt, scene, found, locked)
    rng = rng_for(prompt, request)
    edited = scene.edit(wanted, origin=Origin.EDITED)
    held = edited.lock(*(k for k in found.kept if getattr(edited, k)))
    after = harmonize(held, set(wanted), rng).with_origins_of(scene, found.kept)
    text = carry(prompt, scene, after, rng)
    changes = scene.changes_to(after)
    notes = [f"Changed {'; '.join(c.sentence for c in changes)}."]
    notes += _notes(found.missed, locked)
    return Revision(
        prompt=text,
        scene=after,
        changes=changes,
        understood=True,
        message=" ".join(notes),
        provider=NAME,
    )


def _unchanged(prompt: str, scene: Scene, found: Understanding, locked: list[str]) -> Revision:
    understood = bool(locked) or found.already or bool(found.values)
    if locked:
        message = " ".join(_notes((), locked))
    elif understood:
        message = "The prompt already says so; nothing was changed."
    else:
        message = f"I did not understand that, so nothing was changed. {HINT}"
    return Revision(
        prompt=prompt,
        scene=scene,
        changes=(),
        understood=understood,
        message=message,
        provider=NAME,
    )


def _notes(missed: Iterable[str], locked: Iterable[str]) -> list[str]:
    notes = []
    names = [name.replace("_", " ") for name in locked]
    if names:
        notes.append(f"Locked, so left as it is: {', '.join(names)}.")
    if gone := list(missed):
        notes.append(f"Not understood: {'; '.join(f'“{m}”' for m in gone)}.")
    return notes


def understand(request: str, scene: Scene) -> Understanding:
    """Return what ``request`` asks of ``scene``; empty when it asks nothing that is understood."""
    text = _plain(request)
    if not text or any(_pattern("chatter").fullmatch(t) for t in (text, _bare(request))):
        return Understanding()
    values: Values = {}
    kept: set[str] = set()
    missed: list[str] = []
    already = False
    current = scene
    for wish in _wishes(text, scene):
        names = _kept_fields(wish, scene)
        if names is not None:
            kept |= names
            continue
        found = understand_wish(wish, current)
        if found is None:
            if wish and not _pattern("chatter").fullmatch(wish):
                missed.append(wish)
            continue
        already = already or not found
        values |= found
        current = current.edit(found, force=True)
    if values:
        missed = [m for m in missed if len(m.split()) > 1]
    return Understanding(values, tuple(missed), frozenset(kept), already)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(f"(?:{load('requests')[name]})", re.IGNORECASE)


@cache
def _polite() -> re.Pattern[str]:
    return re.compile(rf"^(?:{load('requests')['politeness']})\b[\s,]*", re.IGNORECASE)


def _plain(request: str) -> str:
    return _impolite(_bare(request))


def _bare(request: str) -> str:
    text = re.sub(r"[’‘]", "'", request.lower())
    text = re.sub(r"\b(he|she|it|they)'(?:s|re)\b(?= \w+ing\b)", r"\1 is", text)
    return re.sub(r"\s+", " ", text).strip(" .!?,;:-")


def _impolite(text: str) -> str:
    text = re.sub(
        r" (?:would|could|might) be (?:nice|good|great|better|cool|lovely|perfect|fun)$", "", text
    )
    text = re.sub(r"\bcamera (?:should|could|must|needs to|has to|can|to)\b", "camera", text)
    while (match := _polite().match(text)) and match.end() and match.end() < len(text):
        text = text[match.end() :]
    text = re.sub(
        r"[\s,]+(?:please|pls|thanks|thank you|for me|if you can|if possible|now|instead|as well|too|this time|a bit more please)$",
        "",
        text,
    )
    return text.strip(" .!?,;")


def _wishes(text: str, scene: Scene) -> list[str]:
    """Split a request into wishes: at commas, full stops, "and", "but", "then"."""
    if understand_wish(text, scene) is not None and not re.search(r",|\bbut\b|\bthen\b", text):
        whole = understand_wish(text, scene)
        parts = re.split(r"\s+and\s+", text)
        if (
            len(parts) == 1
            or not all(understand_wish(_impolite(p), scene) for p in parts)
            or (whole and len(whole) > 1)
        ):
            return [text]
    pieces = [
        p for p in re.split(r"\s*(?:[,.;!]|\bbut\b|\bthen\b)\s*(?:and\s+)?", text) if p.strip()
    ]
    wishes: list[str] = []
    for piece in map(_impolite, pieces):
        parts = re.split(r"\s+(?:and|plus|while)\s+(?:also\s+)?", piece)
        if len(parts) > 1 and (
            understand_wish(piece, scene) is None
            or all(
                understand_wish(_impolite(p), scene) or _kept_fields(_impolite(p), scene)
                for p in parts
            )
        ):
            wishes.extend(_impolite(p) for p in parts)
        else:
            wishes.append(piece)
    return [w for w in wishes if w]


def _kept_fields(wish: str, scene: Scene) -> set[str] | None:
    """Return the fields that ``wish`` wants kept: none for all the rest; None where it keeps nothing."""
    if _SAME.fullmatch(wish):
        return set()
    match = re.match(
        rf"{load('requests')['keep']}\s+(.+?)(?:\s+(?:as (?:it|they) (?:is|are|was)|the same|unchanged|alone|like (?:this|that|it is)))?\Z",
        wish,
    )
    if match is None or by_table(wish, scene) is not None:
        return None
    if "everything" in match[1] or "the rest" in match[1]:
        return set()
    parts = re.split(r"\s*,\s*|\s+and\s+", match[1])
    return {name for part in parts for name in _fields_meant(part, scene)} or None


def _fields_meant(what: str, scene: Scene) -> set[str]:
    """Return the fields that ``what`` names, or that hold it: "the light", "the dog", "the rain"."""
    if name := field_named(what):
        return {name}
    held = ("subject", "subject_details", "action", "setting")
    if found := {name for name in held if mentions(getattr(scene, name), what)}:
        return found
    if any(mentions(detail, what) for detail in scene.details):
        return {"details"}
    return set(held_terms(what, scene))
