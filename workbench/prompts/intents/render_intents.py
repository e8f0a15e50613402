"""Intents on render settings: exact values, and steps from the current ones."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from workbench import control
from workbench.actions.model import (
    Action,
    Render,
    SetRender,
)
from workbench.actions.render_settings import aspect_of
from workbench.errors import InvalidRequest
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.words import NUMBERS, data

__all__ = [
    "SETTINGS",
    "SETTING_RULES",
    "SPELLED",
    "STEP_FACTORS",
    "SURE",
    "UNITS",
    "USUAL_SECONDS",
    "drawn_seed",
    "length_said",
    "named_setting",
    "number_said",
    "settings_in",
    "settings_within",
    "tidy",
]

USUAL_SECONDS: Final = 5.0
"""The length that "longer" starts from if neither the session nor the engine has one."""


_SEED_BITS: Final = 31  # fits every engine's generator, and a JavaScript number


_NUMBERS: Final = {
    **NUMBERS, "another": 1, "a few": 3, "some": 4, "several": 4, "a couple of": 2, "many": 8,
    "multiple": 4, "different": 4, "a bunch of": 6, "a dozen": 12, "twice": 2, "three times": 3,
    "fifteen": 15, "half a": 0,
}  # fmt: skip


_SIDES: Final = {
    "full hd": 1080,
    "fhd": 1080,
    "hd": 720,
    "uhd": 2160,
    "4k": 2160,
    "8k": 4320,
    "2k": 1440,
    "sd": 480,
}


_FACTORS: Final = {
    "twice": 2.0, "double": 2.0, "2x": 2.0, "two times": 2.0, "three times": 3.0, "3x": 3.0,
    "triple": 3.0, "four times": 4.0, "4x": 4.0, "half": 0.5, "halve": 0.5, "1.5x": 1.5,
    "one and a half times": 1.5,
}  # fmt: skip


def drawn_seed() -> int:
    """Return a new seed."""
    return secrets.randbits(_SEED_BITS)


def _set(values: Mapping[str, Any], match: Match) -> Candidate:
    return Candidate((SetRender(values=dict(values)),), match.score, intent="setting")


def _step(values: Mapping[str, Any], match: Match) -> Candidate:
    return Candidate((SetRender(values=dict(values)),), match.score, intent="setting_step")


def _size(match: Match, _context: Context) -> Candidate | None:
    width, height = int(match.groups["width"]), int(match.groups["height"])
    if not (64 <= width <= 7_680 and 64 <= height <= 4_320):
        return Candidate(
            help="A frame is 64 to 7,680 pixels wide and 64 to 4,320 high.", score=match.score
        )
    return _set({"width": width, "height": height}, match)


def _resolution_step(match: Match, context: Context) -> Candidate | None:
    now = context.settings.short_side or 480
    factor = float(match.rule.parameters["factor"])
    return _step({"short_side": min(4_320, max(64, round(now * factor / 16) * 16))}, match)


def number_said(text: str) -> float | None:
    """Return the number that ``text`` names, or None."""
    low = text.lower().strip()
    try:
        return float(low)
    except ValueError:
        found = _NUMBERS.get(low)
        return 0.5 if low == "half a" else None if found is None else float(found)


def _seconds(match: Match, _context: Context) -> Candidate | None:
    given = next((v for k in ("seconds", "spelled", "minutes") if (v := match.groups.get(k))), None)
    number = number_said(given) if given else None
    if number is None:
        return None
    seconds = number * (60 if match.groups.get("minutes") else 1)
    return _set({"seconds": tidy(seconds)}, match) if 0 < seconds <= 3_600 else None


def tidy(number: float) -> float:
    """Return ``number`` as an int if it is whole, or rounded to three decimal places."""
    return int(number) if number == int(number) else round(number, 3)


_LENGTH: Final = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?) ?(?:s|secs?|seconds?)\b(?! (?:longer|shorter|more|less|earlier|later))",
    re.IGNORECASE,
)
_BY: Final = re.compile(
    r"\b(?:by|add|plus|another|extra|more|less|off|after|every)\b", re.IGNORECASE
)


def length_said(text: str) -> float | None:
    """Return the length in seconds in ``text``: "shorter, like 4 secs"; None for a step."""
    found = _LENGTH.findall(text)
    return tidy(float(found[0])) if len(found) == 1 and not _BY.search(text) else None


def _length_step(match: Match, context: Context) -> Candidate | None:
    now = context.settings.seconds or USUAL_SECONDS
    groups = match.groups
    said = _joined(match)
    if (length := length_said(said)) is not None:
        return _set({"seconds": length}, match)
    if len(step := _LENGTH.findall(said)) == 1:  # "extend it by 3 seconds"
        by = float(step[0]) * (1 if "longer" in groups else -1)
        return _step({"seconds": tidy(round(now + by, 2))}, match) if now + by > 0 else None
    factor = _FACTORS.get(groups.get("factor", "").lower(), 0.0)
    if not factor and "verb" in groups:
        first = _joined(match).split(maxsplit=1)[0].lower()
        factor = _FACTORS.get(first, 2.0)
    if not factor:
        way = groups.get("way", "").lower()
        is_longer = "longer" in groups or way in {"longer", "short"}
        much = bool(groups.get("much"))
        factor = (2.0 if much else 1.5) if is_longer else (0.4 if much else 0.6667)
        if groups.get("little"):
            factor = 1.25 if is_longer else 0.8
    return _step({"seconds": tidy(round(now * factor, 2))}, match)


def _joined(match: Match) -> str:
    return match.groups.get("whole", "")


def _fps(match: Match, _context: Context) -> Candidate | None:
    fps = int(match.groups["fps"])
    return (
        _set({"fps": fps}, match)
        if 1 <= fps <= 120
        else Candidate(help="The frame rate is 1 to 120 frames per second.", score=match.score)
    )


def _fps_step(match: Match, context: Context) -> Candidate | None:
    now = context.settings.fps or 24
    return _step(
        {"fps": min(120, max(1, round(now * float(match.rule.parameters["factor"]))))},
        match,
    )


def _steps_step(match: Match, context: Context) -> Candidate | None:
    now = context.settings.num_inference_steps
    factor = float(match.rule.parameters["factor"])
    if now is None:
        if "quality" not in match.groups["whole"]:
            return Candidate(help="This engine renders without steps.", score=match.score)
        return _set(
            {"short_side": min(4_320, round((context.settings.short_side or 480) * 1.5 / 16) * 16)},
            match,
        )
    return _set({"num_inference_steps": max(1, min(1_000, round(now * factor)))}, match)


def _profile(match: Match, _context: Context) -> Candidate | None:
    return _set({"profile": str(match.rule.parameters["value"])}, match)


def _guidance_step(match: Match, context: Context) -> Candidate | None:
    now = context.settings.guidance_scale
    if now is None:
        return Candidate(help="This engine has no guidance to change.", score=match.score)
    return _set({"guidance_scale": round(now * float(match.rule.parameters["factor"]), 2)}, match)


def _model(match: Match, context: Context) -> Candidate | None:
    value: str = match.value("model")
    engines = set(context.models.values())
    if value in engines and "/" not in value and value in {"animatic", "diffusers", "remote"}:
        return _set({"engine": value}, match)
    return _set({"model": value, "engine": "diffusers"}, match)


def _camera_path(match: Match, _context: Context) -> Candidate | None:
    """Set the camera path: "camera: orbit left, then push in", "camera path w-40"."""
    path = match.groups["path"].strip().rstrip(".")
    try:
        is_keys = control.CameraControl.of(path).is_keys
        read = control.path_from_keys(path) if is_keys else control.path_from_words(path)
    except InvalidRequest as error:
        told = " ".join(problem.problem for problem in error.problems) or str(error)
        is_path = "named" in match.groups
        return Candidate(help=f"No camera path: {told}.", score=match.score) if is_path else None
    if "named" not in match.groups and any(note.startswith("Not read") for note in read.notes):
        return None
    return _set({"camera": path}, match)


def _camera_path_off(match: Match, _context: Context) -> Candidate | None:
    return _set({"camera": None}, match)


def _settings_reset(match: Match, context: Context) -> Candidate | None:
    del context
    from workbench.actions.render_settings import RENDER_SETTINGS  # noqa: PLC0415

    return Candidate(
        (SetRender(values=dict.fromkeys(RENDER_SETTINGS)),), match.score, intent="setting"
    )


@cache
def _setting_patterns() -> tuple[tuple[Mapping[str, Any], re.Pattern[str]], ...]:
    return tuple(
        (entry, re.compile(rf"(?<![\w.])(?:{entry['when']})(?!\w)", re.IGNORECASE))
        for entry in data("settings")["setting"]
    )


_THEN_RENDER: Final = re.compile(
    r"(?:\band|\bthen|,)\s+(?:then\s+)?(?:re-?)?(?:render|generate)(?:\s+(?:it|this|that))?"
    r"(?:\s+(?:now|again|please))*\W*$",
    re.IGNORECASE,
)
"""A render requested after settings: "vertical, and render it"."""


_AGAIN: Final = re.compile(
    r"\b(?:re-?)?render(?: (?:it|this|that))?(?: (?:again|once more|in both)\b|.*\d ?: ?\d)",
    re.IGNORECASE,
)


_TWO_FORMATS: Final = re.compile(
    r"(?P<one>\d{1,2}(?:\.\d+)? ?: ?\d{1,2}) ?(?:and|as well as|plus|,|/|&|also) ?(?:also |in |an? )*(?P<other>\d{1,2}(?:\.\d+)? ?: ?\d{1,2})",
    re.IGNORECASE,
)


_SEVERAL_SEEDS: Final = re.compile(
    r"\bseeds \d+(?:\s*(?:,|and|&|\+|–|-|to|through|, and)\s*\d+)+", re.IGNORECASE
)
_SEEDS_IN_TURN: Final = (
    "One render has one seed: say “seed 11, render it” for each. “Three seeds” renders three at once, "
    "with seeds of their own."
)
_WHICH_FORMAT: Final = (
    "Say which format it should be instead, such as “9:16”, “16:9” or “1:1”. Nothing was changed."
)
_NOT_THAT: Final = re.compile(
    r"\b(?:not|no|without|don'?t want|never) (?:(?:in|a|the|it) )?(?:\d{1,2} ?: ?\d{1,2}|wide ?screen|vertical|portrait|landscape|square|horizontal|letterbox)\b",
    re.IGNORECASE,
)
"""A format that is ruled out: "2.39, not 16:9"."""


@cache
def _setting_filler() -> frozenset[str]:
    return frozenset(str(data("settings")["filler"]).split())


def settings_within(text: str, context: Context) -> Candidate | None:
    """Return the render settings with numbers in a text in another language."""
    for part in re.split(r"[,;.]\s+|\s+(?:y|e|und|et|and)\s+", text):
        found = settings_in(part.strip(), context)
        if found is not None and re.search(r"\d", part):
            return found
    return None


def settings_in(text: str, context: Context) -> Candidate | None:
    """Return the render settings of a text about nothing else: "16:9, 5 s each"."""
    two = _TWO_FORMATS.search(text)
    if two is not None and two["one"] != two["other"]:
        made = settings_in(text.replace(two[0], two["one"]), context)
        told = f"One render has one format: say “{two['other']}, render it” for the other."
        return None if made is None else replace(made, help=told)
    if _SEVERAL_SEEDS.search(text):
        return Candidate(help=_SEEDS_IN_TURN, score=0.96, intent="setting")
    left = _NOT_THAT.sub("", text)
    if left != text and not re.search(
        r"[a-z0-9][\w.:]{2,}", re.sub(r"\b(?:please|pls|video|format|more|now)\b", "", left)
    ):
        return Candidate(help=_WHICH_FORMAT, score=0.96, intent="setting")
    values: dict[str, Any] = {}
    times = 0
    for entry, pattern in _setting_patterns():
        found = pattern.search(left)
        if found is None:
            continue
        name = str(entry["name"])
        if name in values and values[name] != entry.get("value"):
            continue
        while found is not None:
            last = found
            left = f"{left[: found.start()]} {left[found.end() :]}"
            found = pattern.search(left) if "value" in entry else None
        found = last
        if name == "seeds":
            times = int(number_said(found["seeds"]) or 1)
        elif name == "new_seed":
            values["seed"] = drawn_seed()
        elif name == "keep_seed":
            seed = context.settings.seed
            values["seed"] = drawn_seed() if seed is None else seed
        else:
            values |= _setting_values(name, entry, found)
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)?", left.lower())
    if not (values or times) or any(word not in _setting_filler() for word in words):
        return None
    actions: list[Action] = [SetRender(values=values)] if values else []
    if times or _THEN_RENDER.search(text) or _AGAIN.search(text):
        actions.append(Render(seeds=max(1, times)))
    return Candidate(tuple(actions), 0.96, intent="setting")


def _setting_values(name: str, entry: Mapping[str, Any], found: re.Match[str]) -> dict[str, Any]:
    groups = {k: v for k, v in found.groupdict().items() if v is not None}
    if name == "size":
        return {"width": int(groups["width"]), "height": int(groups["height"])}
    if name == "short_side":
        named = groups.get("named")
        return {name: _SIDES[named.lower()] if named else int(groups["side"])}
    if name == "aspect":
        text = str(entry.get("value") or groups["ratio"].replace(" ", ""))
        return {name: text} if aspect_of(text) and _is_format(text) else {}
    value = float(next(iter(groups.values())))
    return {name: tidy(value) if name in {"seconds", "guidance_scale"} else int(value)}


SETTING_RULES: Final[Mapping[str, Intent]] = {
    "size": _size,
    "resolution_step": _resolution_step,
    "seconds": _seconds,
    "length_step": _length_step,
    "fps": _fps,
    "fps_step": _fps_step,
    "steps_step": _steps_step,
    "profile": _profile,
    "guidance_step": _guidance_step,
    "model": _model,
    "camera_path": _camera_path,
    "camera_path_off": _camera_path_off,
    "settings_reset": _settings_reset,
}


SETTINGS: Final = {
    "seconds": "seconds", "frames": "num_frames", "fps": "fps", "steps": "num_inference_steps",
    "guidance": "guidance_scale", "seed": "seed",
}  # fmt: skip


STEP_FACTORS: Final = (
    (re.compile(r"\b(?:twice|double|2x)\b", re.IGNORECASE), 2.0),
    (re.compile(r"\b(?:half|halve)\b", re.IGNORECASE), 0.5),
    (re.compile(r"\b(?:triple|three times)\b", re.IGNORECASE), 3.0),
    (re.compile(r"\b(?:longer|more|high(?:er)?|big(?:ger)?|large|bigger|up|larger|extend|stronger|smoother|better)\b", re.IGNORECASE), 1.5),
    (re.compile(r"\b(?:shorter|less|low(?:er)?|small(?:er)?|fewer|down|trim|cut)\b", re.IGNORECASE), 0.667),
)  # fmt: skip


UNITS: Final = {
    "seconds": re.compile(
        r"\d ?s|sec|min|long|short|length|duration|last|twice|half|double", re.IGNORECASE
    ),
    "frames": re.compile(r"frame", re.IGNORECASE),
    "fps": re.compile(r"fps|frame|hz|per sec", re.IGNORECASE),
    "steps": re.compile(r"step", re.IGNORECASE),
}


SURE: Final = 0.8


SPELLED: Final = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|sixty)\b",
    re.IGNORECASE,
)


_FORMATS: Final = frozenset(
    ["1:1", "4:3", "3:4", "16:9", "9:16", "21:9", "9:21", "3:2", "2:3", "5:4", "4:5", "16:10", "10:16",
     "2:1", "1:2", "18:9", "9:18", "19:9", "32:9", "17:9", "5:3", "3:5", "7:5", "5:7"]
)  # fmt: skip


def _is_format(ratio: str) -> bool:
    """Tell whether a ratio is a picture format; "4:10" is a time of day."""
    return "." in ratio or ratio.replace(" ", "") in _FORMATS


_ASPECTS: Final = (
    (re.compile(r"vertical|portrait|tiktok|reel|story|stories|shorts|phone|upright|tall", re.IGNORECASE), "9:16"),
    (re.compile(r"ultra ?wide|cinemascope|scope|letterbox|anamorphic", re.IGNORECASE), "21:9"),
    (re.compile(r"square|insta", re.IGNORECASE), "1:1"),
    (re.compile(r"wide|landscape|horizontal|youtube|tv|desktop", re.IGNORECASE), "16:9"),
)  # fmt: skip


def named_setting(label: str, said: str, context: Context, score: float) -> Candidate | None:
    """Return the candidate for the format, size, profile or model that ``said`` names."""
    values: dict[str, Any] = {}
    if label == "aspect":
        clock = re.search(r"\d{1,2}:\d{2}", said)
        if clock is not None and not _is_format(clock[0]):
            return None  # a time of day
        found = re.search(r"(\d{1,2}(?:\.\d+)?) ?(?:[:x/]|by|to) ?(\d{1,2}(?:\.\d+)?)", said)
        text = (
            f"{found[1]}:{found[2]}"
            if found
            else next((v for p, v in _ASPECTS if p.search(said)), "")
        )
        values = {"aspect": text} if text and aspect_of(text) else {}
    elif label == "size":
        number = re.search(
            r"\d{3,4}(?! ?k\b)", said, re.IGNORECASE
        )  # 3200K is a colour temperature
        side = next((v for k, v in _SIDES.items() if re.search(rf"\b{k}\b", said.lower())), None)
        factor = next((by for pattern, by in STEP_FACTORS if pattern.search(said)), None)
        now = context.settings.short_side or 480
        stepped = max(64, min(4_320, round(now * factor / 16) * 16)) if factor else None
        chosen = side or (int(number[0]) if number else stepped)
        values = {"short_side": chosen} if chosen and 64 <= chosen <= 4_320 else {}
    elif label == "profile":
        is_draft = re.search(
            r"draft|quick|fast|rough|cheap|low|preview|test|speed", said, re.IGNORECASE
        )
        values = {"profile": "draft" if is_draft else "exact"}
    elif label == "model":
        known = ", ".join(list(context.models)[:6])
        told = f" There are: {known}." if known else ""
        return Candidate(help=f"There is no model called “{said}” here.{told}", score=score)
    return Candidate((SetRender(values=values),), score, intent="setting") if values else None
