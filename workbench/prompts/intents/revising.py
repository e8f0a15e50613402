"""Revises a prompt by a request in plain words: actions, new scene, new text, message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from workbench.actions.model import (
    Action,
    AddBeat,
    Compare,
    Explain,
    GoBack,
    Lock,
    NotUnderstood,
    Propose,
    Render,
    RewriteSentence,
    SetRender,
    Star,
    Unlock,
    Vary,
)
from workbench.lexicon.words import sentences
from workbench.prompts.composer.composer import NAME, scene_of
from workbench.prompts.composer.editing import written
from workbench.prompts.composer.facts import is_many, name_of
from workbench.prompts.enacting import enact
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.making import told_apart
from workbench.prompts.intents.outcome import ASIDE, Missed, Understanding
from workbench.prompts.intents.questions import HINT
from workbench.prompts.intents.references import named_in
from workbench.prompts.intents.session_intents import SETTING_LABELS
from workbench.prompts.intents.translating import OTHER_LANGUAGE
from workbench.prompts.intents.understanding import understand
from workbench.prompts.model import Revision
from workbench.scene import Change, Scene

__all__ = ["revise", "said_of"]

RENDER_LABELS: Final = frozenset({*SETTING_LABELS, "render", "vary"})
_LONGEST: Final = 200
"""Maximum characters quoted of words not understood."""


def revise(request: str, context: Context) -> Revision:
    """Return the revision of the prompt of ``context`` by ``request``, with its actions.

    Actions on the session are listed, not carried out. Words not understood change nothing.
    """
    given = context.scene
    context = replace(context, scene=told_apart(given))
    found = understand(request, context)
    done = enact(context.prompt, context.scene, found.actions, scene_of=scene_of, kept=found.kept)
    changes = context.scene.changes_to(done.scene)
    actions = _in_order(found.actions)
    found = replace(
        found, missed=tuple(replace(m, words=_as_typed(m, request)) for m in found.missed)
    )
    actions += [
        NotUnderstood(words=one.words[:_LONGEST], help=_help(found, one, context))
        for one in found.missed
        if one.label != ASIDE
    ]
    if not actions and not found.is_understood:
        actions = [NotUnderstood(words=request.strip()[:_LONGEST] or "…", help=HINT)]
    return Revision(
        prompt=done.prompt,
        scene=_together(done.scene, context.scene, given),
        changes=changes,
        understood=found.is_understood,
        message=_message(found, changes, context, done.prompt),
        provider=NAME,
        actions=tuple(actions),
    )


def _in_order(actions: Sequence[Action]) -> list[Action]:
    """Return the actions in order: edits, then render settings, then renders.

    If one of them goes back, the order of the request is kept.
    """
    if any(isinstance(action, GoBack) for action in actions):
        return list(actions)
    last: dict[type[Action], int] = {SetRender: 1, Render: 2, Vary: 2}
    return sorted(actions, key=lambda action: last.get(type(action), 0))


def _together(after: Scene, apart: Scene, given: Scene) -> Scene:
    """Return ``after`` with unchanged entities in their original form."""
    whole = {one.id: other for one, other in zip(apart.cast, given.cast, strict=True)}
    same = {one.id: one for one in apart.cast}
    cast = tuple(whole[e.id] if same.get(e.id) == e else e for e in after.cast)
    return after if cast == after.cast else after.model_copy(update={"cast": cast})


def _as_typed(missed: Missed, request: str) -> str:
    """Return the missed words as the user typed them, before spelling correction."""
    at = request.lower().find(missed.words.lower())
    if at < 0:
        return missed.words if missed.label == ASIDE else request.strip()
    return request[at : at + len(missed.words)]


_CAMERA: Final = re.compile(
    r"\b(?:camera|shot|zoom|pan|tilt|angle|lens|dolly|frame|view|pov)\b", re.IGNORECASE
)
_RENDER: Final = re.compile(
    r"\b(?:render|video|seed|fps|resolution|format|aspect|seconds?|longer|versions?|model|steps)\b",
    re.IGNORECASE,
)


_BY_LABEL: Final = {
    "look": "I see that something should look different, but not what or how. Say “make the … red”.",
    "event": "I see that something should happen with “{}”, but not who does what. Say “then the … falls over”.",
    "instead": "I see that something else should be done, but not by whom. Say “the … waves instead of running”.",
    "replace": "I see that something should become another, but not what. Say “replace the … with a …”.",
    "add": "I see that something should be added, but not what. Say “add a … on the left”.",
    "remove": "I see that something should go, but not what. Say “remove the …”.",
    "position": "I see that something should stand elsewhere, but not what or where. Say “move the … to the left”.",
    "count": "I see a number, but not of what. Say “three …”.",
    "swap": "I see that two should swap, but not which. Say “swap the … and the …”.",
    "setting": "I see that the place should change, but not to what. Say “in a forest”.",
    "goback": "I found no such version. Say “undo”, “back to the start” or “before the rain”.",
    "lock": "I see that something should stay fixed, but not what. Say “lock the camera”.",
}  # fmt: skip
"""Help for clauses whose label was recognised but not their slots."""


def _help(found: Understanding, missed: Missed, context: Context) -> str:
    """Return help for missed words, by their label, their topic or the entities they name."""
    if found.is_foreign:
        return OTHER_LANGUAGE
    words = missed.words
    lead = next((e for e in context.scene.cast if e.is_lead), None)
    if missed.label in _BY_LABEL:
        told = _BY_LABEL[missed.label].format(words[:60])
        if lead is None or is_many(lead):  # “the … falls over” is singular
            return told
        return told.replace("the …", name_of(lead), 1)
    if missed.label in {"camera", "shot", "viewpoint"} or _CAMERA.search(words):
        return "For the camera, say “pan left”, “closer”, “low angle”, “from behind” or “start on the door, then push in”."
    if missed.label in RENDER_LABELS or _RENDER.search(words):
        return "For renders, say “16:9”, “8 seconds”, “24 fps”, “720p”, “another seed”, “render it” or “five versions”."
    named = [e for i in named_in(words, context) if (e := context.scene.entity(i)) is not None]
    if named:
        noun = named[0].phrase
        return (
            f"Of the {noun} you can say how it looks, where it is and what it does: “make the {noun} "
            f"bigger”, “the {noun} turns around”, “remove the {noun}”."
        )
    if lead is not None:
        return (
            f"Say it as what is seen, with who does it or what it is like, such as “{name_of(lead)} "
            f"{'stop' if is_many(lead) else 'stops'}” or “{name_of(lead)} should be smaller”; or "
            "change the text yourself with Edit. A request can also set the render (“16:9”, “8 "
            "seconds”) or go back (“undo”)."
        )
    return HINT


_TOLD: Final = frozenset(["action", "cast", "beats", "details"])
"""Fields whose changes a new sentence already shows."""
_READ: Final = frozenset(["subject", "subject_details", "setting", "shot_size", "camera_movement"])
"""Fields that are read again from a rewritten sentence."""


def _message(found: Understanding, changes: Sequence[Change], context: Context, prompt: str) -> str:
    notes = []
    hint = _help(found, found.missed[0] if found.missed else Missed(""), context)
    told = dict.fromkeys(a.told for a in found.actions if isinstance(a, AddBeat) and a.told)
    rewritten = [a for a in found.actions if isinstance(a, RewriteSentence)]
    composed = written(context.scene)
    now = [a.after for a in rewritten if a.after]
    gone = [a.before for a in rewritten if not a.after and a.before not in composed]
    notes += [f"Now: “{one}”" for one in dict.fromkeys(now)]
    notes += [f"Taken out: “{one}”" for one in dict.fromkeys(gone)]
    notes += [f"Added: “{one}”" for one in told]
    shown_by_text = _TOLD | _READ if rewritten else _TOLD if told else frozenset()
    changed = [c for c in changes if c.field not in shown_by_text]
    if changed:
        notes.append(f"Changed {'; '.join(change.sentence for change in changed)}.")
    now_there = {tuple(one.split()[:4]) for one in sentences(prompt)}
    fitted = [
        s
        for s in sentences(context.prompt)
        if s in composed and tuple(s.split()[:4]) not in now_there
    ]
    if fitted:
        notes.append(f"To fit, this went: {' '.join(f'“{one}”' for one in fitted)}")
    notes += [said for action in found.actions if (said := said_of(action))]
    if found.locked:
        names = ", ".join(dict.fromkeys(name.replace("_", " ") for name in found.locked))
        notes.append(f"Locked, so left unchanged: {names}.")
    notes += found.helps
    if found.missed:
        shown = _quoted(one for one in found.missed if one.label != ASIDE)
        notes += [f"Not understood: {shown}."] if shown else []
        notes += [hint] if found.is_understood and found.missed[0].label in _BY_LABEL else []
        aside = _quoted(one for one in found.missed if one.label == ASIDE)
        notes += [f"Left aside, as it asks for nothing: {aside}."] if aside else []
    if not found.is_understood:
        notes = [
            f"I did not understand {shown if found.missed else 'that'}, so nothing was changed. {hint}"
        ]
    elif not notes:
        notes = ["The prompt already says so; nothing was changed."]
    return " ".join(notes)


def _quoted(missed: Iterable[Missed]) -> str:
    return "; ".join(f"“{one.words[:_LONGEST]}”" for one in missed)


def said_of(action: Action) -> str:
    """Return the message for an action that changes no scene; empty for one that does."""
    match action:
        case Explain():
            return action.answer
        case SetRender():
            return _settings_said(action)
        case Render():
            count = max(1, len(action.entries)) * action.seeds
            return "Rendering it." if count == 1 else f"Rendering {count} videos."
        case Vary():
            what = (
                f" of the {', '.join(a.replace('_', ' ') for a in action.axes)}"
                if action.axes
                else ""
            )
            number = "One variation" if action.count == 1 else f"{action.count} variations"
            return f"{number}{what}."
        case Star():
            return "Starred." if action.starred else "The star is off."
        case Lock():
            return f"Locked: {_names(action.fields)}."
        case Unlock():
            return f"Free again: {_names(action.fields)}."
        case Compare():
            return f"Comparing prompts {', '.join(str(e) for e in action.entries)}."
        case Propose() if action.fetches:
            return f"That fetches the model {action.fetches} first; confirm to start."
        case Propose():
            return f"That takes {action.renders} renders; confirm to start them."
        case GoBack():
            return ""
        case _:
            return ""


def _names(fields: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in fields)


_LABELS = {
    "num_frames": "frames", "short_side": "shorter side", "num_inference_steps": "steps",
    "guidance_scale": "guidance", "fps": "frames per second", "aspect": "format",
}  # fmt: skip


def _settings_said(action: SetRender) -> str:
    stated = {k: v for k, v in action.values.items() if v is not None}
    if set(action.values) == {"camera"}:
        camera = stated.get("camera")
        if camera is None:
            return "The camera moves as the prompt says again."
        told = camera if isinstance(camera, str) else "the path that was drawn"
        return (
            f"The camera in every render: {told}. The path holds, whatever the prompt says of it."
        )
    if not stated:
        return "The next renders use the engine's own settings."
    if set(stated) == {"width", "height"}:
        return f"The next renders are {stated['width']}×{stated['height']} pixels."
    shown = ", ".join(
        f"{v:g} seconds long" if k == "seconds" else f"{_LABELS.get(k, k)} {v}"
        for k, v in stated.items()
        if k != "camera" or isinstance(v, str)
    )
    return f"The next renders: {shown}."
