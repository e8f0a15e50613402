"""Requests about the session: render settings, renders, versions, stars, locks, going back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from workbench.actions.model import (
    Action,
    Compare,
    EditField,
    GoBack,
    Lock,
    Render,
    SetRender,
    Star,
    Step,
    Unlock,
    Vary,
)
from workbench.actions.render_settings import RenderSettings, aspect_of
from workbench.prompts.intents.candidates import Candidate, Intent, Wish
from workbench.prompts.intents.context import Context, Landmark
from workbench.prompts.intents.keeping import fields_kept
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.rules import Match, matches
from workbench.prompts.intents.slots import fields_meant
from workbench.prompts.intents.wording import plain
from workbench.prompts.intents.words import NUMBERS, data, find_terms, lemma, noun_in_text
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import SCENE_FIELDS, Scene

__all__ = [
    "RULED",
    "SETTING_LABELS",
    "WISHES",
    "kept",
    "landmark_named",
    "ruled",
    "settings_in",
    "settings_within",
]

_USUAL_SECONDS: Final = 5.0
"""The length from which "longer" counts where neither the session nor the engine states one."""
_SEED_BITS: Final = 31  # fits every engine's generator, and a JavaScript number
_NUMBERS: Final = {
    **NUMBERS, "another": 1, "a few": 3, "some": 4, "several": 4, "a couple of": 2, "many": 8,
    "multiple": 4, "different": 4, "a bunch of": 6, "a dozen": 12, "twice": 2, "three times": 3,
    "fifteen": 15, "half a": 0,
}  # fmt: skip
_ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
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
_AXES: Final = {
    "camera": "camera", "cameras": "camera", "camera angle": "camera_angle", "camera angles": "camera_angle",
    "angle": "camera_angle", "angles": "camera_angle", "camera move": "camera_movement",
    "camera moves": "camera_movement", "camera movement": "camera_movement",
    "camera movements": "camera_movement", "light": "light", "lights": "light", "lighting": "light",
    "lightings": "light", "time": "time", "times": "time", "time of day": "time_of_day",
    "times of day": "time_of_day", "weather": "weather", "weathers": "weather", "mood": "mood",
    "moods": "mood", "style": "style", "styles": "style", "look": "style", "looks": "style",
    "setting": "setting", "settings": "setting", "location": "setting", "locations": "setting",
    "place": "setting", "places": "setting", "background": "setting", "backgrounds": "setting",
    "palette": "color_palette", "palettes": "color_palette", "colors": "color_palette",
    "colours": "color_palette", "color palettes": "color_palette", "colour palettes": "color_palette",
    "framing": "shot_size", "framings": "shot_size", "shot": "shot_size", "shots": "shot_size",
    "shot size": "shot_size", "pace": "pace", "paces": "pace", "speed": "pace", "lens": "lens",
    "lenses": "lens",
}  # fmt: skip


def _seed() -> int:
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


def _number(text: str) -> float | None:
    low = text.lower().strip()
    try:
        return float(low)
    except ValueError:
        found = _NUMBERS.get(low)
        return 0.5 if low == "half a" else None if found is None else float(found)


def _seconds(match: Match, _context: Context) -> Candidate | None:
    given = next((v for k in ("seconds", "spelled", "minutes") if (v := match.groups.get(k))), None)
    number = _number(given) if given else None
    if number is None:
        return None
    seconds = number * (60 if match.groups.get("minutes") else 1)
    return _set({"seconds": _tidy(seconds)}, match) if 0 < seconds <= 3_600 else None


def _tidy(number: float) -> float:
    return int(number) if number == int(number) else round(number, 3)


def _length_step(match: Match, context: Context) -> Candidate | None:
    now = context.settings.seconds or _USUAL_SECONDS
    groups = match.groups
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
    return _step({"seconds": _tidy(round(now * factor, 2))}, match)


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


def _settings_reset(match: Match, context: Context) -> Candidate | None:
    del context
    from workbench.actions.render_settings import RENDER_SETTINGS  # noqa: PLC0415

    return Candidate(
        (SetRender(values=dict.fromkeys(RENDER_SETTINGS)),), match.score, intent="setting"
    )


def _render(match: Match, _context: Context) -> Candidate | None:
    return Candidate((Render(),), match.score, intent="render")


def _render_times(match: Match, _context: Context) -> Candidate | None:
    count = match.groups.get("count")
    number = _number(count) if count else 4
    if number is None or not 1 <= number <= 64:
        return None
    return Candidate((Render(seeds=int(number)),), match.score, intent="render")


def _render_all(match: Match, context: Context) -> Candidate | None:
    varied = [one for one in context.landmarks if one.is_variation]
    if not varied:
        return Candidate((Render(),), match.score, intent="render")
    parent = varied[-1].parent
    group = [one.index for one in varied if one.parent == parent]
    entries = tuple(dict.fromkeys([*([parent] if parent is not None else []), *group]))
    return Candidate((Render(entries=entries),), match.score, intent="render")


def _vary(match: Match, _context: Context) -> Candidate | None:
    groups = match.groups
    count = groups.get("count")
    number = _number(count) if count else 7
    if number is None:
        return None
    named = [groups.get(name) for name in ("axes", "axis", "what") if groups.get(name)]
    axes: list[str] = []
    for words in named:
        for part in re.split(r"\s*,\s*|\s+and\s+", str(words).lower().strip()):
            bare = re.sub(r"^(?:the|its|different|only)\s+", "", part)
            axis = _AXES.get(bare)
            if axis is None:
                if groups.get("axes") and not axes:
                    continue
                if groups.get("axis") and bare in {"it", "this", "that", "more"}:
                    continue
                return None
            axes.append(axis)
    if not 1 <= number <= 64:
        return None
    is_rendered = bool(
        re.search(r"\b(?:render|generate|videos?)\b", groups.get("whole", ""), re.IGNORECASE)
    )
    action = Vary(count=int(number), axes=tuple(dict.fromkeys(axes)), render=is_rendered)
    return Candidate((action,), match.score, intent="vary")


def _which(text: str | None, context: Context) -> int | None:
    """Return the entry that words name; None for the current one, -1 where they name none."""
    low = (text or "").lower().strip()
    low = re.sub(r"^(?:the|card|version|variation|prompt|entry)\s+", "", low)
    low = re.sub(r"\s+(?:one|version|variation|card|prompt|video|take)$", "", low)
    if low in {"", "this", "that", "it", "current", "last", "latest", "one", "new"}:
        return None
    if low.isdigit():
        return _numbered(int(low), context)
    if low in _ORDINALS:
        return _numbered(_ORDINALS.index(low) + 1, context)
    found = landmark_named(low, context)
    return -1 if found is None else found.index


def _numbered(number: int, context: Context) -> int:
    """Return the entry that a number means: a card of the newest variations, else an entry."""
    varied = [one for one in context.landmarks if one.is_variation]
    if varied:
        parent = varied[-1].parent
        cards = [parent, *(one.index for one in varied if one.parent == parent)]
        if 1 <= number <= len(cards):
            card = cards[number - 1]
            return -1 if card is None else card
    known = [one.index for one in context.landmarks]
    return known[number - 1] if 1 <= number <= len(known) else -1


def _star(match: Match, context: Context) -> Candidate | None:
    which = _which(match.groups.get("which"), context)
    if which == -1:
        return None
    return Candidate((Star(entry=which),), match.score, intent="star")


def _unstar(match: Match, _context: Context) -> Candidate | None:
    return Candidate((Star(starred=False),), match.score, intent="star")


def _compare(match: Match, context: Context) -> Candidate | None:
    first = _place_of(match.groups.get("what"), context)
    other = _place_of(match.groups.get("other"), context)
    here = context.current if context.current is not None else 0
    words = (match.groups.get("what") or "") + (match.groups.get("other") or "")
    two = re.search(r"(?:last|latest|the) (?:two|2|both)|both", words)
    parent = next((one.parent for one in context.landmarks if one.index == here), None)
    if two or (first is None and other is None):
        if parent is None:
            return Candidate(
                help="There is only one prompt so far; nothing to compare it with.",
                score=match.score,
            )
        entries: tuple[int, ...] = (parent, here)
    else:
        chosen = [here if x is None else x for x in (other, first)]
        if -1 in chosen:
            return None
        entries = tuple(dict.fromkeys(chosen))
    if len(entries) < 2 and parent is not None and entries[0] == here:
        entries = (parent, here)
    return Candidate((Compare(entries=entries),), match.score, intent="compare")


def _place_of(text: str | None, context: Context) -> int | None:
    low = re.sub(r"^(?:the|my)\s+", "", (text or "").lower().strip())
    earlier = re.fullmatch(
        r"(?:(?:version|one|prompt|state|time) )?(?:from )?(?P<when>before|without|with) (?:the |we |i |adding )*(?P<what>.+)",
        low,
    )
    if earlier is not None and (found := landmark_named(earlier["what"], context)) is not None:
        is_with = earlier["when"] == "with" or found.parent is None
        return found.index if is_with else found.parent
    if low in {
        "original",
        "start",
        "beginning",
        "first",
        "first one",
        "first version",
        "original one",
    }:
        return context.landmarks[0].index if context.landmarks else -1
    if low in {
        "previous",
        "previous one",
        "before",
        "last one",
        "one before",
        "last version",
        "previous version",
    }:
        here = context.current
        return next(
            (
                o.parent if o.parent is not None else -1
                for o in context.landmarks
                if o.index == here
            ),
            -1,
        )
    return _which(low, context)


def _lock(match: Match, _context: Context) -> Candidate | None:
    return Candidate((Lock(fields=match.value("fields")),), match.score, intent="lock")


def _unlock(match: Match, context: Context) -> Candidate | None:
    fields = match.value("fields")
    if fields is None:
        fields = tuple(name for name in SCENE_FIELDS if context.scene.is_locked(name))
        if not fields:
            return Candidate(already=True, score=match.score)
    return Candidate((Unlock(fields=fields),), match.score, intent="lock")


def _undo(match: Match, _context: Context) -> Candidate | None:
    return Candidate((GoBack(to=Step.UNDO),), match.score, intent="go_back")


def _redo(match: Match, _context: Context) -> Candidate | None:
    return Candidate((GoBack(to=Step.REDO),), match.score, intent="go_back")


def _start_over(match: Match, _context: Context) -> Candidate | None:
    return Candidate((GoBack(to=Step.START),), match.score, intent="go_back")


def _go_back(match: Match, context: Context) -> Candidate | None:
    groups = match.groups
    if "number" in groups or "ordinal" in groups:
        last = groups.get("ordinal", "").lower() == "last"
        number = (
            int(groups["number"])
            if "number" in groups
            else (
                len(context.landmarks) if last else _ORDINALS.index(groups["ordinal"].lower()) + 1
            )
        )
        index = _numbered(number, context)
        return None if index < 0 else Candidate((GoBack(to=index),), match.score, intent="go_back")
    what = re.sub(
        r"\s+(?:came|was added|started|happened|appeared|change|showed up|shows up|came in|comes in|arrived|walked in|was there|got there)$",
        "",
        groups["what"].lower().strip(),
    )
    found = landmark_named(what, context)
    if found is None:
        return None
    relation = groups.get("relation", "").lower()
    is_undo = groups.get("whole", "").lower().lstrip().startswith(("undo", "please undo"))
    if is_undo:
        return _without_entry(found, match.score, context)
    if relation in {"before", "without"}:
        index = found.parent if found.parent is not None else found.index
        return Candidate((GoBack(to=index),), match.score, intent="go_back")
    return Candidate((GoBack(to=found.index),), match.score, intent="go_back")


def _without_entry(found: Landmark, score: float, context: Context) -> Candidate:
    """Take back what one entry changed, and keep what came after it."""
    if found.index == context.current:
        return Candidate((GoBack(to=Step.UNDO),), score, intent="go_back")
    return Candidate((GoBack(to=found.index, only=True),), score, intent="go_back")


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
"""A render that is asked for beside settings: "vertical, and render it"."""


_AGAIN: Final = re.compile(
    r"\b(?:re-?)?render(?: (?:it|this|that))?(?: (?:again|once more|in both)\b|.*\d ?: ?\d)",
    re.IGNORECASE,
)
_TWO_FORMATS: Final = re.compile(
    r"(?P<one>\d{1,2}(?:\.\d+)? ?: ?\d{1,2}) ?(?:and|as well as|plus|,|/|&|also) ?(?:also |in |an? )*(?P<other>\d{1,2}(?:\.\d+)? ?: ?\d{1,2})",
    re.IGNORECASE,
)


@cache
def _setting_filler() -> frozenset[str]:
    return frozenset(str(data("settings")["filler"]).split())


def settings_within(text: str, context: Context) -> Candidate | None:
    """Return the render settings that stand with numbers in a text in another language."""
    for part in re.split(r"[,;.]\s+|\s+(?:y|e|und|et|and)\s+", text):
        found = settings_in(part.strip(), context)
        if found is not None and re.search(r"\d", part):
            return found
    return None


def settings_in(text: str, context: Context) -> Candidate | None:
    """Return the render settings of a part that speaks of nothing else: "16:9, 5 s each"."""
    two = _TWO_FORMATS.search(text)
    if two is not None and two["one"] != two["other"]:
        made = settings_in(text.replace(two[0], two["one"]), context)
        told = f"One render has one format: say “{two['other']}, render it” for the other."
        return None if made is None else replace(made, help=told)
    left = text
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
            times = int(_number(found["seeds"]) or 1)
        elif name == "new_seed":
            values["seed"] = _seed()
        elif name == "keep_seed":
            seed = context.settings.seed
            values["seed"] = _seed() if seed is None else seed
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
    return {name: _tidy(value) if name in {"seconds", "guidance_scale"} else int(value)}


def landmark_named(what: str, context: Context) -> Landmark | None:
    """Return the entry in which ``what`` came into the session, the newest first."""
    words = _stems(what) - {
        "the", "a", "an", "it", "we", "one", "version", "with", "had", "of", "in", "to", "have",
    }  # fmt: skip
    if not words:
        return None
    known = {one.index: one for one in context.landmarks}
    for one in reversed(context.landmarks):
        said = _stems(one.request)
        if one.parent is not None and words <= said:
            return one
    here = known.get(context.current) if context.current is not None else None
    if here is not None and not words <= _said(here.scene):
        for one in reversed(context.landmarks):
            if words <= _said(one.scene) and not one.is_variation:
                return one
    for one in reversed(context.landmarks):
        before = known.get(one.parent) if one.parent is not None else None
        if before is not None and words <= _said(one.scene) and not words <= _said(before.scene):
            return one
    return None


def _said(scene: Scene) -> set[str]:
    texts = [str(v) for v in scene.values().values()]
    texts += [e.text for e in scene.cast]
    return {stem for text in texts for stem in _stems(text)}


def _stems(text: str) -> set[str]:
    """Return the base forms of the words of ``text``: "raining" and "rain" are one."""
    words = re.findall(r"[\w'-]+", text.lower())
    return {lemma(lemma(w, "NOUN"), "VERB") for w in words}


def _go_back_keep(match: Match, context: Context) -> Candidate | None:
    what = str(match.value("any"))
    kept = fields_kept(what, context)
    entities = [
        i
        for part in re.split(r"\s*,\s*|\s+and\s+", what)
        if (r := refer(part, context))
        for i in r.ids
    ]
    keep = tuple(dict.fromkeys([*(kept or ()), *entities]))
    if not keep:
        return None
    whole = match.groups.get("whole", "").lower()
    is_all = bool(
        re.search(r"\b(?:all|everything|start|original|beginning|start over|reset)\b", whole)
    )
    to = Step.START if is_all else Step.UNDO
    return Candidate((GoBack(to=to, keep=keep),), match.score, intent="go_back")


def _render_both(match: Match, context: Context) -> Candidate | None:
    """Render the present prompt and the one before it."""
    here = next((one for one in context.landmarks if one.index == context.current), None)
    if here is None or here.parent is None:
        return Candidate((Render(),), match.score, intent="render")
    return Candidate((Render(entries=(here.parent, here.index)),), match.score, intent="render")


def _undo_twice(match: Match, context: Context) -> Candidate | None:
    """Take the last two steps back."""
    known = {one.index: one for one in context.landmarks}
    at = known.get(context.current) if context.current is not None else None
    for _ in range(2):
        at = known.get(at.parent) if at is not None and at.parent is not None else at
    to = Step.UNDO if at is None else at.index
    return Candidate((GoBack(to=to),), match.score, intent="go_back")


def _field_as_before(match: Match, context: Context) -> Candidate | None:
    """Give fields the values that they had at the start: "back to the view we had at the beginning"."""
    what = match.groups["what"]
    fields = [f for part in re.split(r" and |, ", what) for f in fields_meant(part, context)]
    if re.search(r"view|camera|angle|framing|shot", what):
        fields += ["viewpoint", "camera_movement", "camera_angle", "shot_size"]
    first = context.landmarks[0].scene if context.landmarks else None
    if first is None or not fields:
        return None
    edits = tuple(
        EditField(field=name, value=getattr(first, name))
        for name in dict.fromkeys(fields)
        if getattr(first, name) != getattr(context.scene, name)
    )
    return Candidate(edits, match.score, already=not edits, intent="go_back")


def _restored(match: Match, context: Context) -> Candidate | None:
    """Take back what changed a value that is wanted again: "bring back the daylight"."""
    fields = {term.field for term in find_terms(match.groups["what"])}
    known = {one.index: one for one in context.landmarks}
    for one in reversed(context.landmarks):
        before = known.get(one.parent) if one.parent is not None and not one.is_variation else None
        if before is not None and any(
            getattr(one.scene, f) != getattr(before.scene, f) for f in fields
        ):
            return _without_entry(one, match.score, context)
    return None


RULED: Final[Mapping[str, Intent]] = {
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
    "settings_reset": _settings_reset,
    "render": _render,
    "render_times": _render_times,
    "render_all": _render_all,
    "vary": _vary,
    "star": _star,
    "unstar": _unstar,
    "compare": _compare,
    "lock": _lock,
    "unlock": _unlock,
    "undo": _undo,
    "redo": _redo,
    "start_over": _start_over,
    "go_back": _go_back,
    "go_back_keep": _go_back_keep,
    "field_as_before": _field_as_before,
    "render_both": _render_both,
    "restored": _restored,
    "undo_twice": _undo_twice,
}


def ruled(text: str, context: Context) -> Candidate | None:
    """Return what the exact forms of ``session_rules`` and ``settings`` make of ``text`` as a whole."""
    found = settings_in(text, context)
    best = found
    for match in matches(text, "session_rules", context):
        intent = RULED.get(match.rule.intent)
        made = intent(match, context) if intent is not None else None
        if made is not None and (best is None or made.score > best.score):
            best = made
    is_year = bool(re.fullmatch(r"\D*\b(?:1\d|20)\d{2}s?\b\D*", text))
    lasts = (
        any(isinstance(a, SetRender) and "seconds" in a.values for a in best.actions)
        if best
        else False
    )
    return None if is_year and lasts else best  # "1950s" is an era


_SETTINGS: Final = {
    "seconds": "seconds", "frames": "num_frames", "fps": "fps", "steps": "num_inference_steps",
    "guidance": "guidance_scale", "seed": "seed",
}  # fmt: skip
_STEPS: Final = (
    (re.compile(r"\b(?:twice|double|2x)\b", re.IGNORECASE), 2.0),
    (re.compile(r"\b(?:half|halve)\b", re.IGNORECASE), 0.5),
    (re.compile(r"\b(?:triple|three times)\b", re.IGNORECASE), 3.0),
    (re.compile(r"\b(?:longer|more|high(?:er)?|big(?:ger)?|large|bigger|up|larger|extend|stronger|smoother|better)\b", re.IGNORECASE), 1.5),
    (re.compile(r"\b(?:shorter|less|low(?:er)?|small(?:er)?|fewer|down|trim|cut)\b", re.IGNORECASE), 0.667),
)  # fmt: skip
_UNITS: Final = {
    "seconds": re.compile(
        r"\d ?s|sec|min|long|short|length|duration|last|twice|half|double", re.IGNORECASE
    ),
    "frames": re.compile(r"frame", re.IGNORECASE),
    "fps": re.compile(r"fps|frame|hz|per sec", re.IGNORECASE),
    "steps": re.compile(r"step", re.IGNORECASE),
}
_SURE: Final = 0.8
_SPELLED: Final = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|sixty)\b",
    re.IGNORECASE,
)


def _setting_wish(clause: Clause, context: Context) -> Candidate | None:
    """Set a render setting, where it is one that there can be."""
    made = _setting_said(clause, context)
    for action in made.actions if made is not None else ():
        if isinstance(action, SetRender):
            try:
                RenderSettings().with_values(action.values)
            except ValidationError as error:
                told = "; ".join(f"{e['loc'][0]}: {e['msg'].lower()}" for e in error.errors())
                return Candidate(help=f"That does not fit: {told}.", score=clause.sureness)
    return made


def _setting_said(clause: Clause, context: Context) -> Candidate | None:
    """Read a render setting by the number in the clause, or by a step from what it is."""
    label, said = clause.label, plain(clause.slot("value")) or clause.text
    unit = _UNITS.get(label)
    if unit is not None and clause.sureness < _SURE and not unit.search(clause.text):
        return None
    for text in (clause.text, said, f"{said} {label}", f"{label} {said}"):
        exact = ruled(text, context)
        if exact is not None and all(isinstance(a, SetRender) for a in exact.actions):
            return exact
    name = _SETTINGS.get(label)
    if name is None:
        return _named_setting(label, said, context, clause.sureness)
    if label == "seed":
        return Candidate((SetRender(values={"seed": _seed()}),), clause.sureness, intent="setting")
    digits = re.findall(r"\d+(?:\.\d+)?", said)
    spelled = _SPELLED.search(said)
    now = getattr(context.settings, name) or (_USUAL_SECONDS if name == "seconds" else None)
    factor = next((by for pattern, by in _STEPS if pattern.search(said)), None)
    number = float(digits[-1]) if digits else _number(spelled[0]) if spelled else None
    if number is not None and not (factor and re.search(r"\b(?:longer|shorter|more|less)\b", said)):
        value: float = number * (60 if re.search(r"\bmin", said) else 1)
    elif number is not None and now is not None:
        value = now + number if factor and factor > 1 else now - number
    elif factor is not None and now is not None:
        value = now * factor
    else:
        return None
    fine = name in {"seconds", "guidance_scale"}
    if value <= 0:
        return None
    values = {name: _tidy(round(value, 2)) if fine else int(value)}
    intent = "setting" if number is not None else "setting_step"
    return Candidate((SetRender(values=values),), clause.sureness, intent=intent)


_FORMATS: Final = frozenset(
    ["1:1", "4:3", "3:4", "16:9", "9:16", "21:9", "9:21", "3:2", "2:3", "5:4", "4:5", "16:10", "10:16",
     "2:1", "1:2", "18:9", "9:18", "19:9", "32:9", "17:9", "5:3", "3:5", "7:5", "5:7"]
)  # fmt: skip


def _is_format(ratio: str) -> bool:
    """Tell whether a ratio is one of pictures: "4:10" is a time of day."""
    return "." in ratio or ratio.replace(" ", "") in _FORMATS


_ASPECTS: Final = (
    (re.compile(r"vertical|portrait|tiktok|reel|story|stories|shorts|phone|upright|tall", re.IGNORECASE), "9:16"),
    (re.compile(r"ultra ?wide|cinemascope|scope|letterbox|anamorphic", re.IGNORECASE), "21:9"),
    (re.compile(r"square|insta", re.IGNORECASE), "1:1"),
    (re.compile(r"wide|landscape|horizontal|youtube|tv|desktop", re.IGNORECASE), "16:9"),
)  # fmt: skip


def _named_setting(label: str, said: str, context: Context, score: float) -> Candidate | None:
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
        number = re.search(r"\d{3,4}", said)
        side = next((v for k, v in _SIDES.items() if re.search(rf"\b{k}\b", said.lower())), None)
        factor = next((by for pattern, by in _STEPS if pattern.search(said)), None)
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


_KEPT: Final = re.compile(
    r"(?:please )?(?:keep|leave)(?: in)? (?P<what>.+?)(?: (?:exactly |just )?(?:as (?:is|it is|they are|it was)|untouched|alone|the same|unchanged|in|like that))?|"
    r"(?P<stays>.+?) (?:can |should |must |may |has to |have to |always |exactly )*(?:stays?|remains?|as (?:is|it is|they are))(?: (?:the same|as (?:is|it is|they are)|in|identical|unchanged|always the same))?",
    re.IGNORECASE,
)


def kept(text: str, context: Context) -> Candidate | None:
    """Take "the fog can stay" for what it says, where the prompt speaks of it already."""
    found = _KEPT.fullmatch(text.strip(" .!"))
    if found is None:
        return None
    what = re.sub(r"^(?:but|and) ", "", found["what"] or found["stays"])
    if (
        re.match(r"(?:only|he|she|they|it|we|everyone|one)\b", what, re.IGNORECASE)
        and found["stays"]
    ):
        return None  # "only she stays" is something that happens
    fields = fields_kept(what, context)
    entities = refer(what, context, only_cast=True)
    if fields is None and entities is None and not noun_in_text(what, context.prompt):
        return None
    names = (*(fields or ()), *(entities.ids if entities is not None else ()))
    return Candidate(score=0.9, kept=names, already=True, intent="keep")


def _session_wish(clause: Clause, context: Context) -> Candidate | None:
    """Do something with the session: by the exact forms where one fits, else by the slots."""
    for text in dict.fromkeys((clause.text, plain(clause.text))):
        exact = ruled(text, context)
        if exact is not None and not any(isinstance(a, SetRender) for a in exact.actions):
            return exact
    return _BY_SLOTS[clause.label](clause, context)


def _vary_by_slots(clause: Clause, _context: Context) -> Candidate | None:
    said = plain(clause.slot("count")).lower()
    number = _number(said) if said else _number((re.findall(r"\d+", clause.text) or ["7"])[0])
    axes: list[str] = []
    unknown: list[str] = []
    for part in re.split(r"\s*,\s*|\s+and\s+", plain(clause.slot("axis")).lower()):
        bare = re.sub(r"^(?:the|its|different|only|other|new|another)\s+", "", part)
        axis = _AXES.get(bare)
        if axis is not None:
            axes.append(axis)
        elif bare and "seed" not in bare:
            unknown.append(bare)
    count = int(number) if number and 1 <= number <= 64 else 4
    action = Vary(count=count, axes=tuple(dict.fromkeys(axes)))
    told = (
        f"Variations cannot be held to “{', '.join(unknown)}”: they differ freely."
        if unknown
        else ""
    )
    return Candidate((action,), clause.sureness, help=told, intent="vary")


def _render_by_slots(clause: Clause, context: Context) -> Candidate | None:
    if re.search(r"\b(?:all|every|them|these|those|both)\b", clause.text, re.IGNORECASE) and any(
        one.is_variation for one in context.landmarks
    ):
        varied = [one for one in context.landmarks if one.is_variation]
        group = tuple(one.index for one in varied if one.parent == varied[-1].parent)
        return Candidate((Render(entries=group),), clause.sureness, intent="render")
    said = plain(clause.slot("count")).lower()
    number = _number(re.sub(r"\s*(?:times|x|seeds|takes)$", "", said)) if said else 1
    seeds = int(number) if number and 1 <= number <= 64 else 1
    return Candidate((Render(seeds=seeds),), clause.sureness, intent="render")


def _goback_by_slots(clause: Clause, context: Context) -> Candidate | None:
    said, kept = plain(clause.slot("to")).lower(), plain(clause.slot("keep"))
    to: int | Step | None = None
    number = re.search(r"\b(?:v|#|no\.?|number|version|card)? ?(\d{1,3})\b", said)
    ordinal = next((n for n, word in enumerate(_ORDINALS, 1) if re.search(rf"\b{word}\b", said)), 0)
    before = re.search(r"\b(?:before|without)\b(.*)", said)
    if re.search(r"\b(?:start|original|beginning|first (?:one|version|prompt))\b", said):
        to = Step.START
    elif before is not None and (found := landmark_named(before[1], context)) is not None:
        to = found.parent if found.parent is not None else found.index
    elif number is not None and not before:
        to = _numbered(int(number[1]), context)
    elif ordinal and not before:
        to = _numbered(ordinal, context)
    elif (found := landmark_named(said, context)) is not None:
        to = found.index
    elif (
        before is not None
        or re.search(r"\b(?:last|previous|prior|earlier|one back)\b", said)
        or not said
    ):
        to = Step.UNDO
    if to is None or to == -1:
        return None
    keep = [*(fields_kept(kept, context) or ())] if kept else []
    keep += [
        i
        for part in re.split(r"\s*,\s*|\s+and\s+", kept)
        if kept and (r := refer(part, context))
        for i in r.ids
    ]
    return Candidate(
        (GoBack(to=to, keep=tuple(dict.fromkeys(keep))),), clause.sureness, intent="go_back"
    )


def _undo_by_slots(clause: Clause, context: Context) -> Candidate | None:
    """Take the last step back, or the one that is named."""
    said = re.sub(
        r"\b(?:the|that|this|last|thing|change|one|it|step|edit|my|what|i|said|again|just)\b",
        "",
        plain(clause.slot("what")).lower(),
    ).strip()
    found = landmark_named(said, context) if said else None
    if found is not None and found.parent is not None:
        return _without_entry(found, clause.sureness, context)
    if said and re.search(r"\b(?:everything|all|both)\b", said):
        return Candidate((GoBack(to=Step.START),), clause.sureness, intent="go_back")
    return Candidate((GoBack(to=Step.UNDO),), clause.sureness, intent="go_back")


def _star_by_slots(clause: Clause, context: Context) -> Candidate | None:
    which = _which(clause.slot("what"), context)
    entry = None if which == -1 else which
    return Candidate(
        (Star(entry=entry, starred=clause.label == "star"),), clause.sureness, intent="star"
    )


def _compare_by_slots(clause: Clause, context: Context) -> Candidate | None:
    here = context.current if context.current is not None else 0
    parent = next((one.parent for one in context.landmarks if one.index == here), None)
    said = clause.text.lower()
    other = (
        context.landmarks[0].index
        if re.search(r"original|first|start", said) and context.landmarks
        else parent
    )
    if other is None:
        help_text = "There is only one prompt so far; nothing to compare it with."
        return Candidate(help=help_text, score=clause.sureness)
    return Candidate(
        (Compare(entries=tuple(dict.fromkeys((other, here)))),), clause.sureness, intent="compare"
    )


def _lock_by_slots(clause: Clause, context: Context) -> Candidate | None:
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", plain(clause.slot("what")))
    fields = tuple(dict.fromkeys(name for part in parts for name in fields_meant(part, context)))
    if clause.label == "lock":
        return Candidate((Lock(fields=fields),), clause.sureness, intent="lock") if fields else None
    held = tuple(name for name in SCENE_FIELDS if context.scene.is_locked(name))
    fields = fields or held
    return Candidate(
        (Unlock(fields=fields),) if fields else (),
        clause.sureness,
        already=not fields,
        intent="lock",
    )


_BY_SLOTS: Final[Mapping[str, Wish]] = {
    "render": _render_by_slots,
    "vary": _vary_by_slots,
    "undo": _undo_by_slots,
    "redo": lambda clause, _: Candidate((GoBack(to=Step.REDO),), clause.sureness, intent="go_back"),
    "restart": lambda clause, _: Candidate(
        (GoBack(to=Step.START),), clause.sureness, intent="go_back"
    ),
    "goback": _goback_by_slots,
    "star": _star_by_slots,
    "unstar": _star_by_slots,
    "compare": _compare_by_slots,
    "lock": _lock_by_slots,
    "unlock": _lock_by_slots,
}
SETTING_LABELS: Final = (
    "seconds", "frames", "fps", "aspect", "size", "seed", "steps", "guidance", "model", "profile",
)  # fmt: skip
"""Labels of clauses that set how renders are made."""
WISHES: Final[Mapping[str, Wish]] = {
    **dict.fromkeys(SETTING_LABELS, _setting_wish),
    **dict.fromkeys(_BY_SLOTS, _session_wish),
}
