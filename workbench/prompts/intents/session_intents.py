"""Session intents from parsed clauses: render settings, renders, versions, stars, locks, undo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from workbench.actions.model import (
    Compare,
    GoBack,
    Lock,
    Render,
    SetRender,
    Star,
    Step,
    Unlock,
    Vary,
)
from workbench.actions.render_settings import RenderSettings
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.keeping import fields_kept
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.render_intents import (
    SETTINGS,
    SPELLED,
    STEP_FACTORS,
    SURE,
    UNITS,
    USUAL_SECONDS,
    drawn_seed,
    length_said,
    named_setting,
    number_said,
    tidy,
)
from workbench.prompts.intents.session_forms import AXES, ruled, without_entry
from workbench.prompts.intents.slots import fields_meant
from workbench.prompts.intents.versions import (
    ORDINALS,
    entry_named,
    entry_numbered,
    landmark_named,
    steps_back,
)
from workbench.prompts.intents.wording import plain
from workbench.prompts.intents.words import noun_in_text
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import SCENE_FIELDS

__all__ = [
    "SETTING_LABELS",
    "WISHES",
    "kept",
]


def _setting_wish(clause: Clause, context: Context) -> Candidate | None:
    """Set a render setting, or explain why the value is invalid."""
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
    """Read a render setting from the number in the clause, or as a step from its current value."""
    label, said = clause.label, plain(clause.slot("value")) or clause.text
    unit = UNITS.get(label)
    is_sure = clause.sureness >= SURE and label != "fps"  # a bare number is not a frame rate
    if unit is not None and not is_sure and not unit.search(clause.text):
        return None
    if label == "seconds" and (length := length_said(clause.text)) is not None:
        return Candidate(
            (SetRender(values={"seconds": length}),), clause.sureness, intent="setting"
        )
    for text in (clause.text, said, f"{said} {label}", f"{label} {said}"):
        exact = ruled(text, context)
        if exact is not None and all(isinstance(a, SetRender) for a in exact.actions):
            return exact
    name = SETTINGS.get(label)
    if name is None:
        return named_setting(label, said, context, clause.sureness)
    if label == "seed":
        return Candidate(
            (SetRender(values={"seed": drawn_seed()}),), clause.sureness, intent="setting"
        )
    digits = re.findall(r"\d+(?:\.\d+)?", said)
    spelled = SPELLED.search(said)
    now = getattr(context.settings, name) or (USUAL_SECONDS if name == "seconds" else None)
    factor = next((by for pattern, by in STEP_FACTORS if pattern.search(said)), None)
    number = float(digits[-1]) if digits else number_said(spelled[0]) if spelled else None
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
    values = {name: tidy(round(value, 2)) if fine else int(value)}
    intent = "setting" if number is not None else "setting_step"
    return Candidate((SetRender(values=values),), clause.sureness, intent=intent)


_KEPT: Final = re.compile(
    r"(?:please )?(?:keep|leave)(?: in)? (?P<what>.+?)(?: (?:exactly |just )?(?:as (?:is|it is|they are|it was)|untouched|alone|the same|unchanged|in|like that))?|"
    r"(?P<stays>.+?) (?:can |should |must |may |has to |have to |always |exactly )*(?:stays?|remains?|as (?:is|it is|they are))(?: (?:the same|as (?:is|it is|they are)|in|identical|unchanged|always the same))?",
    re.IGNORECASE,
)


def kept(text: str, context: Context) -> Candidate | None:
    """Read "the fog can stay" as a request to keep what the prompt names."""
    found = _KEPT.fullmatch(text.strip(" .!"))
    if found is None:
        return None
    what = re.sub(r"^(?:but|and) ", "", found["what"] or found["stays"])
    if (
        re.match(r"(?:only|he|she|they|it|we|everyone|one)\b", what, re.IGNORECASE)
        and found["stays"]
    ):
        return None  # "only she stays" is an event
    fields = fields_kept(what, context)
    entities = refer(what, context, only_cast=True)
    if fields is None and entities is None and not noun_in_text(what, context.prompt):
        return None
    names = (*(fields or ()), *(entities.ids if entities is not None else ()))
    return Candidate(score=0.9, kept=names, already=True, intent="keep")


def _session_wish(clause: Clause, context: Context) -> Candidate | None:
    """Read a session request by the exact forms, or else by its slots."""
    for text in dict.fromkeys((clause.text, plain(clause.text))):
        exact = ruled(text, context)
        if exact is not None and not any(isinstance(a, SetRender) for a in exact.actions):
            return exact
    return _BY_SLOTS[clause.label](clause, context)


def _vary_by_slots(clause: Clause, _context: Context) -> Candidate | None:
    said = plain(clause.slot("count")).lower()
    number = (
        number_said(said) if said else number_said((re.findall(r"\d+", clause.text) or ["7"])[0])
    )
    axes: list[str] = []
    unknown: list[str] = []
    for part in re.split(r"\s*,\s*|\s+and\s+", plain(clause.slot("axis")).lower()):
        bare = re.sub(r"^(?:the|its|different|only|other|new|another)\s+", "", part)
        axis = AXES.get(bare)
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
    number = number_said(re.sub(r"\s*(?:times|x|seeds|takes)$", "", said)) if said else 1
    seeds = int(number) if number and 1 <= number <= 64 else 1
    return Candidate((Render(seeds=seeds),), clause.sureness, intent="render")


def _goback_by_slots(clause: Clause, context: Context) -> Candidate | None:
    said, kept = plain(clause.slot("to")).lower(), plain(clause.slot("keep"))
    to: int | Step | None = None
    number = re.search(r"\b(?:v|#|no\.?|number|version|card)? ?(\d{1,3})\b", said)
    ordinal = next((n for n, word in enumerate(ORDINALS, 1) if re.search(rf"\b{word}\b", said)), 0)
    before = re.search(r"\b(?:before|without)\b(.*)", said)
    if re.search(r"\b(?:start|original|beginning|first (?:one|version|prompt))\b", said):
        to = Step.START
    elif before is not None and (found := landmark_named(before[1], context)) is not None:
        to = found.parent if found.parent is not None else found.index
    elif number is not None and not before:
        to = entry_numbered(int(number[1]), context)
    elif ordinal and not before:
        to = entry_numbered(ordinal, context)
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
    """Undo the last step, or the named one."""
    said = re.sub(
        r"\b(?:the|that|this|last|thing|change|one|it|step|edit|my|what|i|said|again|just)\b",
        "",
        plain(clause.slot("what")).lower(),
    ).strip()
    found = landmark_named(said, context) if said else None
    if found is not None and found.parent is not None:
        return without_entry(found, clause.sureness, context)
    if (
        number := number_said(said.removesuffix("s").removesuffix(" change"))
    ) and 1 < number <= _MOST_BACK:
        return steps_back(int(number), clause.sureness, context)
    if said and re.search(r"\b(?:everything|all|both)\b", said):
        return Candidate((GoBack(to=Step.START),), clause.sureness, intent="go_back")
    return Candidate((GoBack(to=Step.UNDO),), clause.sureness, intent="go_back")


_MOST_BACK: Final = 20
"""Maximum steps that one request undoes."""


_STARRED: Final = re.compile(
    r"star|fav|keep|save|love|like|best|mark|heart|pin|bookmark|winner|good", re.IGNORECASE
)
"""Words for starring or unstarring a version."""

_NOT_THIS: Final = re.compile(
    r"\b(?:don'?t|do not|never|not) (?:\w+ )?(?:save|star|keep|this|it|the one)\b|\bnot this\b",
    re.IGNORECASE,
)
"""The request is not to star this version."""


def _star_by_slots(clause: Clause, context: Context) -> Candidate | None:
    if not _STARRED.search(clause.text) or _NOT_THIS.search(clause.text):
        return None
    which = entry_named(clause.slot("what"), context)
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
"""Clause labels of render settings."""
WISHES: Final[Mapping[str, Wish]] = {
    **dict.fromkeys(SETTING_LABELS, _setting_wish),
    **dict.fromkeys(_BY_SLOTS, _session_wish),
}
