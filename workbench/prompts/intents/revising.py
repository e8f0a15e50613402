"""Tunes a prompt by a request in plain words: actions, the scene after them, the text that follows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workbench.actions.model import (
    Action,
    Compare,
    Explain,
    GoBack,
    Lock,
    NotUnderstood,
    Propose,
    Render,
    SetRender,
    Star,
    Unlock,
    Vary,
)
from workbench.prompts.composer.composer import NAME, scene_of
from workbench.prompts.enacting import enact
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.making import told_apart
from workbench.prompts.intents.questions import HINT
from workbench.prompts.intents.references import named_in
from workbench.prompts.intents.translating import OTHER_LANGUAGE
from workbench.prompts.intents.understanding import Understanding, understand
from workbench.prompts.model import Revision
from workbench.scene import Change

__all__ = ["revise", "said_of"]


_LONGEST: Final = 200
"""Characters of what was not understood that are repeated."""


def revise(request: str, context: Context) -> Revision:
    """Return the prompt of ``context`` tuned by ``request``, with the actions that this took.

    Actions on the session are listed, not carried out. What is not understood changes nothing.
    """
    context = replace(context, scene=told_apart(context.scene))
    found = understand(request, context)
    done = enact(context.prompt, context.scene, found.actions, scene_of=scene_of, kept=found.kept)
    changes = context.scene.changes_to(done.scene)
    actions: list[Action] = list(found.actions)
    found = replace(found, missed=tuple(_as_typed(words, request) for words in found.missed))
    actions += [
        NotUnderstood(words=words[:_LONGEST], help=_help(found, words, context))
        for words in found.missed
    ]
    if not actions and not found.is_understood:
        actions = [NotUnderstood(words=request.strip()[:_LONGEST] or "…", help=HINT)]
    return Revision(
        prompt=done.prompt,
        scene=done.scene,
        changes=changes,
        understood=found.is_understood,
        message=_message(found, changes, context),
        provider=NAME,
        actions=tuple(actions),
    )


def _as_typed(words: str, request: str) -> str:
    """Return words as the user typed them: what was mended is quoted as it was."""
    at = request.lower().find(words.lower())
    return request[at : at + len(words)] if at >= 0 else request.strip()


_CAMERA: Final = re.compile(
    r"\b(?:camera|shot|zoom|pan|tilt|angle|lens|dolly|frame|view|pov)\b", re.IGNORECASE
)
_RENDER: Final = re.compile(
    r"\b(?:render|video|seed|fps|resolution|format|aspect|seconds?|longer|versions?|model|steps)\b",
    re.IGNORECASE,
)


def _help(found: Understanding, words: str, context: Context) -> str:
    """Return what would help with ``words``: the nearest thing that can be done."""
    if found.is_foreign:
        return OTHER_LANGUAGE
    named = [e for i in named_in(words, context) if (e := context.scene.entity(i)) is not None]
    if named:
        noun = named[0].phrase
        return (
            f"Of the {noun} you can say how it looks, where it is and what it does: “make the {noun} "
            f"bigger”, “the {noun} turns around”, “remove the {noun}”."
        )
    if _CAMERA.search(words):
        return "For the camera, say “pan left”, “closer”, “low angle”, “from behind” or “start on the door, then push in”."
    if _RENDER.search(words):
        return "For renders, say “16:9”, “8 seconds”, “24 fps”, “720p”, “another seed”, “render it” or “five versions”."
    return HINT


def _message(found: Understanding, changes: Sequence[Change], context: Context) -> str:
    notes = []
    hint = _help(found, " ".join(found.missed), context)
    if changes:
        notes.append(f"Changed {'; '.join(change.sentence for change in changes)}.")
    notes += [said for action in found.actions if (said := said_of(action))]
    if found.locked:
        names = ", ".join(dict.fromkeys(name.replace("_", " ") for name in found.locked))
        notes.append(f"Locked, so left as it is: {names}.")
    notes += found.helps
    if found.missed:
        shown = "; ".join(f"“{words[:_LONGEST]}”" for words in found.missed)
        notes.append(f"Not understood: {shown}.")
    if not found.is_understood:
        notes = [
            f"I did not understand {shown if found.missed else 'that'}, so nothing was changed. {hint}"
        ]
    elif not notes:
        notes = ["The prompt already says so; nothing was changed."]
    return " ".join(notes)


def said_of(action: Action) -> str:
    """Return what is to be said of an action that changes no scene; empty for one that does."""
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
    if not stated:
        return "The next renders use the engine's own settings."
    if set(stated) == {"width", "height"}:
        return f"The next renders are {stated['width']}×{stated['height']} pixels."
    shown = ", ".join(
        f"{v:g} seconds long" if k == "seconds" else f"{_LABELS.get(k, k)} {v}"
        for k, v in stated.items()
    )
    return f"The next renders: {shown}."
