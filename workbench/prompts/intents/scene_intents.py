"""Intents on scene fields: place, time, weather, light, camera, style."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from workbench.actions.model import Action, AddBeat, EditField
from workbench.prompts.following.details import SOUND
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.clauses import noun_phrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.free_values import free_value
from workbench.prompts.intents.identity_intents import becomes
from workbench.prompts.intents.scene_steps import graded, stepped
from workbench.prompts.intents.slots import exact_terms, place_in_words
from workbench.prompts.intents.wording import plain
from workbench.prompts.intents.words import (
    ANIMATE,
    find_terms,
    noun_in_text,
    place_named,
    subject_kind,
    with_article,
    words_of,
)
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Scene

__all__ = ["WISHES", "established", "is_established", "less_of", "more_of"]


def _edits(values: Mapping[str, str | tuple[str, ...]], scene: Scene) -> tuple[Action, ...]:
    return tuple(
        EditField(field=field, value=value)
        for field, value in values.items()
        if getattr(scene, field) != value
    )


def _set(
    values: Mapping[str, str | tuple[str, ...]], score: float, scene: Scene, *, intent: str
) -> Candidate:
    actions = _edits(values, scene)
    return Candidate(actions, score, already=not actions, intent=intent)


_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "time": ("time_of_day",), "weather": ("weather",), "light": ("lighting", "time_of_day"),
    "mood": ("mood", "lighting"), "style": ("style", "lens", "color_palette"),
    "palette": ("color_palette", "style", "lighting"), "camera": ("camera_movement",),
    "shot": ("shot_size", "camera_angle", "lens", "viewpoint"),
    "viewpoint": ("viewpoint", "camera_angle", "camera_movement"), "pace": ("pace",),
}  # fmt: skip
"""The fields that each label may set, its primary field first."""
_BEFORE: Final = re.compile(
    r"(?:(?:make it|make|more|like|way|a bit|a little|it is|it's|its|so|very|really|be|being|as|into|to|at|in|a touch|kind of|super)\s+)+(?=\S)",
    re.IGNORECASE,
)
_NO: Final = re.compile(
    r"(?:no more|no|not|without|stop the|stop|lose the|kill the)\s+(?:so |too |that |the |any )?(?=\S)",
    re.IGNORECASE,
)
_TURNED_OFF: Final = re.compile(
    r"(?:turn off|switch off|clear(?: up)?|lift|lose|kill|drop|remove|take away|stop)\s+(?:the\s+|that\s+)?",
    re.IGNORECASE,
)
_OVER: Final = re.compile(
    r"(?:the )?(.+?) (?:stops?|stopped|has stopped|is over|is gone|gone|clears?(?: up)?|away|off)"
)
_LESS_WORDS: Final = re.compile(
    r"(?:(?:way|much|a bit|a lot|far)\s+)*(?:less|not (?:so|too|that|as)|weaker|lighter|reduce|too)\s+(?:much\s+|of\s+|the\s+)?(?=\S)",
    re.IGNORECASE,
)
_MORE_WORDS: Final = re.compile(
    r"(?:(?:way|much|a bit|a lot|even|some|add|lots of|tons of|a)\s+)*(?:more|stronger|heavier|harder|extra|lots of)\s+(?:of\s+|the\s+)?(?=\S)",
    re.IGNORECASE,
)
_STAYS: Final = re.compile(r"\s*\b(?:stays?|remains?|can stay|as it is)\b", re.IGNORECASE)


_ASKED: Final = re.compile(
    r"(?:use|do|try|give me|give it|go for|with|have|switch to|change to|how about|add)\s+(?:an?\s+|the\s+|some\s+)?(?=\S)",
    re.IGNORECASE,
)


def is_established(clause: Clause) -> bool:
    """Tell whether a clause's value is just a vocabulary term of one of its label's fields."""
    fields = _FIELDS.get(clause.label, ())
    value = _BEFORE.sub("", plain(clause.slot("value") or clause.slot("old")), count=1)
    if clause.label == "setting":
        found = place_in_words(value, led=True) if value else None
        return found is not None and found[1] >= 0.9
    return bool(set(exact_terms(value) or {}) & set(fields))


_SEEN_BY: Final = re.compile(
    r"(?:(?:show|see|film|shoot|do|make|have) (?:it |this )?)?(?:(?:as seen |seen )?(?:from|through|in) )?(?:the |a )?(?P<who>[\w-]+(?: [\w-]+)?)(?:'s|s') (?:own )?(?:pov|point of view|perspective|eyes|view|eye view)(?: instead)?",
    re.IGNORECASE,
)


def established(text: str, context: Context) -> Candidate | None:
    """Return the candidate for ``text`` if all of it is a vocabulary term or a step: "closer"."""
    seen = _SEEN_BY.fullmatch(text)
    if seen is not None and noun_in_text(seen["who"], context.prompt):
        value = f"seen from the {seen['who']}'s point of view"
        return _set({"viewpoint": value}, 0.95, context.scene, intent="viewpoint")
    bare = _BEFORE.sub("", text, count=1)
    asked = _ASKED.sub("", text, count=1)
    for said in dict.fromkeys((text, bare, asked)):
        values = _each(said, context) or stepped(said.lower(), context.scene) or exact_terms(said)
        if values and "camera_movement" in values:
            values = {f: v for f, v in values.items() if f != "pace"}
        if values and len(said.split()) <= 6:
            return _set(values, 0.95, context.scene, intent="term")
    return None


def _field_wish(label: str, clause: Clause, context: Context) -> Candidate | None:
    """Set the field of a label to a vocabulary term, a step or the words as given."""
    said, score = plain(clause.slot("value")), clause.sureness
    if label in {"camera", "shot"}:
        said = re.sub(r"^cam(?:era)?\s*[:=-]\s*", "", _with_entity(clause), flags=re.IGNORECASE)
    if not said or _is_refused(clause):
        return _only_old(label, clause, context)
    said = re.split(r"\s*(?:->|→|=>)\s*", said)[-1]
    barred = _NO.match(said) if label == "weather" else None
    if barred is not None and exact_terms(said[barred.end() :].lower()) is None:
        listed = [x.strip() for x in context.scene.negative_prompt.split(",") if x.strip()]
        value = ", ".join([*listed, said[barred.end() :]])
        return _set({"negative_prompt": value}, score, context.scene, intent=label)
    if _STAYS.search(said) and noun_in_text(_STAYS.sub("", said), context.prompt):
        return Candidate(already=True, score=score)
    placed = _place_and_time(said) if label == "time" else None
    values = placed or _values(label, said, context)
    if values is None:
        return None
    if (
        "colour" in said.lower().replace("color", "colour")
        and context.scene.style == "black and white"
    ):
        values = {"style": "", **values}
    return _set(values, score, context.scene, intent=label)


def _each(said: str, context: Context) -> Mapping[str, str] | None:
    """Return the values of a list whose parts are each a term or a step: "darker and sadder"."""
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", said)
    if len(parts) < 2:
        return None
    found = [stepped(part.lower(), context.scene) or exact_terms(part) for part in parts]
    if not all(found):
        return None
    return {field: value for one in found if one for field, value in one.items()}


def _place_and_time(said: str) -> Mapping[str, str] | None:
    """Return place and time if one phrase gives both: "Paris at night"."""
    named = [t for t in find_terms(said) if t.field == "time_of_day"]
    if len(named) != 1 or exact_terms(said):
        return None
    rest = _without_terms(said, {"time_of_day": named[0].term})
    rest = re.sub(r"^(?:in|on|at)\s+", "", rest, flags=re.IGNORECASE)
    found = place_in_words(rest, led=True) if rest else None
    if found is None or found[1] < 0.85:
        return None
    return {"setting": found[0], "time_of_day": named[0].term}


def _with_entity(clause: Clause) -> str:
    """Return the text of the value and entity slots, as written."""
    slots = [s for s in clause.slots if s.name in {"value", "entity"}]
    if not slots:
        return ""
    start = clause.text.find(slots[0].text)
    end = clause.text.rfind(slots[-1].text) + len(slots[-1].text)
    return plain(clause.text[start:end]) if 0 <= start < end else plain(slots[0].text)


_REFUSED: Final = re.compile(
    r"\b(?:don'?t|do not|shouldn'?t|should not|never|not) (?:make|be|look|feel|have|want|go|use|do)\b[^,.;]*$",
    re.IGNORECASE,
)


def _is_refused(clause: Clause) -> bool:
    """Tell whether the value is negated: "don't make it sad"."""
    at = clause.text.find(clause.slot("value"))
    return not clause.slot("old") and bool(_REFUSED.search(clause.text[: max(at, 0)]))


def _only_old(label: str, clause: Clause, context: Context) -> Candidate | None:
    """Remove a value that the clause only rules out."""
    old = plain(clause.slot("old") or clause.slot("value"))
    said = exact_terms(old) or {}
    held = {f: v for f, v in said.items() if f in _FIELDS[label] and getattr(context.scene, f)}
    if held:
        is_gone = not re.search(r"\b(?:less|not (?:so|that|as|too)|weaker|lighter)\b", clause.text)
        return less_of(held, clause.sureness, context, is_gone=is_gone)
    if not old:
        return None
    field = _FIELDS[label][0]
    values = {
        field: "" if getattr(context.scene, field) or label in {"weather", "pace"} else f"not {old}"
    }
    return _set(values, clause.sureness, context.scene, intent=label)


def _values(label: str, said: str, context: Context) -> Mapping[str, str] | None:
    scene, own = context.scene, _FIELDS[label]
    if (several := _each(said, context)) is not None:
        return several
    gone = _TURNED_OFF.match(said)
    if gone is not None and (named := exact_terms(said[gone.end() :])) and set(named) <= set(own):
        return graded(named, "gone", scene) or None
    said = (
        re.sub(
            r"^(?:add|bring in|use|with|give it|change to|switch to)\s+(?:some\s+|a\s+)?(?=\S)",
            "",
            said,
            flags=re.IGNORECASE,
        )
        or said
    )
    low = said.lower()
    moved = stepped(low, scene)
    if moved and set(moved) <= {*own, "camera_movement", "shot_size"}:
        return moved
    over = _OVER.fullmatch(low)
    if over is not None and (named := exact_terms(over[1])) and set(named) <= set(own):
        return graded(named, "gone", scene) or None
    for pattern, change in ((_NO, "gone"), (_LESS_WORDS, "less"), (_MORE_WORDS, "more")):
        lead = pattern.match(low)
        named = exact_terms(low[lead.end() :]) if lead else None
        if named and set(named) <= set(own):
            done = graded(named, change, scene)
            if done:
                return done
    bare = _BEFORE.sub("", said, count=1)
    for words in dict.fromkeys((said, bare)):
        found = exact_terms(words)
        if found and set(found) & set(own):
            return {f: v for f, v in found.items() if f in {*own, "weather", "time_of_day"}}
    if label in {"weather", "time"} and any(t.field == own[0] for t in find_terms(said)):
        return None  # a term with details: a statement keeps both
    said_words = set(re.findall(r"[a-z]+", low))
    if label in {"weather", "time"} and not said_words & words_of("free", label):
        return None
    return {own[0]: free_value(own[0], said)}


def more_of(named: Mapping[str, str], said: str, score: float, context: Context) -> Candidate:
    """Add weather or light, or intensify what is there."""
    values = graded(named, "more", context.scene) if re.match(r"more\b", said) else named
    return _set(values, score, context.scene, intent="weather")


def less_of(
    named: Mapping[str, str], score: float, context: Context, *, is_gone: bool = False
) -> Candidate:
    """Reduce a vocabulary term such as weather or light, or remove it if ``is_gone``."""
    values = graded(named, "gone" if is_gone else "less", context.scene)
    return _set(values, score, context.scene, intent="weather")


def _setting(clause: Clause, context: Context) -> Candidate | None:
    """Change the setting."""
    said = re.sub(
        r"^(?:somewhere |set |happening )?(?:in|on|at|into|onto|to|inside|like)\s+(?=(?:an?|the|some|my|\w+)\b)(?!the middle|front)",
        "",
        plain(clause.slot("value")),
        flags=re.IGNORECASE,
    )
    if not said:
        return None
    scene = context.scene
    old = plain(clause.slot("old"))
    if _BESIDE.match(said):
        return _set({"setting": said}, clause.sureness, scene, intent="place")
    if old and not scene.setting:
        return becomes(old, said, clause.sureness, context)
    if _is_thing(said) and not re.search(
        r"\b(?:in|on|at|into|onto|inside|under|place|setting|background|location|move)\b",
        clause.text,
        re.IGNORECASE,
    ):
        return becomes("", said, clause.sureness, context)
    timed = {
        t.field: t.term
        for t in find_terms(said)
        if t.field in {"time_of_day", "weather"}
        and (_LED.search(said[: t.start]) or _LED.match(f"{said[t.start :]} "))
    }
    found = place_in_words(_without_terms(said, timed) if timed else said, led=True)
    if timed and found is not None:
        return _set({"setting": found[0], **timed}, clause.sureness, scene, intent="place")
    if found is not None:
        return _set({"setting": found[0]}, clause.sureness, scene, intent="place")
    return _set({"setting": with_article(said)}, clause.sureness, scene, intent="place")


_LED: Final = re.compile(
    r"\b(?:in|at|on|during|by|with) (?:the |a |an )?(?:$|(?<=\w ))", re.IGNORECASE
)


_BESIDE: Final = re.compile(
    r"(?:by|near|under|over|behind|along|above|outside|between|among|next to|in front of|on top of|beside|below)\s",
    re.IGNORECASE,
)


def _is_thing(said: str) -> bool:
    thing = noun_phrase(said)
    return (
        thing is not None
        and subject_kind(thing.noun) in _THINGS
        and place_named(thing.noun) is None
    )


_THINGS: Final = ANIMATE | {"vehicle", "food", "drink", "object"}


def _season(clause: Clause, context: Context) -> Candidate | None:
    """Add the season to the setting, in the user's words: "a field in autumn"."""
    said = re.sub(
        r"^(?:in|during|at|on|make it|like)\s+(?:the\s+)?", "", plain(clause.slot("value")).lower()
    )
    if not said:
        return None
    said = said.replace("fall", "autumn") if said == "fall" else said
    lead = (
        "at"
        if re.search(r"christmas|easter|new year|halloween|thanksgiving|diwali", said)
        else "in"
    )
    names = {
        "christmas": "Christmas",
        "halloween": "Halloween",
        "easter": "Easter",
        "thanksgiving": "Thanksgiving",
    }
    said = " ".join(names.get(w, w) for w in said.split())
    setting = re.sub(
        r"\s*\b(?:in|at) (?:early |late |deep |mid)?(?:spring|summer|autumn|winter|Christmas|Halloween|Easter)\b.*",
        "",
        context.scene.setting,
    )
    values = {"setting": f"{setting} {lead} {said}".strip()}
    return _set(values, clause.sureness, context.scene, intent="place")


