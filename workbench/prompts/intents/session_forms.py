"""Exact forms of session requests: renders, versions, stars, locks, undo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from workbench.actions.model import (
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
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.context import Context, Landmark
from workbench.prompts.intents.keeping import fields_kept
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.render_intents import (
    SETTING_RULES,
    number_said,
    settings_in,
)
from workbench.prompts.intents.rules import Match, matches
from workbench.prompts.intents.slots import fields_meant
from workbench.prompts.intents.versions import (
    ORDINALS,
    entry_named,
    entry_numbered,
    landmark_named,
    place_of,
    steps_back,
)
from workbench.prompts.intents.words import find_terms
from workbench.scene import SCENE_FIELDS

__all__ = ["AXES", "RULED", "ruled", "without_entry"]

AXES: Final = {
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


def _render(match: Match, _context: Context) -> Candidate | None:
    return Candidate((Render(),), match.score, intent="render")


def _render_times(match: Match, _context: Context) -> Candidate | None:
    count = match.groups.get("count")
    number = number_said(count) if count else 4
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
    number = number_said(count) if count else 7
    if number is None:
        return None
    named = [groups.get(name) for name in ("axes", "axis", "what") if groups.get(name)]
    axes: list[str] = []
    for words in named:
        for part in re.split(r"\s*,\s*|\s+and\s+", str(words).lower().strip()):
            bare = re.sub(r"^(?:the|its|different|only)\s+", "", part)
            axis = AXES.get(bare)
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


def _star(match: Match, context: Context) -> Candidate | None:
    which = entry_named(match.groups.get("which"), context)
    if which == -1:
        return None
    return Candidate((Star(entry=which),), match.score, intent="star")


def _unstar(match: Match, _context: Context) -> Candidate | None:
    return Candidate((Star(starred=False),), match.score, intent="star")


def _compare(match: Match, context: Context) -> Candidate | None:
    first = place_of(match.groups.get("what"), context)
    other = place_of(match.groups.get("other"), context)
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
            else (len(context.landmarks) if last else ORDINALS.index(groups["ordinal"].lower()) + 1)
        )
        index = entry_numbered(number, context)
        if index < 0:
            told = f"There is no prompt number {number} here; History shows those that there are."
            return Candidate(help=told, score=match.score, intent="go_back")
        return Candidate((GoBack(to=index),), match.score, intent="go_back")
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
        return without_entry(found, match.score, context)
    if relation in {"before", "without"}:
        index = found.parent if found.parent is not None else found.index
        return Candidate((GoBack(to=index),), match.score, intent="go_back")
    return Candidate((GoBack(to=found.index),), match.score, intent="go_back")


def without_entry(found: Landmark, score: float, context: Context) -> Candidate:
    """Undo what one entry changed, and keep what came after it."""
    if found.index == context.current:
        return Candidate((GoBack(to=Step.UNDO),), score, intent="go_back")
    return Candidate((GoBack(to=found.index, only=True),), score, intent="go_back")


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
    """Render the current prompt and the one before it."""
    here = next((one for one in context.landmarks if one.index == context.current), None)
    if here is None or here.parent is None:
        return Candidate((Render(),), match.score, intent="render")
    return Candidate((Render(entries=(here.parent, here.index)),), match.score, intent="render")


def _undo_twice(match: Match, context: Context) -> Candidate | None:
    """Undo the last two steps."""
    return steps_back(2, match.score, context)


def _field_as_before(match: Match, context: Context) -> Candidate | None:
    """Restore fields to their values at the start: "back to the view we had at the beginning"."""
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
    """Undo the entry that changed a value: "bring back the daylight"."""
    fields = {term.field for term in find_terms(match.groups["what"])}
    known = {one.index: one for one in context.landmarks}
    for one in reversed(context.landmarks):
        before = known.get(one.parent) if one.parent is not None and not one.is_variation else None
        if before is not None and any(
            getattr(one.scene, f) != getattr(before.scene, f) for f in fields
        ):
            return without_entry(one, match.score, context)
    return None


RULED: Final[Mapping[str, Intent]] = {
    **SETTING_RULES,
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
    """Return the best candidate of the exact forms for all of ``text``, or None."""
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
