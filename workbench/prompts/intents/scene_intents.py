"""Requests about place, time, light, camera and style: fields of the scene."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from workbench.actions.model import Action, EditField
from workbench.prompts.intents.candidates import Candidate, Intent
from workbench.prompts.intents.clauses import NounPhrase
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.making import add_entity, added_with_doing
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.rules import Match
from workbench.prompts.intents.slots import exact_terms, place_in_words, titled
from workbench.prompts.intents.words import data, find_terms, is_known, lemma, progressive
from workbench.scene import LIST_FIELDS, Scene, canonical_term, terms

__all__ = ["INTENTS", "stepped"]

_MIDDLE: Final = {"shot_size": "medium shot", "pace": "real time", "time_of_day": "midday"}
_LESS: Final[Mapping[str, Mapping[str, str]]] = {
    "weather": {
        "heavy rain": "rain", "thunderstorm": "rain", "rain": "drizzle", "drizzle": "clear",
        "blizzard": "snow", "snow": "clear", "fog": "mist", "mist": "clear", "overcast": "partly cloudy",
        "partly cloudy": "clear", "wind": "clear", "dust storm": "clear", "hail": "clear",
    },
}  # fmt: skip
_FAMILY: Final = {
    "rain": {"rain", "drizzle", "heavy rain", "thunderstorm"}, "snow": {"snow", "blizzard"},
    "fog": {"fog", "mist"}, "mist": {"fog", "mist"}, "thunderstorm": {"thunderstorm", "dust storm"},
    "overcast": {"overcast", "partly cloudy"}, "partly cloudy": {"overcast", "partly cloudy"},
}  # fmt: skip


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


def _term(match: Match, context: Context) -> Candidate | None:
    said: Mapping[str, str] = match.value("term")
    field = match.value("field")
    if field is not None and field not in said:
        if field == "time_of_day" or not terms(field):
            return None
        own = canonical_term(field, match.text("term"))
        if own is None:
            return None
        said = {field: own}
    values = dict(said)
    if "camera_movement" in values and "pace" in values and "slow" in match.text("term"):
        values.pop("pace")
    return _set(values, match.score, context.scene, intent="term")


def _term_not(match: Match, context: Context) -> Candidate | None:
    said = dict(match.value("term"))
    old: Mapping[str, str] = match.value("old")
    for field, value in old.items():
        if field not in said and getattr(context.scene, field) == value:
            said[field] = ""
    return _set(said, match.score, context.scene, intent="term")


def _less_term(match: Match, context: Context) -> Candidate | None:
    said: Mapping[str, str] = match.value("term")
    scene = context.scene
    values: dict[str, str] = {}
    is_gone = bool(re.match(r"(?:no|not|without|stop|remove)\b", match.text("term"))) or bool(
        re.match(r"(?:make it )?(?:no|without|no more|remove|stop)\b", _whole(match))
    )
    for field, value in said.items():
        now = str(getattr(scene, field))
        family = _FAMILY.get(value, {value})
        if now not in family:
            continue
        less = _LESS.get(field, {}).get(now, "")
        values[field] = ("clear" if field == "weather" else "") if is_gone else less
    if not values:
        return Candidate(already=True, score=match.score * 0.8)
    return _set(values, match.score, scene, intent="term")


def _whole(match: Match) -> str:
    return match.groups.get("whole", "")


def _place(match: Match, context: Context) -> Candidate | None:
    named = match.value("place") or match.value("placename") or match.value("named")
    if named is None:
        return None
    moved = match.value("entity")
    leads = {one.id for one in context.scene.cast if one.is_lead}
    if moved is not None and not leads & set(moved.ids):
        return None  # "put the cup on the shelf" moves a thing, not the scene
    old: str | None = match.value("old")
    scene = context.scene
    if old is not None:
        head = lemma(old.split()[-1], "NOUN")
        if head not in {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", scene.setting.lower())}:
            return None
    slot = match.slots.get("place")
    if slot is not None and context.scene.cast:
        # "next to the car" is beside somebody of the cast, not another place.
        rest = re.sub(r"^(?:in front of|next to|on top of|\w+)\s+", "", slot.text)
        found = refer(rest, context)
        if found is not None and found.ids and not found.belonging:
            return None
    values: dict[str, str] = {"setting": named}
    text = (slot or match.slots.get("placename") or match.slots["named"]).text
    timed = {t.field: t.term for t in find_terms(text) if t.field in {"time_of_day", "weather"}}
    if timed:
        bare = re.sub(
            r"^(?:set |somewhere |happening )?(?:in|on|at|inside|into|onto|to|by|under)\s+",
            "",
            text,
            flags=re.IGNORECASE,
        )
        named_alone = place_in_words(_without_terms(bare, timed), led=True)
        if named_alone is not None:
            values = {"setting": named_alone[0], **timed}
    return _set(values, match.score, scene, intent="place")


def _without_terms(named: str, timed: Mapping[str, str]) -> str:
    text = named
    for term in reversed(find_terms(named)):
        if term.field in timed:
            text = text[: term.start] + text[term.end :]
    return re.sub(
        r"\s+(?:at|in|on|during|by|the|a|and|with)*\s*$", "", re.sub(r"\s+", " ", text)
    ).strip()


def _capital(named: str) -> str:
    return named


def _place_bare(match: Match, context: Context) -> Candidate | None:
    text = match.text("placename")
    found = refer(text, context)
    if found is not None and not found.field:
        return None
    return _place(match, context)


def _field(match: Match, context: Context) -> Candidate | None:
    field: str = match.value("field")
    said: str = match.value("any")
    value = value_for(field, said, context)
    if value is None:
        return None
    return _set({field: value}, match.score, context.scene, intent="field")


def value_for(field: str, said: str, context: Context) -> str | tuple[str, ...] | None:
    """Return what setting ``field`` to ``said`` means; None when ``said`` is no such value."""
    bare = re.sub(r"^(?:be|more|very|a bit)\s+", "", said.strip())
    if bare.lower() in {"nothing", "none", "empty", "off", "default"}:
        return () if field in LIST_FIELDS else ""
    if field == "setting":
        lead = re.sub(r"^(?:in|on|at|inside)\s+", "", bare)
        found = place_in_words(lead, led=True)
        return None if found is None or found[1] < 0.5 else found[0]
    if field == "details":
        return (*context.scene.details, bare)
    if field == "action":
        return progressive(bare)
    if terms(field):
        term = canonical_term(field, re.sub(r"^(?:an?|the)\s+", "", bare)) or next(
            (t.term for t in find_terms(bare) if t.field == field), None
        )
        if term is not None:
            return term
        is_free = field in {"style", "color_palette", "lighting", "mood", "lens", "viewpoint"}
        return bare if is_free and len(bare.split()) <= 6 and exact_terms(bare) is None else None
    if field in {"subject", "subject_details"}:
        return None
    return bare


def _season(match: Match, context: Context) -> Candidate | None:
    """Say the season with the place, in the words of the user: "a field in autumn"."""
    season = (
        "autumn" if match.groups["season"].lower() == "fall" else match.groups["season"].lower()
    )
    setting = re.sub(r"\s*\bin (?:spring|summer|autumn|winter)\b", "", context.scene.setting)
    return _set(
        {"setting": f"{setting} in {season}".strip()}, match.score, context.scene, intent="place"
    )


def _swap_term(match: Match, context: Context) -> Candidate | None:
    old: Mapping[str, str] = match.value("old")
    if not any(getattr(context.scene, f) for f in old):
        return None
    return _set(match.value("term"), match.score, context.scene, intent="term")


def _clear_field(match: Match, context: Context) -> Candidate | None:
    field: str = match.value("field")
    if field in {"subject", "action", "setting"} or (
        field == "on_screen_text" and not context.scene.on_screen_text
    ):
        return None
    if not getattr(context.scene, field):
        return Candidate(already=True, score=match.score)
    return _set(
        {field: () if field in LIST_FIELDS else ""}, match.score, context.scene, intent="field"
    )


def _style_like(match: Match, context: Context) -> Candidate | None:
    name: str = match.value("name")
    said = exact_terms(name)
    if said is not None and set(said) <= {"style", "mood", "color_palette"}:
        return _set(said, match.score, context.scene, intent="style")
    if refer(name, context) is not None:
        return None
    return _set({"style": titled(name)}, match.score * 0.97, context.scene, intent="style")


def _style_not(match: Match, context: Context) -> Candidate | None:
    """Understand "Cassavetes, not Nolan": two names that no dictionary has."""
    name, old = str(match.value("name")), str(match.value("old"))
    said = exact_terms(name)
    if said is not None:
        return _set(said, match.score, context.scene, intent="style")
    is_named = all(not is_known(w) for n in (name, old) for w in n.lower().split()[:1])
    if not is_named or len(name.split()) > 3:
        return None
    return _set({"style": titled(name)}, match.score, context.scene, intent="style")


def _vague(match: Match, _context: Context) -> Candidate | None:
    text = (
        "Say in which way: closer, warmer light, more happening, another place. "
        "Or say “other ideas”, and variations are made."
    )
    return Candidate(help=text, score=match.score)


def _shot_on(match: Match, context: Context) -> Candidate | None:
    name: str = match.value("name")
    said = exact_terms(name)
    if said is not None:
        return _set(said, match.score, context.scene, intent="style")
    return _set({"style": f"shot on {_device(name)}"}, match.score, context.scene, intent="style")


def _device(name: str) -> str:
    known = {
        "iphone": "iPhone",
        "gopro": "GoPro",
        "imax": "IMAX",
        "vhs": "VHS",
        "dslr": "DSLR",
        "arri": "ARRI",
        "red": "RED",
    }
    return " ".join(known.get(w.lower(), w) for w in name.split())


def _show_text(match: Match, context: Context) -> Candidate | None:
    said = re.sub(r"^[\"'“”]|[\"'“”]$", "", str(match.value("any"))).strip()
    return (
        _set({"on_screen_text": said}, match.score, context.scene, intent="text") if said else None
    )


def _reveal(match: Match, context: Context) -> Candidate | None:
    term = match.value("term")
    thing: NounPhrase | None = match.value("thing")
    if term is not None and thing is not None:
        if "camera_movement" not in term or thing.determiner.lower() == "the":
            return None
        action = add_entity(thing, context, is_definite=False)
        edits = _edits(term, context.scene)
        return Candidate(
            (*edits, action, *added_with_doing(thing, action)), match.score, intent="term"
        )
    how, what = match.value("how"), match.value("what")
    moved = stepped(str(how), context.scene) or exact_terms(str(how))
    if not moved or not set(moved) & {"shot_size", "camera_angle", "camera_movement"}:
        return None
    del what
    return _set(moved, match.score, context.scene, intent="term")


_CAMERA_WORDS: Final = re.compile(
    r"(?:(?:the )?camera:?\s+(?:should |must |needs to |to |could )?(?=\w)|(?:let |have |make )(?:the )?camera\s+)?(?:slowly |gently |quickly )?"
    r"(?:start(?:s|ing)? (?:on|with|from|in|at|wide|close|low|high|behind|underwater)|begin(?:s|ning)? (?:on|with|from|in|wide|close)|"
    r"open(?:s|ing)? (?:on|with a) |cut(?:s|ting)? to|end(?:s|ing)? (?:on|with|in) a?|finish(?:es)? on|follow(?:s|ing)? |"
    r"track(?:s|ing)? |orbit(?:s|ing)? |circle(?:s|ing)? |pan(?:s|ning)? |tilt(?:s|ing)? |zoom(?:s|ing)? |dolly |push(?:es|ing)? in|"
    r"pull(?:s|ing)? (?:back|out)|crane(?:s)? |fl(?:y|ies) (?:over|through|around|past)|rack focus|hold(?:s)? on |lock (?:it|the camera) off|"
    r"locked off|stay(?:s)? (?:on|with|behind|low|close)|come(?:s)? up (?:with|from)|whip pan|come down|drop(?:s)? down|rise(?:s)? |"
    r"look(?:s)? (?:up|down) (?:at|from)|shoot (?:it |him |her |them )?(?:from|through|over)|film (?:it |him |her |them )?(?:from|through|over)|"
    r"view from|seen from|from (?:inside|behind|above|below|under|the back|a|the) .*(?:seat|window|car|boat|train|door|roof|rooftop|balcony|cockpit|passenger|driver|hood|dashboard)|"
    r"inside the (?:car|train|bus|cockpit|cab|plane)|through the (?:window|windshield|glass|door|keyhole|leaves))",
    re.IGNORECASE,
)
"""How an instruction to the camera begins; the rest is kept in the words of the user."""


def camera_in_words(text: str, context: Context) -> Candidate | None:
    """Take an instruction to the camera in the words of the user."""
    if _CAMERA_WORDS.match(text) is None or len(text.split()) < 3 or exact_terms(text):
        return None
    words = re.sub(
        r"^(?:let |have |make )?(?:the )?camera:?\s+(?:should |must |needs to |to |could )?",
        "",
        text,
        flags=re.IGNORECASE,
    )
    words = re.sub(r"\b(?:pls|please)\b", "", words).strip(" .,!")
    value = words[:1].lower() + words[1:]
    return _set({"camera_movement": value}, 0.72, context.scene, intent="camera")


def stepped(text: str, scene: Scene) -> Mapping[str, str] | None:
    """Return what a relative wish sets: "darker", "much closer", "less foggy"."""
    text = re.sub(r"^(?:it|this|everything|camera)\s+(?:should be\s+|is\s+|be\s+)?", "", text)
    bare = re.sub(r"^an? ", "", text)
    for pattern, entry in _compiled("step"):
        found = pattern.fullmatch(text) or pattern.fullmatch(bare)
        if found is not None:
            return _step(found, entry, scene)
    for pattern, entry in _compiled("set"):
        if pattern.fullmatch(text) or pattern.fullmatch(bare):
            return {entry["field"]: entry["value"]}
    return _comparative(text)


@cache
def _compiled(section: str) -> Sequence[tuple[re.Pattern[str], Mapping[str, Any]]]:
    return tuple(
        (re.compile(rf"(?:{e['when']})", re.IGNORECASE), e) for e in data("steps")[section]
    )


def _step(found: re.Match[str], entry: Mapping[str, Any], scene: Scene) -> Mapping[str, str] | None:
    field = str(entry["field"])
    size = 2 if any(v for k, v in found.groupdict().items() if k.startswith("much")) else 1
    here = str(getattr(scene, field))
    ladder = entry.get("ladder")
    if ladder:
        if here not in ladder:
            start = {"fog": "fog", "rain": "rain", "snow": "snow", "cloud": "overcast"}[entry["of"]]
            return {field: start} if entry["by"] < 0 else {field: here}
        at = ladder.index(here) + entry["by"] * size
        return {field: ladder[min(max(at, 0), len(ladder) - 1)]}
    steps = terms(field)
    if field == "pace" and scene.pace != "time-lapse":
        steps = steps[:-1]
    start_at = steps.index(here) if here in steps else steps.index(_MIDDLE[field])
    at = min(max(start_at + entry["by"] * size, 0), len(steps) - 1)
    if field == "pace" and at == 0 and entry["by"] < 0:
        at = 1
    return {field: steps[at]}


def _comparative(text: str) -> Mapping[str, str] | None:
    found = re.fullmatch(
        r"(?:(?:make|have) (?:it|this|the \w+) |a bit |a little |much |even |way |look |feel )*([a-z]+er)",
        text,
    )
    base = lemma(found[1], "ADJ") if found else ""
    if not found or base == found[1]:
        return None
    return exact_terms(base)


INTENTS: Final[Mapping[str, Intent]] = {
    "place": _place,
    "place_bare": _place_bare,
    "term": _term,
    "term_not": _term_not,
    "less_term": _less_term,
    "field": _field,
    "clear_field": _clear_field,
    "season": _season,
    "swap_term": _swap_term,
    "style_like": _style_like,
    "style_not": _style_not,
    "vague": _vague,
    "shot_on": _shot_on,
    "show_text": _show_text,
    "reveal": _reveal,
}