def _era(clause: Clause, context: Context) -> Candidate | None:
    """Add the period to the setting."""
    said = re.sub(
        r"^(?:in|during|set in|make it|like(?: in)?|back in)\s+",
        "",
        plain(clause.slot("value")),
        flags=re.IGNORECASE,
    )
    said = re.sub(r"^(?:the|around|about|circa|ca\.?)\s+", "", said)
    if not said:
        return None
    said = re.sub(r"^(\d0)s$", r"19\1s", said)
    if re.search(r"\d", said) and not re.search(
        r"\b(?:\d{4}|\d{2,4}s)\b|\d(?:st|nd|rd|th)\b|\d (?:ad|bc|ce)\b", said, re.IGNORECASE
    ):
        return None
    if re.match(r"\d{1,2} ", said):
        return None
    if re.fullmatch(r"\d{3,4}", said):
        return _set(
            {"setting": f"{context.scene.setting} in {said}".strip()},
            clause.sureness,
            context.scene,
            intent="place",
        )
    is_years = bool(re.search(r"\d{2}", said))
    value = (
        f"{context.scene.setting} in the {said}"
        if is_years or said.endswith(("age", "era", "ages", "times"))
        else f"{context.scene.setting} in {said} times"
    )
    return _set({"setting": value.strip()}, clause.sureness, context.scene, intent="place")


