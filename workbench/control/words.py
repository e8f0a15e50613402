"""A camera path from words: "orbit left 30 degrees, then push in slowly while craning up".

"then", a comma or a semicolon separate consecutive movements; "and", "while", "as" and "with" join
simultaneous ones. What is not understood is reported, never guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.conversion import DEFAULT_FPS, Converted, invalid
from workbench.control.moves import Move, move_of, movement_table, path_of_moves
from workbench.vocabulary import vocabulary

__all__ = ["path_from_words"]

_DEFAULT_S: Final = 5.0
_SHORTEST_S: Final = 0.1
_MOST_MOVES: Final = 64
_LONGEST_TEXT: Final = 4_000

_NUMBER = r"(\d{1,6}(?:\.\d{1,12})?(?:e-?\d{1,2})?)"
_THEN: Final = re.compile(
    r"\s*(?:,?\s*(?:and\s+)?(?:then|finally|afterwards|after that|followed by)\b|[;,→.](?!\d)|->|\n)\s*"
)
_TOGETHER: Final = re.compile(r"\s+(?:and|while|as|with|plus)\s+|\s*[&+]\s*")
_SECONDS: Final = re.compile(
    rf"\b(?:for|over|in|during|within|lasting)?\s*{_NUMBER}\s*(?:s|secs?|seconds?)\b"
)
_RADIUS: Final = re.compile(
    rf"\bat an? (?:distance|radius) of {_NUMBER}\s*(?:units?|metres?|meters?|m)?\b"
)
_AMOUNT: Final = re.compile(
    rf"(?:\b(?:by|through)\s+)?(?<![\w.]){_NUMBER}\s*(°|(?:degrees?|deg|units?|metres?|meters?|m|x|times)\b)"
)
_BOUNDS: Final = {"degrees": (0.0, 3_600.0), "units": (0.0, 1e4), "times": (1e-3, 1e3)}
_METRES: Final = frozenset({"m", "metre", "metres", "meter", "meters"})


@dataclass(slots=True)
class _Part:
    """Simultaneous movements and their duration."""

    moves: list[Move]
    seconds: float | None
    weight: float


def path_from_words(
    text: str,
    *,
    seconds: float | None = None,
    fps: float = DEFAULT_FPS,
    intrinsics: Intrinsics | None = None,
    distance: float = 1.0,
    seed: int = 0,
) -> Converted[CameraPath]:
    """Return the path that ``text`` describes, one pose per frame, from the origin.

    It lasts ``seconds``, or as long as the text says, or 5 s. The subject is ``distance`` units
    ahead: orbits go around it, and default amounts are shares of it. The notes list the words that
    were not understood. Raises ``InvalidRequest`` if no movement was understood.
    """
    if len(text) > _LONGEST_TEXT:
        raise invalid("camera", f"may be described in {_LONGEST_TEXT} characters at most")
    if not 1e-3 <= distance <= 1e4:
        raise invalid("distance", "must be 0.001 to 10000 units")
    notes: list[str] = []
    parts: list[_Part] = []
    told = re.sub(r"[ \t]+", " ", text.lower())
    for degrees, phrases in movement_table()["turn"].items():
        told = _alternatives(phrases).sub(f"{degrees} degrees", told)
    for piece in _with_movement(_THEN.split(told)):
        part = _read_part(piece, distance, notes)
        if part:
            parts.append(part)
    if not parts:
        known = ", ".join(vocabulary()["camera_movement"])
        raise invalid("camera", f"no movement is understood in {text[:80]!r}; known: {known}")
    if len(parts) > _MOST_MOVES:
        raise invalid("camera", f"describes more than {_MOST_MOVES} movements")
    moves = _timed(parts, seconds, notes)
    lens = intrinsics or Intrinsics.of_view(832, 480)
    path = path_of_moves(moves, fps=fps, intrinsics=lens, seed=seed)
    return Converted(path, tuple(dict.fromkeys(notes)))


def _with_movement(pieces: Iterable[str]) -> list[str]:
    """Return ``pieces``, those without a movement joined to the one before: "pan left, slowly"."""
    found: list[str] = []
    for piece in filter(None, map(str.strip, pieces)):
        if found and not (_finder().search(piece) and _finder().search(found[-1])):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return found


def _read_part(piece: str, distance: float, notes: list[str]) -> _Part | None:
    seconds = None
    if found := _SECONDS.search(piece):
        seconds = float(found[1])
        piece = _without(piece, found)
    moves: list[Move] = []
    weights: list[float] = []
    for clause in _with_movement(_TOGETHER.split(piece)):
        for move, weight in _read_clause(clause, distance, notes):
            moves.append(move)
            weights.append(weight)
    if not moves:
        return None
    return _Part(moves, seconds, max(weights))


def _read_clause(clause: str, distance: float, notes: list[str]) -> list[tuple[Move, float]]:
    """Return the movements of a clause, each with its share of time."""
    terms: list[str] = []

    def take(found: re.Match[str]) -> str:
        terms.append(_phrases()[found[0]])
        return " | "

    rest = _finder().sub(take, clause)
    said = _Modifiers.read(rest)
    if terms and said.denied:
        notes.append(f"Ignored, because it says what not to do: {clause!r}.")
        return []
    chosen = []
    for term in terms:
        directed, told = _directed(term, said)
        notes += told
        chosen.append(directed)
    # The same movement named twice counts once: "circle around it, orbiting".
    moves = [said.applied(term, distance, notes) for term in dict.fromkeys(chosen)]
    if unread := said.unread():
        notes.append(f"Not read: {unread!r}.")
    if said.metres:
        notes.append("A metre counts as one unit: models have no scale.")
    return moves


def _directed(term: str, said: _Modifiers) -> tuple[str, list[str]]:
    row = movement_table()["movement"][term]
    towards = row.get("to", {})
    for word in towards:
        if word in said.words:
            said.words.remove(word)
            return towards[word], []
    if unsaid := row.get("unsaid"):
        return towards[unsaid], [f"{term!r} gives no direction: {unsaid} is taken."]
    return term, []


@dataclass(slots=True)
class _Modifiers:
    """The modifiers of a clause."""

    words: list[str]
    """The remaining words."""
    speed: float
    size: float
    ease: str | None
    denied: bool
    degrees: float | None
    units: float | None
    times: float | None
    radius: float | None
    metres: bool

    @classmethod
    def read(cls, text: str) -> _Modifiers:
        radius = None
        if found := _RADIUS.search(text):
            radius, text = float(found[1]), _without(text, found)
        amounts: dict[str, float] = {}
        metres = False
        while found := _AMOUNT.search(text):
            unit = found[2]
            kind = "degrees" if unit[0] in "°d" else "times" if unit[0] in "xt" else "units"
            metres |= unit in _METRES
            amounts.setdefault(kind, _bounded(float(found[1]), kind))
            text = _without(text, found)
        table = movement_table()
        text, speed = _factor(text, table["speed"])
        text, size = _factor(text, table["size"])
        text, constant = _cut(text, table["other"]["constant"])
        words = [word for word in re.findall(r"[^\s|]+", text) if word.strip("-–—'\"!?:()")]
        return cls(
            words=words,
            speed=speed or 1.0,
            size=size or 1.0,
            ease="linear" if constant else None,
            denied=any(word in table["other"]["no"] for word in words),
            degrees=amounts.get("degrees"),
            units=amounts.get("units"),
            times=amounts.get("times"),
            radius=radius,
            metres=metres,
        )

    def applied(self, term: str, distance: float, notes: list[str]) -> tuple[Move, float]:
        """Return the movement ``term`` as this clause modifies it, and its share of time."""
        move = move_of(term, 0.0, distance=distance)
        amounts, exact = dict(move.amounts), False
        for axis, value in move.amounts.items():
            wanted = self._amount(axis)
            if wanted is not None:
                amounts[axis], exact = math.copysign(wanted, value), True
        given = (self.degrees, self.units, self.times)
        if not exact and amounts and any(value is not None for value in given):
            notes.append(f"The amount given for {term!r} is in another unit than its motion.")
        if not exact:
            factor = self.size * self.speed
            amounts = {axis: value * factor for axis, value in amounts.items()}
        if move.keep_size and amounts["forward"] > 0.9 * (self.radius or distance):
            amounts["forward"] = 0.9 * (self.radius or distance)
            notes.append("A dolly zoom ends before the subject: it goes 0.9 of the way.")
        return (
            replace(
                move,
                amounts=amounts,
                radius=self.radius or distance,
                ease=self.ease or move.ease,
                shake_deg=move.shake_deg * self.size,
            ),
            1 / self.speed if exact else 1.0,
        )

    def _amount(self, axis: str) -> float | None:
        if axis in {"yaw", "pitch", "roll", "orbit"}:
            return None if self.degrees is None else math.radians(self.degrees)
        if axis == "zoom":
            return None if self.times is None else abs(math.log(self.times))
        return self.units

    def unread(self) -> str:
        """Return the words that were not understood."""
        filler = movement_table()["other"]["filler"]
        return " ".join(word for word in self.words if word not in filler)


def _bounded(amount: float, kind: str) -> float:
    least, most = _BOUNDS[kind]
    if not least <= amount <= most:
        raise invalid("camera", f"{amount:g} {kind} are out of bounds: {least:g} to {most:g}")
    return amount


def _timed(parts: list[_Part], seconds: float | None, notes: list[str]) -> list[Move]:
    """Return the movements of each part as one, with its time."""
    said = sum(part.seconds or 0 for part in parts)
    open_weight = sum(part.weight for part in parts if part.seconds is None)
    if seconds is None:
        total = said + (max(_DEFAULT_S - said, open_weight) if open_weight else 0)
    else:
        total = seconds
    left = total - said
    stretch = 1.0
    if open_weight and left < _SHORTEST_S * open_weight:
        left = total * 0.25
        stretch = (total - left) / said
    elif not open_weight and said:
        stretch = total / said
    if abs(stretch - 1) > 1e-9:
        notes.append(f"The times given add up to {said:g} s; they are scaled to fit {total:g} s.")
    moves = []
    for part in parts:
        if part.seconds is None:
            time_s = left * part.weight / open_weight
        else:
            time_s = part.seconds * stretch
        moves.append(_merged(part.moves, time_s))
    return moves


def _merged(moves: Iterable[Move], seconds: float) -> Move:
    first, *others = moves
    amounts = dict(first.amounts)
    merged = first
    for other in others:
        for axis, value in other.amounts.items():
            amounts[axis] = amounts.get(axis, 0.0) + value
        merged = replace(
            merged,
            radius=other.radius if "orbit" in other.amounts or other.keep_size else merged.radius,
            ease=merged.ease if merged.ease != "smooth" else other.ease,
            keep_size=merged.keep_size or other.keep_size,
            shake_deg=max(merged.shake_deg, other.shake_deg),
        )
    return replace(merged, seconds=seconds, amounts=amounts)


@cache
def _phrases() -> dict[str, str]:
    found = {}
    for term, phrases in vocabulary()["camera_movement"].items():
        for phrase in (term, *phrases):
            found[phrase.lower()] = term
    for term, row in movement_table()["movement"].items():
        for phrase in (term, *row.get("phrases", ())):
            found[phrase.lower()] = term
    return found


@cache
def _finder() -> re.Pattern[str]:
    return _alternatives(_phrases())


def _alternatives(phrases: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, ordered))})(?![\w-])")


def _factor(text: str, table: dict[str, list[str]]) -> tuple[str, float | None]:
    for value, phrases in table.items():
        rest, found = _cut(text, phrases)
        if found:
            return rest, float(value)
    return text, None


def _cut(text: str, phrases: list[str]) -> tuple[str, bool]:
    rest, count = _alternatives(phrases).subn(" | ", text)
    return rest, bool(count)


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} | {text[found.end() :]}"