def _text(clause: Clause, context: Context) -> Candidate | None:
    """Set the on-screen text."""
    said = plain(clause.slot("value"))
    if not said:
        return None
    actions: tuple[Action, ...] = _edits({"on_screen_text": said}, context.scene)
    where = plain(clause.slot("place"))
    if where:
        actions = (*actions, AddBeat(text=f"the words are {where}"))
    return Candidate(actions, clause.sureness, already=not actions, intent="text")


_ONLY: Final = re.compile(r"\b(?:only|just|instead|no|not)\b", re.IGNORECASE)


def _sound(clause: Clause, context: Context) -> Candidate | None:
    """Add a detail that describes the sound."""
    said = plain(clause.slot("value"))
    if not said:
        return None
    now = next(
        (one.removeprefix(SOUND) for one in context.scene.details if one.startswith(SOUND)), ""
    )
    said = said[:1].lower() + said[1:]
    heard = SOUND + (f"{now}, {said}" if now and not _ONLY.search(clause.text) else said)
    kept = [one for one in context.scene.details if not one.startswith(SOUND)]
    edit = EditField(field="details", value=(*kept, heard))
    return Candidate((edit,), clause.sureness, intent="sound")


def _pace(clause: Clause, context: Context) -> Candidate | None:
    from workbench.prompts.intents.event_intents import reversed_beats  # noqa: PLC0415

    said = plain(clause.slot("value"))
    if re.search(r"\b(?:revers\w*|backwards?|rewind\w*)\b", said, re.IGNORECASE):
        return reversed_beats(clause.sureness, context)
    return _field_wish("pace", clause, context)


def _vague(clause: Clause, _context: Context) -> Candidate | None:
    text = (
        "Say in which way: closer, warmer light, more happening, another place. "
        "Or say “other ideas”, and variations are made."
    )
    return Candidate(help=text, score=clause.sureness)


def _rewrite(clause: Clause, _context: Context) -> Candidate | None:
    return Candidate(
        help="Without a language model the text follows the scene and is not rewritten as such. Edit it by hand, or say what should be seen or gone: “add a dog”, “remove the fence”.",
        score=clause.sureness,
    )


def _without_terms(named: str, timed: Mapping[str, str]) -> str:
    text = named
    for term in reversed(find_terms(named)):
        if term.field in timed:
            text = text[: term.start] + text[term.end :]
    return re.sub(
        r"\s+(?:at|in|on|during|by|the|a|and|with)*\s*$", "", re.sub(r"\s+", " ", text)
    ).strip()


WISHES: Final[Mapping[str, Wish]] = {
    **{label: partial(_field_wish, label) for label in _FIELDS if label != "pace"},
    "pace": _pace,
    "setting": _setting,
    "season": _season,
    "era": _era,
    "text": _text,
    "sound": _sound,
    "vague": _vague,
    "rewrite": _rewrite,
}
